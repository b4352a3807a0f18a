package op

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// GlobalAveragePool takes the mean of every plane: x (N, C, H, W) gives (N, C, 1, 1).
type GlobalAveragePool struct{ base }

// Name is GlobalAveragePool.
func (*GlobalAveragePool) Name() string { return "GlobalAveragePool" }

// OutShape is (N, C, 1, 1).
func (*GlobalAveragePool) OutShape(in ...tensor.Shape) (tensor.Shape, error) {
	if err := wantRanks(in, 4); err != nil {
		return nil, err
	}
	return tensor.Shape{in[0][0], in[0][1], 1, 1}, nil
}

// Do takes the means, summing in float64.
func (o *GlobalAveragePool) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

// DiffWRT is true.
func (*GlobalAveragePool) DiffWRT(inputs int) []bool { return wrt(1, inputs) }

// SymDiff gives GlobalAveragePoolGrad.
func (*GlobalAveragePool) SymDiff(in gorgonia.Nodes, _, dy *gorgonia.Node) (gorgonia.Nodes, error) {
	return gradient(&GlobalAveragePoolGrad{In: [2]int(in[0].Shape()[2:])}, dy)
}

func (*GlobalAveragePool) eval(in []array, out array) {
	size := product(in[0].shape[2:])
	for i := range out.data {
		sum := 0.0
		for _, v := range in[0].data[i*size : (i+1)*size] {
			sum += v
		}
		out.data[i] = sum / float64(size)
	}
}

// GlobalAveragePoolGrad is the gradient of GlobalAveragePool: dy (N, C, 1, 1) gives (N, C, In[0], In[1]).
type GlobalAveragePoolGrad struct {
	undifferentiable
	In [2]int // rows and columns of x
}

// Name is GlobalAveragePoolGrad.
func (*GlobalAveragePoolGrad) Name() string { return "GlobalAveragePoolGrad" }

// OutShape is the shape of x.
func (o *GlobalAveragePoolGrad) OutShape(in ...tensor.Shape) (tensor.Shape, error) {
	if err := wantRanks(in, 4); err != nil {
		return nil, err
	}
	return tensor.Shape{in[0][0], in[0][1], o.In[0], o.In[1]}, wantEqual(in, 0, in[0][0], in[0][1], 1, 1)
}

// Do computes the gradient.
func (o *GlobalAveragePoolGrad) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

func (o *GlobalAveragePoolGrad) eval(in []array, out array) {
	size := o.In[0] * o.In[1]
	for i, g := range in[0].data {
		fill(out.data[i*size:(i+1)*size], g/float64(size))
	}
}
