package op

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"regraft/engine/kernel"
)

// PositionBias is the continuous relative position bias of attention (Swin V2; Liu et al., 2022): a network of two layers makes a value for
// every head of where a key lies from its query, Scale sigmoid(w2 relu(w1 x + b1)) of the distances x (..., F), P together, and Index tells
// which of them belongs to a query and a key, row by row. Operands: w2 (Heads, M), b1 (M), w1 (M, F), x; or w2, b1 and w1 x (..., M), where
// that is known. The result is (1, Heads, queries, keys).
type PositionBias struct {
	base
	Index   []int
	Queries int
	Scale   float32
}

// Name is PositionBias.
func (*PositionBias) Name() string { return "PositionBias" }

// OutShape is (1, Heads, queries, keys).
func (o *PositionBias) OutShape(in ...tensor.Shape) (tensor.Shape, error) {
	ranks := []int{2, 1, 2, -1}
	if len(in) == 3 {
		ranks = []int{2, 1, -1}
	}
	if err := wantRanks(in, ranks...); err != nil {
		return nil, err
	}
	hidden := in[0][1]
	if err := wantEqual(in, 1, hidden); err != nil {
		return nil, err
	}
	x, width := in[len(in)-1], hidden
	if len(in) == 4 {
		if width = in[2][1]; in[2][0] != hidden {
			return nil, fmt.Errorf("weights of shapes %v and %v", in[0], in[2])
		}
	}
	if len(x) == 0 || x[len(x)-1] != width {
		return nil, fmt.Errorf("distances of shape %v for %d values each", x, width)
	}
	rows := product(x) / width
	if o.Queries < 1 || len(o.Index) == 0 || len(o.Index)%o.Queries != 0 {
		return nil, fmt.Errorf("%d distances for %d queries", len(o.Index), o.Queries)
	}
	for _, p := range o.Index {
		if p < 0 || p >= rows {
			return nil, fmt.Errorf("distance %d of %d", p, rows)
		}
	}
	return tensor.Shape{1, in[0][0], o.Queries, len(o.Index) / o.Queries}, nil
}

// Do computes the bias.
func (o *PositionBias) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

// DiffWRT is true for all but the distances.
func (*PositionBias) DiffWRT(inputs int) []bool { return wrt(3, inputs) }

// SymDiff gives a PositionBiasGrad for every operand.
func (o *PositionBias) SymDiff(in gorgonia.Nodes, _, dy *gorgonia.Node) (gorgonia.Nodes, error) {
	var c chain
	grads := make(gorgonia.Nodes, len(in))
	for k := range 3 {
		grads[k] = c.apply(&PositionBiasGrad{PositionBias: *o, Of: k}, append(append(gorgonia.Nodes{}, in...), dy)...)
	}
	return grads, c.err
}

// hidden is relu(w1 x + b1) of distance p.
func (o *PositionBias) hidden(in []array, p int, h []float64) {
	for m := range h {
		sum := 0.0
		if len(in) == 4 {
			for f, v := range in[3].rows().row(p) {
				sum += float64(v * in[2].row(m)[f])
			}
		} else {
			sum = in[2].rows().row(p)[m]
		}
		h[m] = max(sum+in[1].data[m], 0)
	}
}

// distances is P.
func (o *PositionBias) distances(in []array) int { return in[len(in)-1].rows().shape[0] }

// each visits the distances: p, the hidden values and the sigmoids by head.
func (o *PositionBias) each(in []array, visit func(p int, h, sigmoids []float64)) {
	h, sigmoids := make([]float64, in[1].shape[0]), make([]float64, in[0].shape[0])
	for p := range o.distances(in) {
		o.hidden(in, p, h)
		for head := range sigmoids {
			sum := 0.0
			for m, w := range in[0].row(head) {
				sum += float64(w * h[m])
			}
			sigmoids[head] = 1 / (1 + kernel.Exp(-sum))
		}
		visit(p, h, sigmoids)
	}
}

func (o *PositionBias) eval(in []array, out array) {
	heads := in[0].shape[0]
	table := make([]float64, o.distances(in)*heads)
	o.each(in, func(p int, _, sigmoids []float64) { copy(table[p*heads:], sigmoids) })
	for head := range heads {
		for k, p := range o.Index {
			out.data[head*len(o.Index)+k] = float64(o.Scale) * table[p*heads+head]
		}
	}
}

// PositionBiasGrad is the gradient of PositionBias in operand Of: the operands and dy.
type PositionBiasGrad struct {
	PositionBias
	Of int
}

// Name is PositionBiasGrad.
func (*PositionBiasGrad) Name() string { return "PositionBiasGrad" }

// OutShape is that of the operand.
func (o *PositionBiasGrad) OutShape(in ...tensor.Shape) (tensor.Shape, error) {
	last := len(in) - 1
	if o.Of < 0 || o.Of > 2 || last < 3 {
		return nil, fmt.Errorf("no operand %d of %d", o.Of, last)
	}
	y, err := o.PositionBias.OutShape(in[:last]...)
	if err != nil {
		return nil, err
	}
	return in[o.Of].Clone(), wantEqual(in, last, y...)
}

// Do computes the gradient.
func (o *PositionBiasGrad) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

// DiffWRT is false.
func (*PositionBiasGrad) DiffWRT(inputs int) []bool { return wrt(0, inputs) }

// SymDiff is an error: there are no second derivatives.
func (o *PositionBiasGrad) SymDiff(gorgonia.Nodes, *gorgonia.Node, *gorgonia.Node) (gorgonia.Nodes, error) {
	return noDerivative(o)
}

func (o *PositionBiasGrad) eval(in []array, out array) {
	last := len(in) - 1
	dy, in := in[last].data, in[:last]
	heads := in[0].shape[0]
	sums := make([]float64, o.distances(in)*heads) // of dy over the queries and keys of a distance
	for head := range heads {
		for k, p := range o.Index {
			sums[p*heads+head] += dy[head*len(o.Index)+k]
		}
	}
	o.each(in, func(p int, h, sigmoids []float64) {
		for head, s := range sigmoids {
			slope := sums[p*heads+head] * float64(o.Scale) * s * (1 - s)
			if o.Of == 0 {
				axpy(slope, h, 1, out.row(head), 1, len(h))
				continue
			}
			for m, w := range in[0].row(head) {
				if h[m] == 0 {
					continue
				}
				g := float64(slope * w)
				switch {
				case o.Of == 1:
					out.data[m] += g
				case len(in) == 3:
					out.rows().row(p)[m] += g
				default:
					axpy(g, in[3].rows().row(p), 1, out.row(m), 1, out.shape[1])
				}
			}
		}
	})
}
