package kernel

import (
	"fmt"
	"runtime"

	"regraft/engine/kernel/abi"
	"regraft/engine/kernel/asm"
)

// Transformed weights lie in the order in which the products read them:
//
//	[group of output blocks][position][block of the group][in block][16 in][16 out]

// WeightLen is the floats of the transformed weights.
func (w *Winograd) WeightLen() int {
	return w.algorithm.Products() * w.out.Blocks() * w.in.Blocks() * Lanes * Lanes
}

// Pack transforms weights (Cout, Cin, KH, KW) once, for inference, with the bits of TransformWeights.
func (w *Winograd) Pack(dst, oihw []float32) {
	packed := Aligned(PackedLen(w.shape) / w.out.Blocks())
	worker := NewWorker(w.squareBytes() / 4)
	transform := w.set.TransformIn[w.algorithm.WeightsKernel()]
	for block := range w.out.Blocks() {
		packBlock(w.shape, block, packed, oihw)
		w.transformBlock(worker, transform, block, 0, w.in.Blocks()*Lanes, Address(packed), Address(dst))
	}
	runtime.KeepAlive(packed)
	runtime.KeepAlive(dst)
}

// transformWeights is the weight transform as a step of its own, in float32.
type transformWeights struct {
	*Winograd
	kernel asm.Form[abi.TransformIn]
	pieces int // items of an output block
}

const transformRows = 256 // input channels per item: a kernel call stays short

// TransformWeights prepares the weight transform in float32, for training, where weights change with every step. Operands: 0 the
// weights in the master layout (for a data gradient: as NewTransposeWeights leaves them), 1 the transformed weights.
func (w *Winograd) TransformWeights() Primitive {
	return &transformWeights{w, w.set.TransformIn[w.algorithm.WeightsKernel()], (w.in.Blocks()*Lanes + transformRows - 1) / transformRows}
}

func (p *transformWeights) Name() string {
	return fmt.Sprintf("%s_%s", p.algorithm.WeightsKernel(), p.kernel.Set)
}

func (p *transformWeights) Scratch() int { return p.squareBytes() / 4 }

func (p *transformWeights) Items(int) int { return p.out.Blocks() * p.pieces }

func (p *transformWeights) Item(worker *Worker, i int, a *Args) {
	block, piece := i/p.pieces, i%p.pieces
	channels := p.in.Blocks() * Lanes
	first, end := channels*piece/p.pieces, channels*(piece+1)/p.pieces
	packed := a.Operand[0] + uintptr(block*p.shape.KH*p.shape.KW*p.in.Blocks()*abi.EntryBytes)
	p.transformBlock(worker, p.kernel, block, first, end, packed, a.Operand[1])
	runtime.KeepAlive(p)
}

// transformBlock transforms the weights of input channels first to end of an output block, which lie at packed in the master layout;
// weights is where those of all blocks go.
func (w *Winograd) transformBlock(worker *Worker, kernel asm.Form[abi.TransformIn], block, first, end int, packed, weights uintptr) {
	g := 0
	for block >= w.blocks[g].first+w.blocks[g].k {
		g++
	}
	b, inBytes := w.blocks[g], w.in.Blocks()*abi.EntryBytes
	t := argsOf[abi.TransformIn](worker)
	src := packed + uintptr(first*4*Lanes)
	rowTaps := w.shape.KW
	if w.algorithm.Dims == 1 {
		rowTaps = 1
	}
	for r := range w.algorithm.Taps {
		t.Rows[r] = src + uintptr(r*rowTaps*inBytes)
	}
	t.Dst = weights + uintptr((b.first*w.algorithm.Products()+block-b.first)*inBytes+first*4*Lanes)
	t.Position = b.k * inBytes
	t.Tiles, t.Step, t.DstStep, t.ColumnStep = end-first, 4*Lanes, 4*Lanes, inBytes
	t.Columns = len(t.Rows)
	t.Scratch = Address(worker.Scratch)
	kernel.Run(t)
}
