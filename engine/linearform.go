package engine

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"regraft/engine/op"
)

// linearForm is a value whose elements are sums of two terms at most, each an element of another value, the source, times a known number.
type linearForm struct {
	shape tensor.Shape
	index [2][]float64 // of the source's elements in row-major order, counted from 1; 0 for no term
	coef  [2][]float64
}

// maxForms bounds the nodes between a value and its source.
const maxForms = 200

// linearOf reads a node of a network as linear in the one node that all of it comes from; nil where it is not.
func linearOf(net *Network, node *gorgonia.Node) (f *linearForm, source *gorgonia.Node) {
	l := &linearForms{net: net, forms: map[*gorgonia.Node]*linearForm{}}
	f = l.form(node)
	return f, l.source
}

type linearForms struct {
	net    *Network
	source *gorgonia.Node
	forms  map[*gorgonia.Node]*linearForm
}

// form is that of a node; nil where it has none.
func (l *linearForms) form(node *gorgonia.Node) *linearForm {
	if f, done := l.forms[node]; done || len(l.forms) > maxForms {
		return f
	}
	l.forms[node] = nil
	f := l.step(node)
	l.forms[node] = f
	return f
}

func (l *linearForms) step(node *gorgonia.Node) *linearForm {
	in := op.Inputs(node)
	switch o := node.Op().(type) {
	case *op.Identity, *op.Reshape, *op.Flatten, *op.Squeeze, *op.Unsqueeze, *op.Transpose, *op.Slice, *op.Gather, *op.Concat:
		return l.moved(node)
	case *op.Neg:
		return l.scaled(node, in[0], -1)
	case *op.Scale:
		return l.scaled(node, in[0], float64(o.Factor))
	case *op.Mul:
		for k := range in {
			if table := l.known(in[k]); table != nil {
				return l.times(node, in[1-k], table)
			}
		}
	case *op.Add:
		return l.sum(node, 1)
	case *op.Sub:
		return l.sum(node, -1)
	}
	if l.net.ParamOf(node) != nil || l.source != nil && l.source != node {
		return nil
	}
	l.source = node
	f := newLinearForm(node.Shape())
	for k := range f.index[0] {
		f.index[0][k], f.coef[0][k] = float64(k+1), 1
	}
	return f
}

func newLinearForm(s tensor.Shape) *linearForm {
	f := &linearForm{shape: s}
	for k := range 2 {
		f.index[k], f.coef[k] = make([]float64, s.TotalSize()), make([]float64, s.TotalSize())
	}
	return f
}

// known is the value of a parameter that training does not change; nil for what is none.
func (l *linearForms) known(node *gorgonia.Node) gorgonia.Value {
	p := l.net.ParamOf(node)
	if p == nil || p.Trainable() || len(p.Value) == 0 {
		return nil
	}
	return wide(node.Shape(), func(k int) float64 { return float64(p.Value[k]) })
}

func wide(s tensor.Shape, at func(k int) float64) gorgonia.Value {
	if s.Dims() == 0 {
		return gorgonia.NewF64(at(0))
	}
	data := make([]float64, s.TotalSize())
	for k := range data {
		data[k] = at(k)
	}
	return tensor.New(tensor.WithShape(s...), tensor.WithBacking(data))
}

// apply computes an operator on numbers.
func (l *linearForms) apply(o op.Op, in ...gorgonia.Value) []float64 {
	result, err := op.Compute(o, 1, in...)
	if err != nil {
		return nil
	}
	data, _ := result.Data().([]float64)
	return data
}

// moved is for operators that only move elements.
func (l *linearForms) moved(node *gorgonia.Node) *linearForm {
	out := newLinearForm(node.Shape())
	var in []*linearForm
	for _, x := range op.Inputs(node) {
		f := l.form(x)
		if f == nil {
			return nil
		}
		in = append(in, f)
	}
	for k := range 2 {
		for _, part := range []struct {
			of func(f *linearForm) []float64
			to *[]float64
		}{{func(f *linearForm) []float64 { return f.index[k] }, &out.index[k]}, {func(f *linearForm) []float64 { return f.coef[k] }, &out.coef[k]}} {
			values := make([]gorgonia.Value, len(in))
			for n, f := range in {
				values[n] = wide(f.shape, func(k int) float64 { return part.of(f)[k] })
			}
			if *part.to = l.apply(node.Op().(op.Op), values...); *part.to == nil {
				return nil
			}
		}
	}
	return out
}

func (l *linearForms) scaled(node, x *gorgonia.Node, factor float64) *linearForm {
	return l.times(node, x, wide(nil, func(int) float64 { return factor }))
}

// times is x times known numbers, which broadcast.
func (l *linearForms) times(node, x *gorgonia.Node, table gorgonia.Value) *linearForm {
	f := l.form(x)
	if f == nil || !f.shape.Eq(node.Shape()) {
		return nil
	}
	out := &linearForm{shape: f.shape, index: f.index}
	for k := range 2 {
		if out.coef[k] = l.apply(&op.Mul{}, wide(f.shape, func(n int) float64 { return f.coef[k][n] }), table); out.coef[k] == nil {
			return nil
		}
	}
	return out
}

// sum is a + sign*b.
func (l *linearForms) sum(node *gorgonia.Node, sign float64) *linearForm {
	a, b := l.form(op.Inputs(node)[0]), l.form(op.Inputs(node)[1])
	if a == nil || b == nil || !a.shape.Eq(b.shape) {
		return nil
	}
	out := newLinearForm(a.shape)
	for n := range out.index[0] {
		for k := range 2 {
			if !out.add(n, a.index[k][n], a.coef[k][n]) || !out.add(n, b.index[k][n], sign*b.coef[k][n]) {
				return nil
			}
		}
	}
	return out
}

// add adds a term to element n; false where that has two others.
func (f *linearForm) add(n int, index, coef float64) bool {
	if coef == 0 || index == 0 {
		return true
	}
	for k := range 2 {
		if f.index[k][n] == index || f.coef[k][n] == 0 {
			f.index[k][n] = index
			f.coef[k][n] += coef
			return true
		}
	}
	return false
}
