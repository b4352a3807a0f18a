package kernel

import (
	"sync"

	"regraft/engine/kernel/abi"
	"regraft/engine/kernel/toomcook"
)

// Go is the set of plain Go: the definition of every kernel, for every machine. It takes the tiles of the widest registers.
var Go = newSet("go", nil, func() bool { return true }, kernels{
	tiles:        abi.AVX512,
	conv:         plainTiles(abi.AVX512.Conv(), convGo),
	wgrad:        plainTiles(abi.AVX512.WGrad(), wgradGo),
	transformIn:  plainTransformsIn(),
	transformOut: plainTransformsOut(),
	plane: plain(
		copyKernel, fillKernel, addKernel, mulKernel, scaleKernel, affineKernel, reluGradKernel, clipKernel, clipGradKernel,
		normGradKernel, sigmoidKernel, siluKernel, sigmoidGradKernel, siluGradKernel, geluKernel, geluGradKernel, hardSigmoidKernel,
		hardSigmoidGradKernel, hardSwishKernel, hardSwishGradKernel, eluKernel, eluGradKernel, softplusKernel, softsignKernel,
		softsignGradKernel, mishKernel, mishGradKernel, leakyKernel, preluKernel, thresholdKernel, sumKernel, dotKernel,
		batchStatsKernel, normSumsKernel, pickKernel, pickMoreKernel,
	),
	pool: plain(
		averagePoolKernel, averagePoolGradKernel, depthwiseKernel, depthwiseGradWKernel, depthwiseGradXKernel, maxPoolKernel,
		maxPoolGradKernel,
	),
	update:    plainUpdates(SGD, Momentum, Nesterov, Adam, RMSprop, RMSpropTF),
	pack:      packTwin,
	transpose: transposeGo,
	slotSum:   sumGo,
})

// twin is the plain Go form of a kernel.
type twin[T any] struct {
	name string
	twin func(*T)
}

func plain[T any](twins ...twin[T]) map[string]func(*T) {
	own := map[string]func(*T){}
	for _, k := range twins {
		own[k.name] = k.twin
	}
	return own
}

// plainTiles are tiles of a kernel that has any.
func plainTiles[K comparable, T any](tiles []K, twin func(*T)) map[K]func(*T) {
	own := map[K]func(*T){}
	for _, t := range tiles {
		own[t] = twin
	}
	return own
}

func plainUpdates(rules ...*Rule) map[string]func(*updateArgs) {
	own := map[string]func(*updateArgs){}
	for _, r := range rules {
		own[r.name] = r.blocks
	}
	return own
}

// The plain transforms interpret programs, which take exact arithmetic to derive: when they are first needed.

func plainTransformsIn() map[string]func(*transformInArgs) {
	own := map[string]func(*transformInArgs){}
	add := func(name string, a toomcook.Algorithm, program func(toomcook.Variant) toomcook.Program) {
		derive := sync.OnceValue(func() *toomcook.Program { p := program(a.F()); return &p })
		own[name] = func(t *transformInArgs) { transformInGo(derive(), a.Dims, t) }
	}
	for _, a := range toomcook.Algorithms {
		add(a.InputKernel(), a, toomcook.Variant.Input)
		add(a.WeightsKernel(), a, toomcook.Variant.Weights)
		add(a.OutputGradKernel(), a, toomcook.Variant.OutputGrad)
		add(a.WeightsGradKernel(), a, toomcook.Variant.WeightsGrad)
	}
	return own
}

func plainTransformsOut() map[string]func(*transformOutArgs) {
	own := map[string]func(*transformOutArgs){}
	for _, a := range toomcook.Algorithms {
		derive := sync.OnceValue(func() *toomcook.Program { p := a.F().Output(); return &p })
		own[a.OutputKernel()] = func(t *transformOutArgs) { transformOutGo(derive(), a.Dims, t) }
	}
	return own
}
