package plan

import (
	"sync"

	"regraft/engine"
	"regraft/engine/op"
)

// fold is an inference BatchNorm that goes into the weights and bias of the convolution before it.
type fold struct {
	gamma, beta, mean, variance *engine.Param
	epsilon                     float32
}

// now is the fold with the values that the parameters have.
func (f *fold) now() *op.Fold {
	o := &op.Fold{Gamma: f.gamma.Value, Mean: f.mean.Value, Variance: f.variance.Value, Epsilon: f.epsilon}
	if f.beta != nil {
		o.Beta = f.beta.Value
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

// scale is what channel c is multiplied by.
func (f *fold) scale(c int) float64 { return f.now().Scale(c) }

// shift returns the folded bias of channel c for a convolution whose own bias is b.
func (f *fold) shift(c int, b float32) float32 {
	if f.beta == nil {
		return float32(f.scale(c) * float64(b))
	}
	return f.now().Bias(c, b)
}
