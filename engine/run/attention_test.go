package run

import (
	"math"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"regraft/engine"
	"regraft/engine/op"
	"regraft/engine/plan"
)

// attend is softmax(score(q k')) v of several heads, spelled out, of tokens (N, T, C) that are cut into heads.
func (b *tiny) attend(heads int, q, k, v *gorgonia.Node, score func(*gorgonia.Node) *gorgonia.Node) *gorgonia.Node {
	cut := func(x *gorgonia.Node, perm ...int) *gorgonia.Node {
		s := x.Shape()
		return b.apply(&op.Transpose{Perm: perm}, b.apply(&op.Reshape{Shape: []int{s[0], s[1], heads, s[2] / heads}}, x))
	}
	scores := b.apply(&op.MatMul{}, cut(q, 0, 2, 1, 3), cut(k, 0, 2, 3, 1))
	if score != nil {
		scores = score(scores)
	}
	y := b.apply(&op.MatMul{}, b.apply(&op.Softmax{Axis: -1}, scores), cut(v, 0, 2, 1, 3))
	y = b.apply(&op.Transpose{Perm: []int{0, 2, 1, 3}}, y)
	s := y.Shape()
	return b.apply(&op.Reshape{Shape: []int{s[0], s[1], s[2] * s[3]}}, y)
}

// twoHeads is attention of two heads of four channels, of tokens (N, 16, 8); queries and keys come from two layers or one.
func (b *tiny) twoHeads(x *gorgonia.Node, layers int, heads func(b *tiny, q, k *gorgonia.Node) (*gorgonia.Node, *gorgonia.Node),
	score func(*gorgonia.Node) *gorgonia.Node) *gorgonia.Node {
	cut := func(x *gorgonia.Node) *gorgonia.Node {
		return b.apply(&op.Transpose{Perm: []int{0, 2, 1, 3}}, b.apply(&op.Reshape{Shape: []int{0, 16, 2, 4}}, x))
	}
	q, k := b.tokens(x, 8), b.tokens(x, 8)
	if layers == 1 {
		both := b.tokens(x, 16)
		q, k = b.part(both, 2, 8, 16), b.part(both, 2, 0, 8)
	}
	q, k = heads(b, cut(q), cut(k))
	scores := score(b.apply(&op.MatMul{}, q, b.apply(&op.Transpose{Perm: []int{0, 1, 3, 2}}, k)))
	y := b.apply(&op.MatMul{}, b.apply(&op.Softmax{Axis: -1}, scores), cut(b.tokens(x, 8)))
	return b.apply(&op.Reshape{Shape: []int{0, 16, 8}}, b.apply(&op.Transpose{Perm: []int{0, 2, 1, 3}}, y))
}

// tokens makes tokens (N, H*W, C) of a map, through a linear layer.
func (b *tiny) tokens(x *gorgonia.Node, channels int) *gorgonia.Node {
	return b.apply(&op.Linear{}, b.bare(x), b.param(channels, x.Shape()[1]))
}

// bare makes tokens (N, H*W, C) of a map, without a layer.
func (b *tiny) bare(x *gorgonia.Node) *gorgonia.Node {
	s := x.Shape()
	x = b.apply(&op.Reshape{Shape: []int{0, s[1], s[2] * s[3]}}, x)
	return b.apply(&op.Transpose{Perm: []int{0, 2, 1}}, x)
}

// quarter is a map of a quarter of the pixels.
func (b *tiny) quarter(x *gorgonia.Node) *gorgonia.Node {
	return b.apply(&op.AveragePool{Kernel: [2]int{2, 2}, Strides: [2]int{2, 2}}, x)
}

