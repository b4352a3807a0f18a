package head

import (
	"testing"

	"gorgonia.org/gorgonia"

	"regraft/engine"
	"regraft/engine/op"
	"regraft/engine/random"
)

// sketch builds small networks for the tests; the first error fails the test.
type sketch struct {
	*testing.T
	*engine.Builder
	n int
}

func newSketch(t *testing.T) (*sketch, *gorgonia.Node) {
	s := &sketch{T: t, Builder: engine.NewBuilder()}
	x, err := s.Placeholder("input", 2, 3, 9, 9)
	if err != nil {
		t.Fatal(err)
	}
	return s, x
}

func (s *sketch) param(name string, shape ...int) *gorgonia.Node {
	s.Helper()
	p := &engine.Param{Name: name, Shape: shape}
	p.Value = uniform(random.At(1, name), p.Shape.TotalSize(), 4)
	node, err := s.Param(p)
	if err != nil {
		s.Fatal(err)
	}
	return node
}

func (s *sketch) apply(o op.Op, in ...*gorgonia.Node) *gorgonia.Node {
	s.Helper()
	s.n++
	node, err := s.Apply(o.Name()+string(rune('a'+s.n)), o, in...)
	if err != nil {
		s.Fatal(err)
	}
	return node
}

func (s *sketch) conv(name string, x *gorgonia.Node, out, kernel int) *gorgonia.Node {
	s.Helper()
	c := &op.Conv{Strides: [2]int{1, 1}, Dilations: [2]int{1, 1}, Group: 1}
	y := s.apply(c, x, s.param(name+".weight", out, x.Shape()[1], kernel, kernel), s.param(name+".bias", out))
	return s.apply(&op.Relu{}, y)
}

func (s *sketch) pooled(x *gorgonia.Node) *gorgonia.Node {
	s.Helper()
	return s.apply(&op.Flatten{Axis: 1}, s.apply(&op.GlobalAveragePool{}, x))
}

func (s *sketch) linear(name string, x *gorgonia.Node, classes int) *gorgonia.Node {
	s.Helper()
	return s.apply(&op.Linear{}, x, s.param(name+".weight", classes, x.Shape()[1]), s.param(name+".bias", classes))
}

func (s *sketch) network(outputs ...*gorgonia.Node) *engine.Network {
	s.Helper()
	var named []engine.Output
	for i, o := range outputs {
		named = append(named, engine.Output{Name: "output" + string(rune('0'+i)), Node: o})
	}
	net, err := s.Network(engine.Meta{Labels: []string{"old"}}, named...)
	if err != nil {
		s.Fatal(err)
	}
	return net
}

// twoHeaded is a network like Inception-v3: an auxiliary classifier halfway up, Dropout before the main one,
// whose probabilities are the second output.
func twoHeaded(t *testing.T) *engine.Network {
	s, x := newSketch(t)
	a := s.conv("a", x, 4, 3)
	aux := s.linear("aux.fc", s.pooled(a), 5)
	b := s.conv("b", a, 6, 3)
	dropped := s.apply(&op.Dropout{Ratio: 0.5, ID: "d"}, s.pooled(b))
	main := s.apply(&op.Softmax{Axis: 1}, s.linear("fc", dropped, 5))
	return s.network(aux, main)
}
