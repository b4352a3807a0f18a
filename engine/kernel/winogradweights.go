package kernel

import (
	"fmt"
	"runtime"
	"slices"
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
	filterOf := func(o, c int) []float32 { return oihw[(o*s.Cin+c)*taps:][:taps] }
	if w.gradient { // its filters are those of the forward convolution, transposed and turned round
		filterOf = func(o, c int) []float32 {
			f := slices.Clone(oihw[(c*s.Cout+o)*taps:][:taps])
			slices.Reverse(f)
			return f
		}
	}
	g := w.algorithm.F().G()
	var filters, half, products [maxProducts]wide
	for _, b := range w.blocks {
		for block := b.first; block < b.first+b.k; block++ {
			lanes := min(Lanes, s.Cout-block*Lanes)
			for c := range s.Cin {
				for o := range lanes {
					for t, v := range filterOf(block*Lanes+o, c) {
						filters[t][o] = float64(v)
					}
				}
				n := w.transformFilters(products[:], half[:], filters[:taps], g)
				for q := range n {
					row := dst[w.weightAt(b, block, c, q):][:lanes]
					for o := range row {
						row[o] = float32(products[q][o])
					}
				}
			}
		}
	}
}

const maxProducts = 64 // of F(4x4,5x5)

// wide is one weight of 16 filters.
type wide [Lanes]float64

// transformFilters computes G w, or G w G^T, of 16 filters at once and returns the number of products.
func (w *Winograd) transformFilters(products, half, filters []wide, g [][]float64) int {
	r := w.algorithm.Taps
	if w.algorithm.Dims == 1 {
		for i, row := range g {
			products[i] = combine(row, filters, 1)
		}
		return len(g)
	}
	for i, row := range g {
		for b := range r {
			half[i*r+b] = combine(row, filters[b:], r)
		}
	}
	for i := range g {
		for j, row := range g {
			products[i*len(g)+j] = combine(row, half[i*r:], 1)
		}
	}
	return len(g) * len(g)
}

// combine is the sum of coefficients times values step apart.
func combine(coefficients []float64, values []wide, step int) (sum wide) {
	for i, c := range coefficients {
		if c == 0 {
			continue
		}
		v := &values[i*step]
		for l := range sum {
			sum[l] += float64(c * v[l])
		}
	}
	return sum
}

// weightAt is where the weights of an output block (in group b) and input c begin for a position.
func (w *Winograd) weightAt(b winogradBlocks, block, c, position int) int {
	row := b.first*w.algorithm.Products() + position*b.k + block - b.first
	return ((row*w.in.Blocks()+c/Lanes)*Lanes + c%Lanes) * Lanes
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
