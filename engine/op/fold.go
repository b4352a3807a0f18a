package op

import "math"

// Fold takes an inference BatchNorm into the layer with weights (C, ...) before it:
//
//	w'[c] = w[c] * s[c],  b'[c] = beta[c] + (b[c] - mean[c]) * s[c],  s[c] = gamma[c] / sqrt(variance[c] + epsilon)
//
// computed in float64 and rounded once.
type Fold struct {
	Gamma, Beta, Mean, Variance []float32 // (C)
	Epsilon                     float32
}

// Scale is s[c].
func (f *Fold) Scale(c int) float64 {
	return float64(f.Gamma[c]) / math.Sqrt(float64(f.Variance[c])+float64(f.Epsilon))
}

// Bias is b'[c], given b[c].
func (f *Fold) Bias(c int, b float32) float32 {
	return float32(float64(f.Beta[c]) + float64(f.Scale(c)*(float64(b)-float64(f.Mean[c]))))
}

// Weights writes w' to dst, given w.
func (f *Fold) Weights(dst, w []float32) {
	per := len(w) / len(f.Gamma)
	for c := range f.Gamma {
		s := f.Scale(c)
		for k := c * per; k < (c+1)*per; k++ {
			dst[k] = float32(s * float64(w[k]))
		}
	}
}
