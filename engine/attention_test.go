package engine

import (
	"fmt"
	"testing"

	"gorgonia.org/gorgonia"

	"regraft/engine/op"
)

// TestJoinAttention: attention over tokens made of a map becomes one operator, with heads along an axis of their own or along that of
// images, also where a dropout lies between; not where something else reads the weights.
func TestJoinAttention(t *testing.T) {
	const images, tokens, heads, size = 2, 6, 2, 4
	for _, c := range []struct {
		name   string
		flat   bool // (N*heads, T, size)
		drop   bool
		reader bool // another one of the weights
		joins  bool
	}{
		{"heads", false, false, false, true},
		{"heads along images", true, false, false, true},
		{"dropout", false, true, false, true},
		{"weights that are an output", false, false, true, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			b, n := NewBuilder(), 0
			apply := func(o op.Op, in ...*gorgonia.Node) *gorgonia.Node {
				t.Helper()
				n++
				node, err := b.Apply(fmt.Sprint(o.Name(), n), o, in...)
				if err != nil {
					t.Fatal(err)
				}
				return node
			}
			x, err := b.Placeholder("x", images, 8, 2, 3)
			if err != nil {
				t.Fatal(err)
			}
			x = apply(&op.Relu{}, apply(&op.Transpose{Perm: []int{0, 2, 1}}, apply(&op.Reshape{Shape: []int{images, 8, tokens}}, x)))
			split := func(x *gorgonia.Node) *gorgonia.Node {
				x = apply(&op.Transpose{Perm: []int{0, 2, 1, 3}}, apply(&op.Reshape{Shape: []int{images, tokens, heads, size}}, x))
				if c.flat {
					x = apply(&op.Reshape{Shape: []int{images * heads, tokens, size}}, x)
				}
				return x
			}
			q, k, v := split(x), split(apply(&op.Sigmoid{}, x)), split(apply(&op.Tanh{}, x))
			if c.drop {
				q = apply(&op.Dropout{Ratio: 0.5}, q)
			}
			perm := []int{0, 1, 3, 2}
			if c.flat {
				perm = []int{0, 2, 1}
			}
			weights := apply(&op.Softmax{Axis: -1}, apply(&op.Scale{Factor: 0.5}, apply(&op.MatMul{}, q, apply(&op.Transpose{Perm: perm}, k))))
			y := apply(&op.MatMul{}, weights, v)
			if c.flat {
				y = apply(&op.Reshape{Shape: []int{images, heads, tokens, size}}, y)
			}
			y = apply(&op.Reshape{Shape: []int{images, tokens, heads * size}}, apply(&op.Transpose{Perm: []int{0, 2, 1, 3}}, y))
			outputs := []Output{{Name: "y", Node: y}}
			if c.reader {
				outputs = append(outputs, Output{Name: "weights", Node: weights})
			}
			net, err := b.Network(Meta{}, outputs...)
			if err != nil {
				t.Fatal(err)
			}
			joined, err := net.JoinAttention()
			if err != nil {
				t.Fatal(err)
			}
			found := 0
			for _, node := range joined.Nodes() {
				if a, ok := node.Op().(*op.Attention); ok {
					found++
					if a.Heads != heads || a.Scale != 0.5 || a.Q.Size != size {
						t.Errorf("%v", a)
					}
				}
			}
			if found > 0 != c.joins {
				t.Errorf("%d operators are attention", found)
			}
		})
	}
}
