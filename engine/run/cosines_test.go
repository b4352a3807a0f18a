package run

import (
	"math"
	"slices"
	"testing"

	"gorgonia.org/gorgonia"

	"regraft/engine"
	"regraft/engine/op"
	"regraft/engine/plan"
)

// unit divides x by its lengths over an axis, of at least so much.
func (b *tiny) unit(x *gorgonia.Node, axis int, least float32) *gorgonia.Node {
	length := b.apply(&op.Reduce{ReduceMean: op.ReduceMean{Axes: []int{axis}, KeepDims: true}, Kind: op.L2Of}, x)
	if least > 0 {
		length = b.apply(&op.Clip{Min: least, Max: math.MaxFloat32}, length)
	}
	return b.apply(&op.Div{}, x, b.apply(&op.Expand{Shape: x.Shape()}, length))
}

func (b *tiny) temperature(most float32, shape ...int) *gorgonia.Node {
	return b.apply(&op.Exp{}, b.apply(&op.Clip{Min: -math.MaxFloat32, Max: most}, b.param(shape...)))
}

// cosined are what may be made of heads (N, 2, 16, 4) of queries and keys, and of the scores (N, 2, 16, 16).
var cosined = []struct {
	name  string
	joins bool
	heads func(b *tiny, q, k *gorgonia.Node) (*gorgonia.Node, *gorgonia.Node)
	score func(b *tiny, s *gorgonia.Node) *gorgonia.Node
}{
	{"cosines", true, cosines, nil},
	{"a temperature", true, cosines, func(b *tiny, s *gorgonia.Node) *gorgonia.Node {
		return b.apply(&op.Mul{}, s, b.temperature(1, 2, 1, 1))
	}},
	{"a temperature that is too high for one head", true, cosines, func(b *tiny, s *gorgonia.Node) *gorgonia.Node {
		return b.apply(&op.Mul{}, b.temperature(0.5, 1, 2, 1, 1), s)
	}},
	{"a temperature and a bias, both scaled", true, cosines, func(b *tiny, s *gorgonia.Node) *gorgonia.Node {
		s = b.apply(&op.Scale{Factor: 0.5}, b.apply(&op.Mul{}, b.apply(&op.Scale{Factor: 3}, s), b.apply(&op.Exp{}, b.param(2, 1, 1))))
		return b.apply(&op.Add{}, s, b.param(2, 16, 16))
	}},
	{"numbers for every head", true, cosines, func(b *tiny, s *gorgonia.Node) *gorgonia.Node {
		return b.apply(&op.Mul{}, s, b.param(2, 1, 1))
	}},
	{"known numbers for every head", true, cosines, func(b *tiny, s *gorgonia.Node) *gorgonia.Node {
		return b.apply(&op.Mul{}, s, b.constants(2, 1, 1))
	}},
	{"a temperature with a lower limit", true, cosines, func(b *tiny, s *gorgonia.Node) *gorgonia.Node {
		return b.apply(&op.Mul{}, s, b.apply(&op.Exp{}, b.apply(&op.Clip{Min: -0.5, Max: 1}, b.param(2, 1, 1))))
	}},
	{"queries alone", true, func(b *tiny, q, k *gorgonia.Node) (*gorgonia.Node, *gorgonia.Node) { return b.unit(q, 3, 1e-6), k }, nil},
	{"heads that are often shorter", true, func(b *tiny, q, k *gorgonia.Node) (*gorgonia.Node, *gorgonia.Node) {
		return b.unit(q, -1, 1.5), b.unit(k, 3, 2.5)
	}, nil},
	{"no least length", true, func(b *tiny, q, k *gorgonia.Node) (*gorgonia.Node, *gorgonia.Node) {
		return b.apply(&op.Scale{Factor: 2}, b.unit(q, 3, 0)), b.unit(k, 3, 0)
	}, nil},
	{"keys alone, with a temperature", false, func(b *tiny, q, k *gorgonia.Node) (*gorgonia.Node, *gorgonia.Node) {
		return q, b.unit(k, 3, 1e-6)
	}, func(b *tiny, s *gorgonia.Node) *gorgonia.Node {
		return b.apply(&op.Mul{}, s, b.temperature(1, 2, 1, 1))
	}},
	{"a temperature for every query", false, cosines, func(b *tiny, s *gorgonia.Node) *gorgonia.Node {
		return b.apply(&op.Mul{}, s, b.temperature(1, 16, 1))
	}},
	{"a temperature that depends on the photo", false, cosines, func(b *tiny, s *gorgonia.Node) *gorgonia.Node {
		mean := b.apply(&op.ReduceMean{Axes: []int{2, 3}, KeepDims: true}, s)
		return b.apply(&op.Mul{}, s, mean)
	}},
	{"lengths over the tokens", false, func(b *tiny, q, k *gorgonia.Node) (*gorgonia.Node, *gorgonia.Node) {
		return b.unit(q, 2, 1e-6), k
	}, nil},
	{"lengths of other heads", false, func(b *tiny, q, k *gorgonia.Node) (*gorgonia.Node, *gorgonia.Node) {
		length := b.apply(&op.Reduce{ReduceMean: op.ReduceMean{Axes: []int{3}, KeepDims: true}, Kind: op.L2Of}, k)
		return b.apply(&op.Div{}, q, b.apply(&op.Expand{Shape: q.Shape()}, length)), k
	}, nil},
	{"a largest length", false, func(b *tiny, q, k *gorgonia.Node) (*gorgonia.Node, *gorgonia.Node) {
		length := b.apply(&op.Reduce{ReduceMean: op.ReduceMean{Axes: []int{3}, KeepDims: true}, Kind: op.L2Of}, q)
		length = b.apply(&op.Clip{Min: 0.1, Max: 2}, length)
		return b.apply(&op.Div{}, q, b.apply(&op.Expand{Shape: q.Shape()}, length)), k
	}, nil},
	{"sums for lengths", false, func(b *tiny, q, k *gorgonia.Node) (*gorgonia.Node, *gorgonia.Node) {
		length := b.apply(&op.Reduce{ReduceMean: op.ReduceMean{Axes: []int{3}, KeepDims: true}, Kind: op.L1Of}, q)
		return b.apply(&op.Div{}, q, b.apply(&op.Expand{Shape: q.Shape()}, length)), k
	}, nil},
}