// attentions are attention in unusual circumstances, on maps (N, 8, 4, 4).
var attentions = []struct {
	name  string
	joins int // operators that are attention
	build func(b *tiny, x *gorgonia.Node) *gorgonia.Node
}{
	{"a table of biases that two read", 2, func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		bias := b.param(2, 16, 16)
		plus := func(s *gorgonia.Node) *gorgonia.Node { return b.apply(&op.Add{}, s, bias) }
		y := b.attend(2, b.tokens(x, 6), b.tokens(x, 6), b.tokens(x, 8), plus)
		return b.attend(2, b.apply(&op.Tanh{}, y), b.tokens(x, 8), b.apply(&op.Relu{}, y), plus)
	}},
	{"a table of biases that something else reads", 1, func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		bias := b.param(16, 16)
		y := b.attend(2, b.tokens(x, 6), b.tokens(x, 6), b.tokens(x, 8), func(s *gorgonia.Node) *gorgonia.Node { return b.apply(&op.Add{}, s, bias) })
		return b.apply(&op.MatMul{}, bias, y)
	}},
	{"one bias for all heads", 1, func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		bias := b.param(1, 1, 16, 16)
		return b.attend(3, b.tokens(x, 6), b.tokens(x, 6), b.tokens(x, 9), func(s *gorgonia.Node) *gorgonia.Node { return b.apply(&op.Add{}, bias, s) })
	}},
	{"a bias for every key", 1, func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		bias := b.param(16)
		return b.attend(2, b.tokens(x, 6), b.tokens(x, 6), b.tokens(x, 8), func(s *gorgonia.Node) *gorgonia.Node { return b.apply(&op.Add{}, s, bias) })
	}},
	{"a bias for every key and head, of fewer queries", 1, func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		bias := b.param(2, 1, 16)
		return b.attend(2, b.tokens(b.quarter(x), 6), b.tokens(x, 6), b.tokens(x, 8), func(s *gorgonia.Node) *gorgonia.Node { return b.apply(&op.Add{}, s, bias) })
	}},
	{"a bias for every query, of fewer keys", 1, func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		bias, y := b.param(16, 1), b.quarter(x)
		return b.attend(2, b.tokens(x, 6), b.tokens(y, 6), b.tokens(y, 8), func(s *gorgonia.Node) *gorgonia.Node { return b.apply(&op.Add{}, s, bias) })
	}},
	{"heads of one channel", 1, func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		return b.attend(5, b.tokens(x, 5), b.tokens(x, 5), b.tokens(x, 5), nil)
	}},
	{"one head", 1, func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		return b.attend(1, b.tokens(x, 5), b.tokens(x, 5), b.tokens(x, 7), nil)
	}},
	{"one token", 1, func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		x = b.apply(&op.GlobalAveragePool{}, x)
		return b.attend(2, b.tokens(x, 6), b.tokens(x, 6), b.tokens(x, 8), nil)
	}},
	{"one query", 0, func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		q := b.apply(&op.Slice{Starts: []int{3}, Ends: []int{4}, Axes: []int{1}}, b.tokens(x, 6))
		return b.attend(2, q, b.tokens(x, 6), b.tokens(x, 8), nil)
	}},
	{"one query and a bias of several", 0, func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		bias := b.param(1, 2, 5, 16)
		return b.attend(2, b.tokens(b.apply(&op.GlobalAveragePool{}, x), 6), b.tokens(x, 6), b.tokens(x, 8), func(s *gorgonia.Node) *gorgonia.Node { return b.apply(&op.Add{}, s, bias) })
	}},
	{"one key", 1, func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		y := b.apply(&op.GlobalAveragePool{}, x)
		return b.attend(2, b.tokens(x, 6), b.tokens(y, 6), b.tokens(y, 8), nil)
	}},
	{"one head of a bias of several", 0, func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		bias := b.param(1, 3, 16, 16)
		return b.attend(1, b.tokens(x, 6), b.tokens(x, 6), b.tokens(x, 8), func(s *gorgonia.Node) *gorgonia.Node { return b.apply(&op.Add{}, s, bias) })
	}},
	{"queries of parameters", 0, func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		q := b.apply(&op.Linear{}, b.param(1, 3, 8), b.param(6, 8))
		return b.attend(2, q, b.tokens(x, 6), b.tokens(x, 8), nil)
	}},
	{"a parameter as a query", 1, func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		cut := func(x *gorgonia.Node, perm ...int) *gorgonia.Node {
			return b.apply(&op.Transpose{Perm: perm}, b.apply(&op.Reshape{Shape: []int{0, 16, 2, 3}}, x))
		}
		q := b.apply(&op.Scale{Factor: 0.5}, b.param(1, 2, 1, 3))
		scores := b.apply(&op.MatMul{}, q, cut(b.tokens(x, 6), 0, 2, 3, 1))
		y := b.apply(&op.MatMul{}, b.apply(&op.Softmax{Axis: -1}, scores), cut(b.tokens(x, 6), 0, 2, 1, 3))
		return b.apply(&op.Reshape{Shape: []int{0, 1, 6}}, b.apply(&op.Transpose{Perm: []int{0, 2, 1, 3}}, y))
	}},
	{"a parameter whose heads stay apart", 1, func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		cut := func(x *gorgonia.Node, perm ...int) *gorgonia.Node {
			return b.apply(&op.Transpose{Perm: perm}, b.apply(&op.Reshape{Shape: []int{0, 16, 2, 3}}, x))
		}
		scores := b.apply(&op.MatMul{}, b.param(1, 2, 1, 3), cut(b.tokens(x, 6), 0, 2, 3, 1))
		y := b.apply(&op.MatMul{}, b.apply(&op.Softmax{Axis: -1}, scores), cut(b.tokens(x, 6), 0, 2, 1, 3))
		return b.apply(&op.Transpose{Perm: []int{0, 2, 1, 3}}, y)
	}},
	{"values of parameters", 0, func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		v := b.apply(&op.Linear{}, b.param(1, 16, 8), b.param(6, 8))
		return b.attend(2, b.tokens(x, 6), b.tokens(x, 6), v, nil)
	}},
	{"everything scaled", 1, func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		by := func(f float32, x *gorgonia.Node) *gorgonia.Node { return b.apply(&op.Scale{Factor: f}, x) }
		q, k := by(0.5, b.tokens(x, 6)), b.apply(&op.Mul{}, b.number(0.75), b.tokens(x, 6))
		v := b.apply(&op.Div{}, b.tokens(x, 8), b.number(0.25))
		return by(3, b.attend(2, q, k, v, func(s *gorgonia.Node) *gorgonia.Node { return by(-2, s) }))
	}},
	{"scaled with the bias", 0, func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		bias := b.param(2, 16, 16)
		return b.attend(2, b.tokens(x, 6), b.tokens(x, 6), b.tokens(x, 8), func(s *gorgonia.Node) *gorgonia.Node {
			return b.apply(&op.Scale{Factor: 0.5}, b.apply(&op.Add{}, s, bias))
		})
	}},
	{"a scale that is trained", 0, func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		scale := b.param(1)
		return b.attend(2, b.tokens(x, 6), b.tokens(x, 6), b.tokens(x, 8), func(s *gorgonia.Node) *gorgonia.Node { return b.apply(&op.Mul{}, s, scale) })
	}},
	{"channels as tokens", 1, func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		part := func(channels int) *gorgonia.Node {
			return b.apply(&op.Linear{}, b.apply(&op.Reshape{Shape: []int{0, 8, 16}}, x), b.param(channels, 16))
		}
		return b.attend(2, part(6), part(6), part(8), nil)
	}},
	{"tokens without layers", 1, func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		x = b.tokens(x, 8)
		return b.attend(2, x, x, x, nil)
	}},
	{"tokens that are values too", 1, func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		x = b.tokens(x, 8)
		return b.apply(&op.Add{}, b.attend(2, b.apply(&op.Tanh{}, x), x, x, nil), x)
	}},
	{"half of the channels", 1, func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		x = b.tokens(x, 24)
		part := func(from, to int) *gorgonia.Node {
			return b.apply(&op.Slice{Starts: []int{from}, Ends: []int{to}, Axes: []int{2}}, x)
		}
		return b.attend(2, part(-30, 6), part(10, 16), part(16, 24), nil)
	}},
	{"every other channel", 0, func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		q := b.apply(&op.Reshape{Shape: []int{0, 16, 6, 2}}, b.tokens(x, 12))
		return b.attend(2, b.apply(&op.Gather{Axis: 3, Indices: []int{1}}, q), b.tokens(x, 6), b.tokens(x, 8), nil)
	}},
	{"two numbers of heads", 2, func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		q, k, v := b.tokens(x, 8), b.tokens(x, 8), b.tokens(x, 8)
		return b.apply(&op.Add{}, b.attend(2, q, k, v, nil), b.attend(4, q, k, v, nil))
	}},
	{"one head of keys for several of queries", 0, func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		qkv := b.tokens(x, 18)
		cut := func(from, heads int, perm ...int) *gorgonia.Node {
			y := b.apply(&op.Slice{Starts: []int{from}, Ends: []int{from + 3*heads}, Axes: []int{2}}, qkv)
			return b.apply(&op.Transpose{Perm: perm}, b.apply(&op.Reshape{Shape: []int{0, 16, heads, 3}}, y))
		}
		scores := b.apply(&op.Softmax{Axis: -1}, b.apply(&op.MatMul{}, cut(0, 2, 0, 2, 1, 3), cut(6, 1, 0, 2, 3, 1)))
		y := b.apply(&op.Transpose{Perm: []int{0, 2, 1, 3}}, b.apply(&op.MatMul{}, scores, cut(9, 1, 0, 2, 1, 3)))
		return b.apply(&op.Reshape{Shape: []int{0, 16, 6}}, y)
	}},
	{"heads with channels in between", 0, func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		x = b.tokens(x, 6)
		cut := func(perm ...int) *gorgonia.Node {
			return b.apply(&op.Transpose{Perm: perm}, b.apply(&op.Reshape{Shape: []int{0, 16, 3, 2}}, x))
		}
		scores := b.apply(&op.Softmax{Axis: -1}, b.apply(&op.MatMul{}, cut(0, 3, 1, 2), cut(0, 3, 2, 1)))
		y := b.apply(&op.Transpose{Perm: []int{0, 2, 1, 3}}, b.apply(&op.MatMul{}, scores, cut(0, 3, 1, 2)))
		return b.apply(&op.Reshape{Shape: []int{0, 16, 6}}, y)
	}},
	{"added to itself", 1, func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		x = b.tokens(x, 8)
		return b.apply(&op.Add{}, b.attend(2, x, x, x, nil), b.attend(2, x, x, x, nil))
	}},
}

