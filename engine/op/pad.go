package op

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Pad puts Value around x (ONNX Pad-13, mode constant). Pads has the number of elements before every dimension,
// then those after; negative numbers cut elements off.
type Pad struct {
	base
	Pads  []int
	Value float32
}

// Name is Pad.
func (*Pad) Name() string { return "Pad" }

// OutShape has the pads added.
func (o *Pad) OutShape(in ...tensor.Shape) (tensor.Shape, error) {
	if err := wantRanks(in, -1); err != nil {
		return nil, err
	}
	rank := len(in[0])
	if len(o.Pads) != 2*rank {
		return nil, fmt.Errorf("%d pads for shape %v", len(o.Pads), in[0])
	}
	out := in[0].Clone()
	for i := range out {
		before, after := o.Pads[i], o.Pads[rank+i]
		if max(before, after) > MaxElements || min(before, after) < -out[i] || before+after <= -out[i] {
			return nil, fmt.Errorf("pads %d and %d for dimension %d of shape %v", before, after, i, in[0])
		}
		out[i] += before + after
	}
	return out, nil
}

// Do copies the elements.
func (o *Pad) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

// DiffWRT is true.
func (*Pad) DiffWRT(inputs int) []bool { return wrt(1, inputs) }

// SymDiff gives the Pad that cuts off what was added, and adds zeros for what was cut off.
func (o *Pad) SymDiff(_ gorgonia.Nodes, _, dy *gorgonia.Node) (gorgonia.Nodes, error) {
	back := make([]int, len(o.Pads))
	for i, p := range o.Pads {
		back[i] = -p
	}
	return gradient(&Pad{Pads: back}, dy)
}

func (o *Pad) eval(in []array, out array) {
	fill(out.data, float64(o.Value))
	sizes := make([]int, len(out.shape))
	inStrides, outStrides := rowMajor(in[0].shape), rowMajor(out.shape)
	from, to := 0, 0
	for i, n := range in[0].shape {
		before, after := o.Pads[i], o.Pads[len(sizes)+i]
		sizes[i] = n + min(before, 0) + min(after, 0)
		from += max(-before, 0) * inStrides[i]
		to += max(before, 0) * outStrides[i]
	}
	kept := make([]float64, 0, product(sizes))
	forStrided(sizes, inStrides, from, func(at int) { kept = append(kept, in[0].data[at]) })
	i := 0
	forStrided(sizes, outStrides, to, func(at int) {
		out.data[at] = kept[i]
		i++
	})
}
