package head

import (
	"math"

	"regraft/engine"
)

// Temper scales down the linear heads of net whose weights are much larger than freshly initialised
// ones, and returns by how much the largest was divided (1 when none was). A common factor on weight
// and bias changes no answer, only how sure it is.
//
// Heads that were solved on frozen features have such weights: the features are small and the solution
// separates the training photos. Their gradients reach the trunk as many times too large, and the first
// steps of full training destroy it.
func Temper(heads []Head) float64 {
	// Trained together with their trunk, heads stay within about twice the initial size.
	const tolerated = 4
	largest := 1.0
	for _, h := range heads {
		if h.Weight == nil || h.Convolution() {
			continue
		}
		fresh := 1 / math.Sqrt(3*float64(h.Features)) // of U(-1/sqrt(F), 1/sqrt(F))
		if ratio := rms(h.Weight.Value) / fresh; ratio > tolerated {
			scale(h.Weight, 1/ratio)
			if h.Bias != nil {
				scale(h.Bias, 1/ratio)
			}
			largest = max(largest, ratio)
		}
	}
	return largest
}

func scale(p *engine.Param, factor float64) {
	values := make([]float32, len(p.Value))
	for i, v := range p.Value {
		values[i] = float32(float64(v) * factor)
	}
	p.Value = values
}

func rms(values []float32) float64 {
	sum := 0.0
	for _, v := range values {
		sum += float64(float64(v) * float64(v))
	}
	return math.Sqrt(sum / float64(max(len(values), 1)))
}
