package kernel

import (
	"fmt"
	"runtime"

	"regraft/engine/kernel/toomcook"
)

// Transformed weights lie in the order in which the products read them:
//
//	[group of output blocks][position][block of the group][in block][16 in][16 out]

// WeightLen is the floats of the transformed weights.
func (w *Winograd) WeightLen() int {
	return w.algorithm.Products() * w.out.Blocks() * w.in.Blocks() * Lanes * Lanes
}

// Pack transforms weights (Cout, Cin, KH, KW) of the forward convolution in float64 and rounds once.
func (w *Winograd) Pack(dst, oihw []float32) {
	clear(dst[:w.WeightLen()])
	s, taps := w.shape, w.shape.KH*w.shape.KW
	g := toomcook.F(w.algorithm.Outputs, w.algorithm.Taps).G()
	at := func(o, c, t int) float64 { return float64(oihw[(o*s.Cin+c)*taps+t]) }
	if w.gradient { // from input o to output c of the forward convolution, taps flipped
		at = func(o, c, t int) float64 { return float64(oihw[(c*s.Cout+o)*taps+taps-1-t]) }
	}
	n := len(g)
	half := make([]float64, n*w.algorithm.Taps)
	for _, b := range w.blocks {
		for o := b.first * Lanes; o < min((b.first+b.k)*Lanes, s.Cout); o++ {
			for c := range s.Cin {
				put := func(position int, v float64) {
					dst[w.weightAt(b, o, c, position)] = float32(v)
				}
				if w.algorithm.Dims == 1 {
					for i, row := range g {
						v := 0.0
						for t, x := range row {
							v += float64(x * at(o, c, t))
						}
						put(i, v)
					}
					continue
				}
				w.square(half, g, func(t int) float64 { return at(o, c, t) }, put)
			}
		}
	}
}

// square computes G w G^T of one filter.
func (w *Winograd) square(half []float64, g [][]float64, at func(tap int) float64, put func(position int, v float64)) {
	r := w.algorithm.Taps
	for i, row := range g {
		for b := range r {
			v := 0.0
			for a, x := range row {
				v += float64(x * at(a*r+b))
			}
			half[i*r+b] = v
		}
	}
	for i := range g {
		for j, row := range g {
			v := 0.0
			for b, x := range row {
				v += float64(x * half[i*r+b])
			}
			put(i*len(g)+j, v)
		}
	}
}

// weightAt is where the weight of output o (in group b) and input c lies for a position.
func (w *Winograd) weightAt(b winogradBlocks, o, c, position int) int {
	block := b.first*w.algorithm.Products() + position*b.k + o/Lanes - b.first
	return ((block*w.in.Blocks()+c/Lanes)*Lanes+c%Lanes)*Lanes + o%Lanes
}

// transformWeights is the weight transform as a step of its own, in float32.
type transformWeights struct {
	*Winograd
	kernel func(*transformInArgs)
	pieces int // items of an output block
}

const transformRows = 256 // input channels per item: a kernel call stays short

// TransformWeights prepares the weight transform in float32, for training, where weights change with every step. Operands: 0 the
// weights in the master layout (for a data gradient: as NewTransposeWeights leaves them), 1 the transformed weights.
func (w *Winograd) TransformWeights() Primitive {
	return &transformWeights{w, weightsTransform(w.isa, w.algorithm), (w.in.Blocks()*Lanes + transformRows - 1) / transformRows}
}

func (p *transformWeights) Name() string {
	return fmt.Sprintf("%s_%s", p.algorithm.WeightsKernel(), p.isa)
}

func (p *transformWeights) Scratch() int { return p.squareBytes() / 4 }

func (p *transformWeights) Items(int) int { return p.out.Blocks() * p.pieces }

func (p *transformWeights) Item(worker *Worker, i int, a *Args) {
	block, piece := i/p.pieces, i%p.pieces
	g := 0
	for block >= p.blocks[g].first+p.blocks[g].k {
		g++
	}
	b, inBytes := p.blocks[g], p.in.Blocks()*entryBytes
	channels := p.in.Blocks() * Lanes
	first, end := channels*piece/p.pieces, channels*(piece+1)/p.pieces
	s := p.shape
	t := argsOf[transformInArgs](worker)
	src := a.Operand[0] + uintptr(block*s.KH*s.KW*inBytes+first*4*Lanes)
	rowTaps := s.KW
	if p.algorithm.Dims == 1 {
		rowTaps = 1
	}
	for r := range p.algorithm.Taps {
		t.Rows[r] = src + uintptr(r*rowTaps*inBytes)
	}
	t.Dst = a.Operand[1] + uintptr((b.first*p.algorithm.Products()+block-b.first)*inBytes+first*4*Lanes)
	t.Position = b.k * inBytes
	t.Tiles, t.Step, t.DstStep, t.ColumnStep = end-first, 4*Lanes, 4*Lanes, inBytes
	t.Columns = len(t.Rows)
	t.Scratch = Address(worker.Scratch)
	p.kernel(t)
	runtime.KeepAlive(p)
}
