package plan

import (
	"testing"

	"gorgonia.org/gorgonia"

	"regraft/engine"
	"regraft/engine/kernel"
	"regraft/engine/op"
)

// TestLongMoves: what is put together of parts of one value, again and again, is followed back once.
func TestLongMoves(t *testing.T) {
	for name, step := range map[string]func(d *sketch, x *gorgonia.Node) *gorgonia.Node{
		"rolls": func(d *sketch, x *gorgonia.Node) *gorgonia.Node {
			part := func(from, to int) *gorgonia.Node {
				return d.apply(&op.Slice{Starts: []int{from}, Ends: []int{to}, Axes: []int{2}}, x)
			}
			return d.apply(&op.Concat{Axis: 2}, part(3, 8), part(0, 3))
		},
		"sums": func(d *sketch, x *gorgonia.Node) *gorgonia.Node {
			return d.apply(&op.Add{}, x, x)
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := &sketch{t: t, b: engine.NewBuilder()}
			x, err := d.b.Placeholder("input", 2, 3, 32, 32)
			if err != nil {
				t.Fatal(err)
			}
			x = d.conv(x, 4, 4, 4)
			if name == "sums" { // of zeros
				x = d.apply(&op.Pad{Pads: []int{0, 0, 0, 0, 0, 0, 0, 4}}, d.apply(&op.Slice{Starts: []int{0}, Ends: []int{4}, Axes: []int{3}}, x))
			}
			for range 64 {
				x = step(d, x)
			}
			x = d.apply(&op.Transpose{Perm: []int{0, 2, 1, 4, 3}}, d.apply(&op.Reshape{Shape: []int{-1, 4, 8, 2, 4}}, x))
			net, err := d.b.Network(engine.Meta{}, engine.Output{Name: "y", Node: d.apply(&op.Reshape{Shape: []int{-1, 256}}, x)})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := Inference(net, Options{ISA: kernel.Go}); err != nil {
				t.Fatal(err)
			}
		})
	}
}
