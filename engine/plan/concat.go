package plan

import (
	"fmt"

	"regraft/engine/kernel"
	"regraft/engine/op"
)

// concatParts copies one operand after the other.
func (e *emitter) concatParts(i *instr, o op.Op) error {
	c, ok := o.(*op.Concat)
	if !ok || !i.alongChannels(c.Axis) || i.out.form == plain {
		return fmt.Errorf("node %q: %s with %d operands is not supported; at most %d are", i.node, o.Name(), len(i.in), maxOperands-1)
	}
	chan0 := 0
	for _, v := range i.in {
		if v.param != nil || v.form == plain || v.Channel != i.out.Channel {
			return fmt.Errorf("node %q: concatenation of images with a constant is not supported", i.node)
		}
		prim, err := kernel.NewConcatCopy(v.images(), i.out.images(), chan0)
		if err := e.primitive(i, prim, err, 0, v, i.out); err != nil {
			return err
		}
		chan0 += channels(v.shape)
	}
	return nil
}
