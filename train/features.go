package train

import (
	"iter"
	"math"
	"slices"

	"regraft/head"
)

// newFeatures has room for those of so many photos.
func newFeatures(h *head.Head, photos int) *features {
	x := &features{positions: 1, f: h.Features, rectified: h.Rectified, labels: make([]int, photos)}
	if h.Rectified {
		shape := h.Input.Shape()
		x.positions = shape[2] * shape[3]
	}
	x.data = make([]float32, photos*x.positions*x.f)
	return x
}

// setMap takes the map (F, positions) of photo i and keeps it as (positions, F).
func (x *features) setMap(i int, plane []float32) {
	row := x.of(i)
	for p := range x.positions {
		for f := range x.f {
			row[p*x.f+f] = plane[f*x.positions+p]
		}
	}
}

// standard is the change of scale x' = (x - mean) / scale of features: one mean for each, but one scale for
// all, the root mean square of x - mean.
//
// Pooled features are small (0.03 around their means, at most about 1), so a solver that knows nothing of
// their scale learns for ever or regularises the solution away. One common scale makes the defaults fit any
// trunk and leaves the relative size of the features alone, which carries information: dividing each by its
// own deviation raises the noise of the rarest ones and cost 3 to 4 points on places9. Taking the mean out
// moves it into the bias and lets L-BFGS converge several times faster.
type standard struct {
	mean  []float64
	scale float64
}

// standardise measures x.
func standardise(x *features) standard { return standardOf(slices.Chunk(x.data, x.f), x.f) }

// apply changes x in place.
func (s standard) apply(x *features) { s.applyTo(x.data) }

// standardOf measures rows of f features, which it goes through twice.
func standardOf(all iter.Seq[[]float32], f int) standard {
	s := standard{mean: make([]float64, f)}
	rows := 0.0
	for row := range all {
		for i, v := range row {
			s.mean[i] += float64(v)
		}
		rows++
	}
	rows = max(rows, 1)
	for i := range s.mean {
		s.mean[i] /= rows
	}
	sum := 0.0
	for row := range all {
		for i, v := range row {
			d := float64(v) - s.mean[i]
			sum += float64(d * d)
		}
	}
	if s.scale = math.Sqrt(sum / (rows * float64(f))); s.scale == 0 {
		s.scale = 1 // all photos look the same
	}
	return s
}

// applyTo changes rows in place that stand one behind the other.
func (s standard) applyTo(rows []float32) {
	for row := range slices.Chunk(rows, len(s.mean)) {
		for i, v := range row {
			row[i] = float32((float64(v) - s.mean[i]) / s.scale)
		}
	}
}

// into turns the head's parameters into those for features after the change: W (classes, F), then b (classes).
func (s standard) into(h *head.Head) []float64 {
	w := make([]float64, 0, h.Classes*(h.Features+1))
	for _, v := range h.Weight.Value {
		w = append(w, float64(v)*s.scale)
	}
	for c := range h.Classes {
		b := dot(s.mean, h.Weight.Value[c*h.Features:(c+1)*h.Features])
		if h.Bias != nil {
			b += float64(h.Bias.Value[c])
		}
		w = append(w, b)
	}
	return w
}

// outOf is the inverse of into: the scale is folded into the weight, the mean into the bias.
func (s standard) outOf(w []float64, h *head.Head) {
	weight, bias := make([]float32, h.Classes*h.Features), make([]float32, h.Classes)
	for c := range h.Classes {
		row, b := w[c*h.Features:(c+1)*h.Features], w[h.Classes*h.Features+c]
		for i, v := range row {
			weight[c*h.Features+i] = float32(v / s.scale)
			b -= float64(v / s.scale * s.mean[i])
		}
		bias[c] = float32(b)
	}
	h.Weight.Value, h.Bias.Value = weight, bias
}
