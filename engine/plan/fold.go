package plan

import (
	"math"
	"sync"

	"regraft/engine"
	"regraft/engine/op"
)

// fold is an inference BatchNorm that goes into the weights and bias of the convolution before it.
type fold struct {
	gamma, beta, mean, variance *engine.Param
	epsilon                     float32
}

func newFold(bn *op.BatchNorm, in []*value) *fold {
	return &fold{in[1].param, in[2].param, in[3].param, in[4].param, bn.Epsilon}
}

// scale is gamma / sqrt(variance + epsilon) of channel c.
func (f *fold) scale(c int) float64 {
	return float64(f.gamma.Value[c]) / math.Sqrt(float64(f.variance.Value[c])+float64(f.epsilon))
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
	dst, per := (*buffer)[:len(src)], len(src)/len(f.gamma.Value)
	for c := range f.gamma.Value {
		s := f.scale(c)
		for k := c * per; k < (c+1)*per; k++ {
			dst[k] = float32(s * float64(src[k]))
		}
	}
	use(dst)
}

// shift returns the folded bias of channel c for a convolution whose own bias is b.
func (f *fold) shift(c int, b float32) float32 {
	if f.beta == nil {
		return float32(f.scale(c) * float64(b))
	}
	return float32(float64(f.beta.Value[c]) + float64(f.scale(c)*(float64(b)-float64(f.mean.Value[c]))))
}
