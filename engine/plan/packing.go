package plan

import "regraft/engine"

// packing is how a parameter's plain values lie in memory.
type packing struct {
	length       int
	pack, unpack func(dst, src []float32)
	// operand is which one of the step's operands lies so.
	operand int
	// image is how the parameter lies where it is a table, one image.
	image *place
}

// plainPacking pads vectors to whole blocks and leaves everything else row-major.
func plainPacking(p *engine.Param) packing {
	n := p.Shape.TotalSize()
	cp := func(dst, src []float32) { copy(dst[:n], src[:n]) }
	return packing{length: padded(n), pack: cp, unpack: cp}
}