func cosines(b *tiny, q, k *gorgonia.Node) (*gorgonia.Node, *gorgonia.Node) {
	return b.unit(q, 3, 1e-6), b.unit(k, 3, 1e-6)
}

// TestCosines compares attention by cosines with the network as it is spelled, in inference and training: with heads of two layers, and
// of one.
func TestCosines(t *testing.T) {
	for _, c := range cosined {
		for _, layers := range []int{1, 2} {
			if layers == 2 && testing.Short() {
				continue // two layers are much like one
			}
			t.Run(c.name, func(t *testing.T) {
				build := func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
					return b.twoHeads(x, layers, c.heads, func(s *gorgonia.Node) *gorgonia.Node {
						if c.score == nil {
							return s
						}
						return c.score(b, s)
					})
				}
				compareInference(t, build)
				if found := compareSlopes(t, 2, func(b *tiny) *gorgonia.Node { return b.form(2, build) }); found.heads > 0 != c.joins {
					t.Errorf("%+v", found)
				}
			})
		}
	}
}

// distances are 16 x 16 indices of 7 distances.
func distances() (index []int) {
	for k := range 256 {
		index = append(index, (k/16*3+k%16*5)%7)
	}
	return index
}

// positioned are biases (1, 2, 16, 16) that layers make of distances, compiled where joins says so.
var positioned = []struct {
	name  string
	joins bool
	bias  func(b *tiny) *gorgonia.Node
}{
	{"moved, then bent", true, func(b *tiny) *gorgonia.Node { return b.bent(b.spread(b.layers(b.first()))) }},
	{"one head for all", false, func(b *tiny) *gorgonia.Node { return b.bent(b.part(b.spread(b.layers(b.first())), 1, 0, 1)) }},
	{"a bias that broadcasts", false, func(b *tiny) *gorgonia.Node {
		return b.bent(b.spread(b.layers(b.apply(&op.Add{}, b.param(7, 5), b.param(1)))))
	}},
	{"bent, then moved", true, func(b *tiny) *gorgonia.Node { return b.spread(b.bent(b.layers(b.first()))) }},
	{"distances on a grid", true, func(b *tiny) *gorgonia.Node {
		x := b.apply(&op.Linear{}, b.constants(1, 7, 1, 2), b.param(5, 2), b.param(5))
		return b.bent(b.spread(b.apply(&op.Reshape{Shape: []int{7, 2}}, b.layers(x))))
	}},
	{"a first layer that is known", true, func(b *tiny) *gorgonia.Node {
		return b.bent(b.spread(b.layers(b.apply(&op.Add{}, b.param(7, 5), b.param(5)))))
	}},
	{"a first layer that is constant", true, func(b *tiny) *gorgonia.Node {
		return b.bent(b.spread(b.layers(b.apply(&op.Add{}, b.constants(7, 5), b.param(5)))))
	}},
	{"distances that are trained", false, func(b *tiny) *gorgonia.Node {
		return b.bent(b.spread(b.layers(b.apply(&op.Linear{}, b.param(7, 2), b.param(5, 2), b.param(5)))))
	}},
	{"no sigmoid", false, func(b *tiny) *gorgonia.Node { return b.spread(b.layers(b.first())) }},
	{"scaled before the sigmoid", false, func(b *tiny) *gorgonia.Node {
		return b.bent(b.apply(&op.Scale{Factor: 2}, b.spread(b.layers(b.first()))))
	}},
	{"heads exchanged for some", false, func(b *tiny) *gorgonia.Node {
		y := b.apply(&op.Reshape{Shape: []int{14, 1}}, b.layers(b.first()))
		var index []int
		for k, p := range distances() {
			index = append(index, 2*p+k%2, 2*p+1-k%2)
		}
		y = b.apply(&op.Gather{Axis: 0, Indices: index, IndexShape: []int{16, 16, 2}}, y)
		y = b.apply(&op.Transpose{Perm: []int{3, 2, 0, 1}}, y)
		return b.bent(y)
	}},
}