// TestAttentions compares inference and a step of training with the network as it is spelled: all of its values, and slopes of its loss
// by differences in float64.
func TestAttentions(t *testing.T) {
	for _, c := range attentions {
		t.Run(c.name, func(t *testing.T) {
			compareInference(t, c.build)
			for _, images := range []int{2, 1} {
				found := compareSlopes(t, images, func(b *tiny) *gorgonia.Node { return b.form(images, c.build) })
				if found.heads != c.joins || found.moved != slices.Contains(movedHeads, c.name) {
					t.Errorf("%d images: %+v", images, found)
				}
			}
		})
	}
}

// unwanted are attentions of maps (N, 8, 4, 4) of which some tokens come from the photo alone: nobody wants their gradients.
var unwanted = []struct {
	name  string
	build func(b *tiny, x *gorgonia.Node) *gorgonia.Node
}{
	{"queries", func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		return b.attend(2, b.apply(&op.Tanh{}, b.bare(x)), b.tokens(x, 8), b.tokens(x, 6), nil)
	}},
	{"keys and values", func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		return b.attend(2, b.tokens(x, 8), b.apply(&op.Tanh{}, b.bare(x)), b.apply(&op.Tanh{}, b.bare(x)), nil)
	}},
	{"values", func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		return b.attend(4, b.tokens(x, 8), b.tokens(x, 8), b.apply(&op.Tanh{}, b.bare(x)), nil)
	}},
}

