package kernel

import (
	"runtime"

	"regraft/engine/kernel/abi"
	"regraft/engine/kernel/asm"
)

// transposeWeights brings weights from the master layout into the data gradient's.
type transposeWeights struct {
	shape  ConvShape
	kernel asm.Form[abi.Transpose]
	taps   []int // of the source, in the destination's order
	per    int   // (input block, tap) pairs per item
}

// NewTransposeWeights prepares the copy that the data gradient of s reads:
//
//	[in block][tap][out block][16 out][16 in]
//
// taps flipped, and for strides sorted by the output parity they belong to. Operands: 0 weights in the master layout, 1 the copy, of
// PackedLen(s) floats. A call has nothing to do with images: Items does not depend on them.
func NewTransposeWeights(set *Set, s ConvShape) Primitive {
	p := &transposeWeights{shape: s, kernel: set.Transpose, taps: transposedTaps(s)}
	const blocks = 512 // of an item: 1 MiB read and written
	p.per = max(1, blocks/blocksOf(s.Cout))
	return p
}

func (p *transposeWeights) Name() string { return p.kernel.Name("transpose") }

func (p *transposeWeights) pairs() int { return blocksOf(p.shape.Cin) * len(p.taps) }

func (p *transposeWeights) Items(int) int { return (p.pairs() + p.per - 1) / p.per }

func (p *transposeWeights) Item(w *Worker, i int, a *Args) {
	in, out := blocksOf(p.shape.Cin), blocksOf(p.shape.Cout)
	t := argsOf[abi.Transpose](w)
	t.SrcStep, t.DstStep = p.shape.KH*p.shape.KW*in*abi.EntryBytes, abi.EntryBytes
	for j := i * p.per; j < min((i+1)*p.per, p.pairs()); j++ {
		block, tap := j/len(p.taps), p.taps[j%len(p.taps)]
		t.Src = a.Operand[0] + uintptr((tap*in+block)*abi.EntryBytes)
		t.Dst = a.Operand[1] + uintptr(j*out*abi.EntryBytes)
		t.Count = out
		p.kernel.Run(t)
	}
	runtime.KeepAlive(p)
}
