package op

import (
	"fmt"
	"math"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"regraft/engine/kernel"
)

// HeadNorm divides heads of tokens x (N, T, C) by their lengths, so that the products of attention are cosines (Swin V2; Liu et al., 2022):
// a head becomes x / max(|x|, Epsilon), other channels stay what they are. A second operand with a value for every head multiplies the
// heads, by e to the power of min(value, Most) where Exponential says so: the inverse temperature of their scores.
type HeadNorm struct {
	base
	Heads       int
	At          HeadChannels // of operand 0
	Epsilon     float32
	Exponential bool
	Most        float32
}

// Name is HeadNorm.
func (*HeadNorm) Name() string { return "HeadNorm" }

// OutShape is the shape of x.
func (o *HeadNorm) OutShape(in ...tensor.Shape) (tensor.Shape, error) {
	if len(in) == 0 || len(in) > 2 || len(in[0]) != 3 {
		return nil, fmt.Errorf("operands of shapes %v: want tokens (N, T, C) and perhaps factors", in)
	}
	if h := o.At; o.Heads < 1 || h.Size < 1 || h.First < 0 || h.Step < h.Size || h.First+(o.Heads-1)*h.Step+h.Size > in[0][2] {
		return nil, fmt.Errorf("tokens of shape %v do not have %d heads of %d channels, %d apart from %d on", in[0], o.Heads, h.Size, h.Step, h.First)
	}
	if len(in) == 2 && in[1].TotalSize() != o.Heads {
		return nil, fmt.Errorf("factors of shape %v for %d heads", in[1], o.Heads)
	}
	return in[0].Clone(), nil
}

// Do divides.
func (o *HeadNorm) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

// DiffWRT is true for x and the factors.
func (*HeadNorm) DiffWRT(inputs int) []bool { return wrt(inputs, inputs) }

// SymDiff gives HeadNormGradX and HeadNormGradFactor.
func (o *HeadNorm) SymDiff(in gorgonia.Nodes, _, dy *gorgonia.Node) (gorgonia.Nodes, error) {
	var c chain
	operands := append(append(gorgonia.Nodes{}, in...), dy)
	grads := gorgonia.Nodes{c.apply(&HeadNormGradX{HeadNorm: *o}, operands...)}
	if len(in) == 2 {
		grads = append(grads, c.apply(&HeadNormGradFactor{HeadNorm: *o}, operands...))
	}
	return grads, c.err
}

// factor is what head h is multiplied by, and how that grows with its value.
func (o *HeadNorm) factor(in []array, h int) (f, slope float64) {
	switch {
	case len(in) < 2:
		return 1, 0
	case !o.Exponential:
		return in[1].data[h], 1
	}
	value := in[1].data[h]
	f = kernel.Exp(min(value, float64(o.Most)))
	if value > float64(o.Most) {
		return f, 0
	}
	return f, f
}

// each visits the heads of all tokens: where a head begins, and its length.
func (o *HeadNorm) each(x array, visit func(h, at int, length float64)) {
	channels := x.shape[2]
	for token := range x.shape[0] * x.shape[1] {
		for h := range o.Heads {
			at, square := token*channels+o.At.First+h*o.At.Step, 0.0
			for _, v := range x.data[at:][:o.At.Size] {
				square += float64(v * v)
			}
			visit(h, at, math.Sqrt(square))
		}
	}
}

func (o *HeadNorm) eval(in []array, out array) {
	copy(out.data, in[0].data)
	o.each(in[0], func(h, at int, length float64) {
		f, _ := o.factor(in, h)
		for c := range o.At.Size {
			out.data[at+c] = f * (in[0].data[at+c] / max(length, float64(o.Epsilon)))
		}
	})
}

// HeadNormGradX is the gradient of HeadNorm in x: the operands and dy.
type HeadNormGradX struct{ HeadNorm }

// Name is HeadNormGradX.
func (*HeadNormGradX) Name() string { return "HeadNormGradX" }

// OutShape is the shape of x.
func (o *HeadNormGradX) OutShape(in ...tensor.Shape) (tensor.Shape, error) {
	return o.operands(in)
}

// operands checks the operands of a gradient and gives the shape of x.
func (o *HeadNorm) operands(in []tensor.Shape) (tensor.Shape, error) {
	if len(in) < 2 {
		return nil, fmt.Errorf("%d operands, want x, perhaps factors, and dy", len(in))
	}
	last := len(in) - 1
	x, err := o.OutShape(in[:last]...)
	if err != nil {
		return nil, err
	}
	return x, wantEqual(in, last, x...)
}

// Do computes the gradient.
func (o *HeadNormGradX) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

// DiffWRT is false.
func (*HeadNormGradX) DiffWRT(inputs int) []bool { return wrt(0, inputs) }

// SymDiff is an error: there are no second derivatives.
func (o *HeadNormGradX) SymDiff(gorgonia.Nodes, *gorgonia.Node, *gorgonia.Node) (gorgonia.Nodes, error) {
	return noDerivative(o)
}

func (o *HeadNormGradX) eval(in []array, out array) {
	last := len(in) - 1
	x, dy := in[0].data, in[last].data
	copy(out.data, dy)
	o.each(in[0], func(h, at int, length float64) {
		f, _ := o.factor(in[:last], h)
		along := 0.0 // the part of dy in the direction of x
		if length >= float64(o.Epsilon) {
			for c := range o.At.Size {
				along += float64(dy[at+c] * x[at+c])
			}
			along /= length * length
		}
		for c := range o.At.Size {
			out.data[at+c] = f * (dy[at+c] - float64(along*x[at+c])) / max(length, float64(o.Epsilon))
		}
	})
}

// HeadNormGradFactor is the gradient of HeadNorm in the values of the factors: x, these values and dy.
type HeadNormGradFactor struct{ HeadNorm }

// Name is HeadNormGradFactor.
func (*HeadNormGradFactor) Name() string { return "HeadNormGradFactor" }

// OutShape is that of the values.
func (o *HeadNormGradFactor) OutShape(in ...tensor.Shape) (tensor.Shape, error) {
	if err := wantRanks(in, 3, -1, 3); err != nil {
		return nil, err
	}
	_, err := o.operands(in)
	return in[1].Clone(), err
}

// Do computes the gradient.
func (o *HeadNormGradFactor) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

// DiffWRT is false.
func (*HeadNormGradFactor) DiffWRT(inputs int) []bool { return wrt(0, inputs) }

// SymDiff is an error: there are no second derivatives.
func (o *HeadNormGradFactor) SymDiff(gorgonia.Nodes, *gorgonia.Node, *gorgonia.Node) (gorgonia.Nodes, error) {
	return noDerivative(o)
}

func (o *HeadNormGradFactor) eval(in []array, out array) {
	x, dy := in[0].data, in[2].data
	o.each(in[0], func(h, at int, length float64) {
		along := 0.0
		for c := range o.At.Size {
			along += float64(dy[at+c] * x[at+c])
		}
		out.data[h] += along / max(length, float64(o.Epsilon))
	})
	for h := range out.data {
		_, slope := o.factor(in[:2], h)
		out.data[h] *= slope
	}
}
