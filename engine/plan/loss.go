package plan

import (
	"fmt"

	"regraft/engine/op"
)

// lossGrad is the planner's own operator for a cross-entropy loss and its gradient in one:
// logits, targets -> weight * dlogits, and beside it the mean loss.
type lossGrad struct{ weight float32 }

func (*lossGrad) title() string { return "SoftmaxCrossEntropy" }

// groupLosses joins every loss with its gradient and drops the arithmetic around them whose result is known
// beforehand: the total and the factors that differentiation starts from.
func (g *graph) groupLosses() error {
	makers := g.makers()
	dead := map[*instr]bool{}
	for _, i := range g.instrs {
		switch i.op.(type) {
		case *op.SoftmaxCrossEntropyGrad:
			weight, err := scalar(i.in[2], makers)
			if err != nil {
				return fmt.Errorf("node %q: %w", i.node, err)
			}
			loss := lossOf(i, g.losses, makers)
			if loss == nil {
				return fmt.Errorf("node %q: gradient of a loss that is not minimised", i.node)
			}
			loss.form = plain
			i.op, i.in, i.also = &lossGrad{weight}, i.in[:2], []*value{loss}
			i.in[1].ref, i.in[1].placed = Ref{Space: Targets}, true
		case *op.SoftmaxCrossEntropy, *op.WeightedSum:
			dead[i] = true
		case *op.Scale: // others are part of a gradient, such as Sqrt's
			_, err := scalar(i.out, makers)
			dead[i] = err == nil
		}
	}
	g.remove(dead)
	return nil
}

// lossOf finds the loss whose gradient i is.
func lossOf(i *instr, losses []*value, makers map[*value]*instr) *value {
	for _, l := range losses {
		if m := makers[l]; m != nil && m.in[0] == i.in[0] && m.in[1] == i.in[1] {
			return l
		}
	}
	return nil
}

// scalar evaluates a constant of the gradient graph.
func scalar(v *value, makers map[*value]*instr) (float32, error) {
	if v.number != nil {
		return *v.number, nil
	}
	if m := makers[v]; m != nil {
		if s, ok := m.op.(*op.Scale); ok {
			x, err := scalar(m.in[0], makers)
			return s.Factor * x, err
		}
	}
	return 0, fmt.Errorf("%q is not a constant", v.label)
}