// TestUntrainedTokens: gradients that nobody wants have memory of their own where the step writes them.
func TestUntrainedTokens(t *testing.T) {
	for _, c := range unwanted {
		t.Run(c.name, func(t *testing.T) {
			found := compareSlopes(t, 2, func(b *tiny) *gorgonia.Node {
				x, err := b.b.Placeholder("x", 2, 8, 4, 4)
				b.check(err)
				return c.build(b, x)
			})
			if found.heads != 1 {
				t.Errorf("%+v", found)
			}
		})
	}
}

// movedHeads are those of attentions whose heads are no channels of tokens.
var movedHeads = []string{"one query", "every other channel", "one head of keys for several of queries", "heads with channels in between"}

// joined are operators of which there is one in place of several: attention with heads that are channels, attention whose heads are
// brought there first, response norms.
type joined struct {
	heads, norms int
	moved        bool
}

// compareSlopes compares the gradients of a step of training with differences of the loss, and counts the operators that were joined.
func compareSlopes(t *testing.T, images int, build func(b *tiny) *gorgonia.Node) (found joined) {
	t.Helper()
	b := &tiny{t: t, b: engine.NewBuilder()}
	y := b.apply(&op.Flatten{Axis: 1}, build(b))
	net, err := b.b.Network(engine.Meta{}, engine.Output{Name: "y", Node: b.apply(&op.Linear{}, y, b.param(4, y.Shape()[1]), b.param(4))})
	b.check(err)
	obj, err := engine.NewObjective(net, engine.ObjectiveOptions{Batch: images})
	b.check(err)
	p, err := plan.Training(obj, plan.Options{ISA: isas(t)[0]})
	b.check(err)
	for _, node := range obj.Net.Nodes() {
		switch node.Op().(type) {
		case *op.Attention:
			moved := slices.ContainsFunc(op.Inputs(node), func(in *gorgonia.Node) bool {
				label := obj.Net.Label(in)
				return strings.HasSuffix(label, " gathered") || strings.HasSuffix(label, " keys")
			})
			if found.moved = found.moved || moved; !moved {
				found.heads++
			}
		case *op.ResponseNorm:
			found.norms++
		}
	}
	m, err := New(p, 2)
	b.check(err)
	defer m.Close()
	x, labels := noise(net.Input.Shape().TotalSize(), 7), []float32{1, 3}[:images]
	b.check(m.Step(x, labels, 0))
	grads, directions := m.Gradients(), uint64(3)
	if testing.Short() {
		directions = 1
	}
	for _, param := range obj.Trainable {
		const h, relative, absolute = 1e-5, 1e-5, 4e-6 // where a sum of large numbers is small
		for seed := range directions {
			along := noise(len(param.Value), seed)
			at := func(h float64) float64 { return lossOf(t, net, x, labels, param.Name, along, h) }
			want, got, size := (at(h)-at(-h))/(2*h), 0.0, 0.0
			for i, g := range grads[param.Name] {
				got += float64(g) * float64(along[i])
				size += math.Pow(float64(g), 2)
			}
			if off := math.Abs(got - want); off > relative*math.Sqrt(size*float64(len(along)))+absolute {
				t.Errorf("%d images: slope of %s %v is %g, by differences %g", images, param.Name, param.Shape, got, want)
			}
		}
	}
	return found
}

