package plan

import "regraft/engine/kernel"

func (e *emitter) winograd(i *instr, s kernel.ConvShape) (bool, error) { return false, nil }

func (e *emitter) winogradGradX(i *instr, s kernel.ConvShape, dy, dx kernel.Layout, turned *value) (bool, error) {
	return false, nil
}
