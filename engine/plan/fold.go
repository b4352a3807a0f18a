package plan

import (
	"sync"

	"regraft/engine/op"
)

// fold is an inference BatchNorm that goes into the weights and bias of the convolution before it.
type fold struct {
	gamma, beta, mean, variance *value
	epsilon                     float32
}

// now is the fold with the values that the parameters have.
func (f *fold) now() *op.Fold {
	o := &op.Fold{Gamma: f.gamma.values(), Mean: f.mean.values(), Variance: f.variance.values(), Epsilon: f.epsilon}
	if f.beta != nil {
		o.Beta = f.beta.values()
	}
	return o
}

// buffers lends memory for folded weights (*[]float32): to fetch it from the system costs more than the folding.
var buffers sync.Pool

// weights folds the weights (O, ...) in src and gives them to use, for as long as it runs.
func (f *fold) weights(src []float32, use func(folded []float32)) {
	buffer, _ := buffers.Get().(*[]float32)
	if buffer == nil || len(*buffer) < len(src) {
		buffer = new(make([]float32, len(src)))
	}
	defer buffers.Put(buffer)
	dst := (*buffer)[:len(src)]
	f.now().Weights(dst, src)
	use(dst)
}

// scales fills dst with what every channel is multiplied by.
func (f *fold) scales(dst []float32) {
	now := f.now()
	for c := range dst {
		dst[c] = float32(now.Scale(c))
	}
}

// shifts makes folded biases of a convolution's own.
func (f *fold) shifts(biases []float32) {
	now := f.now()
	for c, b := range biases {
		if f.beta == nil {
			biases[c] = float32(now.Scale(c) * float64(b))
		} else {
			biases[c] = now.Bias(c, b)
		}
	}
}
