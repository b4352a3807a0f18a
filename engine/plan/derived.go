package plan

import (
	"slices"
	"sync"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"regraft/engine"
	"regraft/engine/op"
)

// What a network computes of parameters that nothing trains, as a bias of positions in inference, is known before any image: it is computed
// where constants are packed, and stands for a parameter itself.

// derive makes a constant of what i computes, if all of its operands are known; n is its node. A parameter of another shape stands for the
// parameter, whether that is trained or not.
func (g *graph) derive(n *gorgonia.Node, i *instr) bool {
	if _, reshape := i.op.(*op.Reshape); reshape && i.in[0].param != nil && !i.in[0].param.Running {
		out := g.value(n)
		out.param, out.compute = i.in[0].param, i.in[0].compute
		return true
	}
	o, ours := i.op.(op.Op)
	if !ours || len(i.in) == 0 || slices.ContainsFunc(i.in, func(v *value) bool { return v.param == nil || v.param.Running || g.isTrained(v) }) {
		return false
	}
	out := g.value(n)
	out.param = &engine.Param{Name: i.node, Shape: out.Shape, Constant: true}
	operands := i.in
	out.compute = sync.OnceValue(func() []float32 { // once: what is made of it asks for it again and again
		in := make([]gorgonia.Value, len(operands))
		for k, v := range operands {
			if in[k] = v.tensor(); in[k] == nil {
				return nil
			}
		}
		result, err := op.Compute(o, 1, in...)
		if err != nil {
			return nil
		}
		if number, scalar := result.Data().(float32); scalar {
			return []float32{number}
		}
		return result.Data().([]float32)
	})
	return true
}

// values are those of a parameter or of what stands for one, in row-major order; nil where the network has none.
func (v *value) values() []float32 {
	if v.compute != nil {
		return v.compute()
	}
	return v.param.Value
}

// tensor is the values as an operator takes them, nil where the network has none.
func (v *value) tensor() gorgonia.Value {
	values := v.values()
	switch {
	case len(values) != max(v.Shape.TotalSize(), 1):
		return nil
	case v.Shape.Dims() == 0:
		return gorgonia.NewF32(values[0])
	}
	return tensor.New(tensor.WithShape(v.Shape...), tensor.WithBacking(values))
}
