package op

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Affine is x*Scale[c] + Shift[c] for every channel c of x (N, C, ...): the input transform of torchvision's
// pretrained Inception-v3 and GoogLeNet, for example.
type Affine struct {
	base
	Scale, Shift []float32 // one per channel
}

// Name is Affine.
func (*Affine) Name() string { return "Affine" }

// OutShape is the shape of x.
func (o *Affine) OutShape(in ...tensor.Shape) (tensor.Shape, error) {
	if err := wantRanks(in, -1); err != nil {
		return nil, err
	}
	if err := wantChannels(in[0]); err != nil {
		return nil, err
	}
	if len(o.Scale) != in[0][1] || len(o.Shift) != in[0][1] {
		return nil, fmt.Errorf("%d scales and %d shifts for %d channels", len(o.Scale), len(o.Shift), in[0][1])
	}
	return in[0].Clone(), nil
}

// Do computes the function.
func (o *Affine) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

// DiffWRT is true.
func (*Affine) DiffWRT(inputs int) []bool { return wrt(1, inputs) }

// SymDiff gives dy times Scale.
func (o *Affine) SymDiff(_ gorgonia.Nodes, _, dy *gorgonia.Node) (gorgonia.Nodes, error) {
	return gradient(&Affine{Scale: o.Scale, Shift: make([]float32, len(o.Scale))}, dy)
}

func (o *Affine) eval(in []array, out array) {
	mapChannels(in[0], out, func(c int, v float64) float64 {
		return float64(v*float64(o.Scale[c])) + float64(o.Shift[c])
	})
}
