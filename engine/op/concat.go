package op

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Concat joins operands along Axis (ONNX Concat-13); all other sizes must agree.
type Concat struct {
	base
	Axis int // negative counts from the last dimension
}

// Name is Concat.
func (*Concat) Name() string { return "Concat" }

// OutShape has the sum of the operands' sizes along Axis.
func (o *Concat) OutShape(in ...tensor.Shape) (tensor.Shape, error) {
	if len(in) == 0 {
		return nil, fmt.Errorf("no operands")
	}
	axis, err := resolveAxis(o.Axis, len(in[0]))
	if err != nil {
		return nil, err
	}
	out := in[0].Clone()
	for i, s := range in[1:] {
		want := in[0].Clone()
		if len(s) == len(want) {
			want[axis] = s[axis]
		}
		if !equalSizes(s, want) {
			return nil, fmt.Errorf("operand %d of shape %v does not fit operand 0 of shape %v along axis %d", i+1, s, in[0], axis)
		}
		if out[axis] += s[axis]; out[axis] > MaxElements {
			return nil, fmt.Errorf("the result has more than %d elements", MaxElements)
		}
	}
	return out, nil
}

// Do copies the operands.
func (o *Concat) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

// DiffWRT is true for all operands.
func (*Concat) DiffWRT(inputs int) []bool { return wrt(inputs, inputs) }

// SymDiff gives a Slice of dy for every operand.
func (o *Concat) SymDiff(in gorgonia.Nodes, _, dy *gorgonia.Node) (gorgonia.Nodes, error) {
	axis, err := resolveAxis(o.Axis, in[0].Dims())
	if err != nil {
		return nil, err
	}
	var c chain
	var grads gorgonia.Nodes
	start := 0
	for _, x := range in {
		end := start + x.Shape()[axis]
		grads = append(grads, c.apply(&Slice{
			Starts: []int{start}, Ends: []int{end}, Axes: []int{axis}, Steps: []int{1},
		}, dy))
		start = end
	}
	return grads, c.err
}

func (o *Concat) eval(in []array, out array) {
	axis, _ := resolveAxis(o.Axis, len(out.shape))
	outer, _, _ := around(out.shape, axis)
	at := 0
	for i := range outer {
		for _, a := range in {
			part := len(a.data) / outer
			at += copy(out.data[at:], a.data[i*part:(i+1)*part])
		}
	}
}
