package solver

import "regraft/engine/kernel"

// Mixer adds multiples of slices to others: sums of gradients, and averages of weights. Its slices have the same length on every call.
// The same numbers give the same bits on every machine.
type Mixer struct{ rule flat }

// NewMixer works with the instructions of isa on so many threads.
func NewMixer(isa *kernel.Set, threads int) *Mixer {
	return &Mixer{flat{rule: kernel.SGD, isa: isa, threads: threads}}
}

// Add adds share times values to sum.
func (m *Mixer) Add(sum, values []float32, share float32) {
	m.mix(sum, values, kernel.Constants{Rate: -share})
}

// Follow moves average towards values by a share of the way, as PyTorch's lerp: average += share (values - average).
func (m *Mixer) Follow(average, values []float32, share float32) {
	m.mix(average, values, kernel.Constants{Rate: -share, Decay: -1})
}

// mix is a step of SGD, p -= rate (g + decay p).
func (m *Mixer) mix(p, g []float32, k kernel.Constants) {
	m.rule.method.constants = func(Config, float64, int) kernel.Constants { return k }
	m.rule.Step(p, g, 0)
}
