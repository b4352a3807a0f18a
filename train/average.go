package train

import (
	"slices"

	"regraft/engine/session"
	"regraft/engine/solver"
)

// average is the exponential moving average of a session's parameters and running statistics (Polyak and Juditsky, 1992; as timm and
// torchvision keep it).
type average struct {
	keep            float64
	params, running []float32
	// weights and statistics make the sums of each.
	weights, statistics *solver.Mixer
}

func newAverage(keep float64, s *session.Session, weights, statistics *solver.Mixer) *average {
	return &average{keep, slices.Clone(s.Params()), slices.Clone(s.Running()), weights, statistics}
}

// follow moves it towards the values behind step n, counted from 1.
func (a *average) follow(s *session.Session, n int) {
	share := float32(1 - min(a.keep, float64(1+n)/float64(10+n)))
	a.weights.Follow(a.params, s.Params(), share)
	if len(a.running) > 0 {
		a.statistics.Follow(a.running, s.Running(), share)
	}
}