// lossOf is the mean cross entropy in float64, with h times a direction added to a parameter.
func lossOf(t *testing.T, net *engine.Network, x, labels []float32, param string, along []float32, h float64) float64 {
	t.Helper()
	values := map[*gorgonia.Node]gorgonia.Value{}
	leaf := func(node *gorgonia.Node) gorgonia.Value {
		data, p := x, net.ParamOf(node)
		if p != nil {
			data = p.Value
		}
		wide := make([]float64, len(data))
		for i, v := range data {
			wide[i] = float64(v)
			if p != nil && p.Name == param {
				wide[i] += h * float64(along[i])
			}
		}
		return tensor.New(tensor.WithShape(node.Shape()...), tensor.WithBacking(wide))
	}
	for _, node := range net.Nodes() {
		var in []gorgonia.Value
		for _, n := range op.Inputs(node) {
			if values[n] == nil {
				values[n] = leaf(n)
			}
			in = append(in, values[n])
		}
		var err error
		if values[node], err = node.Op().(op.Op).Do(in...); err != nil {
			t.Fatal(err)
		}
	}
	logits := values[net.Outputs[0].Node].Data().([]float64)
	loss, classes := 0.0, len(logits)/len(labels)
	for i, label := range labels {
		row, total := logits[i*classes:(i+1)*classes], 0.0
		best := slices.Max(row)
		for _, v := range row {
			total += math.Exp(v - best)
		}
		loss += (best + math.Log(total) - row[int(label)]) / float64(len(labels))
	}
	return loss
}
