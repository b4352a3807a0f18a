//go:build !amd64 || noasm

package kernel

// Without assembly every kernel is its plain Go form.
var (
	convKernels      map[convTile]func(*convArgs)
	wgradKernels     map[wgradTile]func(*wgradArgs)
	inputTransforms  map[transformName]func(*transformInArgs)
	outputTransforms map[transformName]func(*transformOutArgs)
	slotSumKernel    = sumGo

	planeKernels  kernelTable[planeArgs]
	poolKernels   kernelTable[poolArgs]
	updateKernels kernelTable[updateArgs]
	packKernels   kernelTable[packArgs]

	transposeKernels kernelTable[transposeArgs]
)

func peakLoop(ISA) (func(*peakArgs), float64) { return nil, 0 }
