package plan

import (
	"fmt"

	"regraft/engine/kernel"
	"regraft/engine/op"
)

func init() {
	register(row[*op.PositionBias]{channels: rowMajor, emit: (*emitter).positionBias})
	register(row[*op.PositionBiasGrad]{channels: rowMajor, choice: choice{gradient: true}, emit: (*emitter).positionBiasGrad})
}

// positions is the geometry of a bias of such operands.
func positions(o *op.PositionBias, in []*value) kernel.PositionBias {
	p := kernel.PositionBias{Heads: in[0].Shape[0], Hidden: in[1].Shape[0], Index: o.Index, Queries: o.Queries, Scale: o.Scale}
	width := p.Hidden
	if len(in) == 4 {
		p.Inputs = in[2].Shape[1]
		width = p.Inputs
	}
	p.Distances = in[len(in)-1].Shape.TotalSize() / width
	return p
}

// rows are parameters as they are in row-major order; ok tells whether all of them are parameters.
func (e *emitter) rows(in []*value) (operands []any, ok bool) {
	for _, v := range in {
		if v.param == nil {
			return nil, false
		}
		operands = append(operands, e.vector(v))
	}
	return operands, true
}

func (e *emitter) positionBias(i *instr, o *op.PositionBias) error {
	operands, ok := e.rows(i.in)
	if !ok || i.out.form != plain {
		return e.interpret(i, o)
	}
	p := positions(o, i.in)
	prim, err := kernel.NewPositionBias(p)
	if err != nil {
		return fmt.Errorf("node %q: %w", i.node, err)
	}
	e.step(i, prim, 1, []*value{i.out}, append(operands, i.out)...).step.Flops = p.Flops()
	return nil
}

func (e *emitter) positionBiasGrad(i *instr, o *op.PositionBiasGrad) error {
	last := len(i.in) - 1
	dy := i.in[last]
	operands, ok := e.rows(i.in[:last])
	if !ok || dy.form != plain || i.out.form != plain {
		return e.interpret(i, o)
	}
	p := positions(&o.PositionBias, i.in[:last])
	prim, err := kernel.NewPositionSlopes(p)
	if err != nil {
		return fmt.Errorf("node %q: %w", i.node, err)
	}
	slopes := e.temporary(i.node+" slopes", p.Distances*p.Heads)
	e.step(i, prim, 1, []*value{slopes}, append(append([]any{}, operands...), dy, slopes)...).step.Flops = p.Flops()
	prim, err = kernel.NewPositionBiasGrad(p, o.Of)
	if err != nil {
		return fmt.Errorf("node %q: %w", i.node, err)
	}
	e.step(i, prim, 1, []*value{i.out}, append(operands, slopes, i.out)...).step.Flops = p.Flops()
	return nil
}