// first is a layer of seven distances, (7, 5).
func (b *tiny) first() *gorgonia.Node {
	return b.apply(&op.Linear{}, b.constants(7, 2), b.param(5, 2), b.param(5))
}

// layers is what follows the first.
func (b *tiny) layers(x *gorgonia.Node) *gorgonia.Node {
	return b.apply(&op.Linear{}, b.apply(&op.Relu{}, x), b.param(2, 5))
}

// bent is 16 times the sigmoid.
func (b *tiny) bent(x *gorgonia.Node) *gorgonia.Node {
	return b.apply(&op.Mul{}, b.apply(&op.Sigmoid{}, x), b.number(16))
}

// spread gives every query and key the values (7, 2) of their distance.
func (b *tiny) spread(x *gorgonia.Node) *gorgonia.Node {
	x = b.apply(&op.Reshape{Shape: []int{16, 16, 2}}, b.apply(&op.Gather{Axis: 0, Indices: distances(), IndexShape: []int{256}}, x))
	return b.apply(&op.Unsqueeze{Axes: []int{0}}, b.apply(&op.Transpose{Perm: []int{2, 0, 1}}, x))
}

// TestPositionBiases compares biases of positions with the networks as they are spelled. In inference they are constants.
func TestPositionBiases(t *testing.T) {
	for _, c := range positioned {
		t.Run(c.name, func(t *testing.T) {
			build := func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
				return b.twoHeads(x, 1, cosines, func(s *gorgonia.Node) *gorgonia.Node { return b.apply(&op.Add{}, s, c.bias(b)) })
			}
			compareInference(t, build)
			compareSlopes(t, 2, func(b *tiny) *gorgonia.Node { return b.form(2, build) })
			b := &tiny{t: t, b: engine.NewBuilder()}
			net, err := b.b.Network(engine.Meta{}, engine.Output{Name: "y", Node: b.form(2, build)})
			b.check(err)
			p, err := plan.Inference(net, plan.Options{ISA: isas(t)[0]})
			b.check(err)
			checkNone(t, p)
			b = &tiny{t: t, b: engine.NewBuilder()}
			p, err = plan.Training(b.objective(b.form(2, build)), plan.Options{ISA: isas(t)[0]})
			b.check(err)
			if c.joins {
				checkNone(t, p)
			}
		})
	}
}

// checkNone fails where a step is interpreted.
func checkNone(t *testing.T, p *plan.Program) {
	t.Helper()
	if k := slices.IndexFunc(p.Steps, func(s plan.Step) bool { return s.Interpreted() }); k >= 0 {
		t.Errorf("%s of %s is interpreted", p.Steps[k].Op, p.Steps[k].Shapes)
	}
}

// TestKeysWithoutBias: what is zero in the bias of normalised keys stays so, where there are temperatures.
func TestKeysWithoutBias(t *testing.T) {
	for _, c := range []struct{ zero, tempered, tokens bool }{{true, true, true}, {false, true, true}, {true, false, true}, {true, true, false}} {
		b := &tiny{t: t, b: engine.NewBuilder()}
		y := b.form(2, func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
			cut := func(x *gorgonia.Node, from int) *gorgonia.Node {
				x = b.apply(&op.Reshape{Shape: []int{0, 16, 2, 4}}, b.part(x, 2, from, from+8))
				return b.apply(&op.Transpose{Perm: []int{0, 2, 1, 3}}, x)
			}
			bias := noise(24, 5)
			if c.zero {
				clear(bias[8:16])
			}
			b.n++
			node, err := b.b.Param(&engine.Param{Name: "bias", Shape: []int{24}, Value: bias})
			b.check(err)
			qkv := b.apply(&op.Linear{}, b.bare(x), b.param(24, 8), node)
			q, k := cosines(b, cut(qkv, 0), cut(qkv, 8))
			scores := b.apply(&op.MatMul{}, q, b.apply(&op.Transpose{Perm: []int{0, 1, 3, 2}}, k))
			if c.tempered {
				scores = b.apply(&op.Mul{}, scores, b.param(2, 1, 1))
			}
			y := b.apply(&op.MatMul{}, b.apply(&op.Softmax{Axis: -1}, scores), cut(qkv, 16))
			if c.tokens { // otherwise it is no attention of Swin V2's
				y = b.apply(&op.Reshape{Shape: []int{0, 16, 8}}, b.apply(&op.Transpose{Perm: []int{0, 2, 1, 3}}, y))
			}
			return y
		})
		obj := b.objective(b.apply(&op.Reshape{Shape: []int{0, -1}}, y))
		p, err := plan.Training(obj, plan.Options{ISA: isas(t)[0]})
		b.check(err)
		m, err := New(p, 1)
		b.check(err)
		b.check(m.Step(noise(2*3*8*8, 7), []float32{1, 3}, 0))
		for k, g := range m.Gradients()["bias"] {
			if still := c.zero && c.tempered && k >= 8 && k < 16; (g == 0) != still {
				t.Errorf("%+v: gradient %d is %g", c, k, g)
			}
		}
		m.Close()
	}
}
