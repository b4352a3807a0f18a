package run

import (
	"testing"

	"gorgonia.org/gorgonia"

	"regraft/engine"
	"regraft/engine/op"
)

// TestAveragedLayers: two linear layers whose scores are averaged are one, unless they share a parameter, which then stays one.
func TestAveragedLayers(t *testing.T) {
	for name, c := range map[string]struct {
		layers int
		build  func(b *tiny, x, y *gorgonia.Node) *gorgonia.Node
	}{
		"two": {1, func(b *tiny, x, y *gorgonia.Node) *gorgonia.Node {
			return b.apply(&op.Add{}, b.apply(&op.Linear{}, x, b.param(5, 8), b.param(5)), b.apply(&op.Linear{}, y, b.param(5, 8), b.param(5)))
		}},
		"one for both": {2, func(b *tiny, x, y *gorgonia.Node) *gorgonia.Node {
			w, bias := b.param(5, 8), b.param(5)
			return b.apply(&op.Add{}, b.apply(&op.Linear{}, x, w, bias), b.apply(&op.Linear{}, y, w, bias))
		}},
		"one bias for both": {2, func(b *tiny, x, y *gorgonia.Node) *gorgonia.Node {
			bias := b.param(5)
			return b.apply(&op.Add{}, b.apply(&op.Linear{}, x, b.param(5, 8), bias), b.apply(&op.Linear{}, y, b.param(5, 8), bias))
		}},
	} {
		b := &tiny{t: t, b: engine.NewBuilder()}
		out := b.form(2, func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
			pooled := b.apply(&op.Flatten{Axis: 1}, b.apply(&op.GlobalAveragePool{}, x))
			return b.apply(&op.Scale{Factor: 0.5}, c.build(b, pooled, b.apply(&op.Sigmoid{}, pooled)))
		})
		net, err := b.b.Network(engine.Meta{}, engine.Output{Name: "y", Node: out})
		b.check(err)
		net, err = net.JoinAveraged()
		b.check(err)
		layers := 0
		for _, n := range net.Nodes() {
			if _, ok := n.Op().(*op.Linear); ok {
				layers++
			}
		}
		if layers != c.layers {
			t.Errorf("%s: %d layers, want %d", name, layers, c.layers)
		}
	}
}
