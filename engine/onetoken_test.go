package engine

import (
	"fmt"
	"slices"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"regraft/engine/op"
)

// TestOneToken: layers in front of a choice of one token work on that one alone, with the same results; not where others are read too.
func TestOneToken(t *testing.T) {
	const tokens, channels = 6, 8
	slice := func(from, to int) op.Op {
		return &op.Slice{Starts: []int{from}, Ends: []int{to}, Axes: []int{1}}
	}
	first := &op.Gather{Axis: 1, Indices: []int{0}}
	for _, c := range []struct {
		name   string
		images int
		picks  []op.Op
		output bool // all tokens are an output as well
		table  bool // a table of tokens is added
		layers int  // that work on one token
	}{
		{"class token", 2, []op.Op{first}, false, false, 7},
		{"two readers", 2, []op.Op{first, &op.Gather{Axis: -2, Indices: []int{-tokens}, IndexShape: []int{1}}}, false, false, 7},
		{"last token", 2, []op.Op{slice(-1, tokens+9)}, false, false, 7},
		{"a token among others", 1, []op.Op{slice(3, 4)}, false, false, 7},
		{"behind a table", 1, []op.Op{first}, false, true, 1},
		{"two tokens", 2, []op.Op{first, slice(1, 2)}, false, false, 0},
		{"several at once", 2, []op.Op{slice(0, 2)}, false, false, 0},
		{"the mean too", 2, []op.Op{first, &op.ReduceMean{Axes: []int{1}}}, false, false, 0},
		{"all as an output", 2, []op.Op{first}, true, false, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			b, n := NewBuilder(), 0
			check := func(node *gorgonia.Node, err error) *gorgonia.Node {
				t.Helper()
				if err != nil {
					t.Fatal(err)
				}
				return node
			}
			apply := func(o op.Op, in ...*gorgonia.Node) *gorgonia.Node {
				t.Helper()
				n++
				return check(b.Apply(fmt.Sprint(o.Name(), n), o, in...))
			}
			param := func(shape ...int) *gorgonia.Node {
				t.Helper()
				n++
				return check(b.Param(&Param{Name: fmt.Sprint("p", n), Shape: shape, Value: noise(tensor.Shape(shape).TotalSize(), n)}))
			}
			x := check(b.Placeholder("x", c.images, channels, 2, 3))
			x = apply(&op.Transpose{Perm: []int{0, 2, 1}}, apply(&op.Reshape{Shape: []int{c.images, channels, tokens}}, x))
			x = apply(&op.Softmax{Axis: 1}, x)
			y := apply(&op.LayerNorm{Axis: -1, Epsilon: 1e-5}, x, param(channels), param(channels))
			y = apply(&op.Gelu{}, apply(&op.Linear{}, y, param(12, channels), param(12)))
			y = apply(&op.Linear{}, y, param(channels, 12))
			x = apply(&op.Add{}, x, apply(&op.Mul{}, y, param(channels)))
			if c.table {
				x = apply(&op.Add{}, x, param(1, tokens, channels))
			}
			x = apply(&op.LayerNorm{Axis: 2, Epsilon: 1e-5}, x, param(channels), param(channels))
			var outputs []Output
			for _, p := range c.picks {
				outputs = append(outputs, Output{Name: p.Name(), Node: apply(p, x)})
			}
			if c.output {
				outputs = append(outputs, Output{Name: "tokens", Node: x})
			}
			net := must(t)(b.Network(Meta{}, outputs...))
			short := must(t)(net.OneToken())
			layers := 0
			for _, node := range short.Nodes() {
				if _, cut := pickedToken(node); !cut && node.Dims() == 3 && node.Shape()[1] == 1 {
					layers++
				}
			}
			if layers != c.layers {
				t.Errorf("%d layers work on one token, not %d", layers, c.layers)
			}
			input := noise(c.images*channels*tokens, 99)
			if want, got := results(t, net, input), results(t, short, input); !slices.EqualFunc(want, got, slices.Equal) {
				t.Errorf("results %v, were %v", got, want)
			}
		})
	}
}

func must(t *testing.T) func(*Network, error) *Network {
	return func(n *Network, err error) *Network {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
}

// noise is n numbers between -1 and 1, others for every seed.
func noise(n, seed int) []float32 {
	v := make([]float32, n)
	for i := range v {
		v[i] = float32((i*7919+seed*104729)%2000)/1000 - 1
	}
	return v
}

// results are the outputs for an input, by the operators' definitions.
func results(t *testing.T, n *Network, input []float32) (all [][]float32) {
	t.Helper()
	values := map[*gorgonia.Node]gorgonia.Value{n.Input: tensor.New(tensor.WithShape(n.Input.Shape()...), tensor.WithBacking(slices.Clone(input)))}
	for _, p := range n.Params {
		values[p.Node] = tensor.New(tensor.WithShape(p.Shape...), tensor.WithBacking(slices.Clone(p.Value)))
	}
	for _, node := range n.Nodes() {
		var in []gorgonia.Value
		for _, x := range op.Inputs(node) {
			in = append(in, values[x])
		}
		v, err := node.Op().(op.Op).Do(in...)
		if err != nil {
			t.Fatal(err)
		}
		values[node] = v
	}
	for _, o := range n.Outputs {
		all = append(all, values[o.Node].Data().([]float32))
	}
	return all
}
