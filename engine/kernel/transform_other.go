//go:build !amd64 || noasm

package kernel

// There is no assembly here.
var (
	inputTransforms  map[transformName]func(*transformInArgs)
	outputTransforms map[transformName]func(*transformOutArgs)
	slotSumKernel        = sumGo
)
