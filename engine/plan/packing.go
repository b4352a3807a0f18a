package plan

import (
	"regraft/engine"
	"regraft/engine/kernel"
)

// packing is how a parameter's plain values lie in memory.
type packing struct {
	// key is the same in packings that are the same; nil for plainPacking.
	key          any
	length       int
	pack, unpack func(dst, src []float32)
	// operand is which one of the step's operands lies so.
	operand int
}

// plainPacking pads vectors to whole blocks and leaves everything else row-major.
func plainPacking(p *engine.Param) packing {
	n := p.Shape.TotalSize()
	cp := func(dst, src []float32) { copy(dst[:n], src[:n]) }
	return packing{length: padded(n), pack: cp, unpack: cp}
}

// padded is n filled up to whole blocks.
func padded(n int) int { return (n + kernel.Lanes - 1) / kernel.Lanes * kernel.Lanes }
