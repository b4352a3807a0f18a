//go:build !amd64 || noasm

package kernel

// Without assembly every kernel is its plain Go form.
var (
	planeKernels  kernelTable[planeArgs]
	poolKernels   kernelTable[poolArgs]
	updateKernels kernelTable[updateArgs]
	packKernels   kernelTable[packArgs]
)
