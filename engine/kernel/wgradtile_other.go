//go:build !amd64 || noasm

package kernel

// wgradKernels is empty: there is no assembly here.
var wgradKernels map[wgradTile]func(*wgradArgs)
