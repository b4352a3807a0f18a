package kernel

import "regraft/engine/kernel/abi"

// Go is the set of plain Go: the definition of every kernel, for every machine. It takes the tiles of the widest registers.
var Go = newSet("go", nil, func() bool { return true }, kernels{
	tiles:        abi.AVX512,
	conv:         plainTiles(abi.AVX512.Conv(), convGo),
	wgrad:        plainTiles(abi.AVX512.WGrad(), wgradGo),
	transformIn:  transformInGos,
	transformOut: transformOutGos,
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
