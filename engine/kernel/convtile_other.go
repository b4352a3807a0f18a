//go:build !amd64 || noasm

package kernel

// convKernels is empty: there is no assembly here.
var convKernels map[convTile]func(*convArgs)
