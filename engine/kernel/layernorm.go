package kernel

import (
	"fmt"
	"math"

	"regraft/engine/kernel/abi"
	"regraft/engine/kernel/asm"
)

// Layer normalisation of every pixel over its channels (Ba, Kiros and Hinton, 2016; in images ConvNeXt's). Sums over the channels are
// sixteen partial sums in float32, which are added in float64; the variance is that of the differences from the mean.

// normPixels is the most pixels of an item.
const normPixels = 32

// pixelNorm is what the forward pass and the gradients share.
type pixelNorm struct {
	name    string
	set     *Set
	x, y    tensor // y is dY in gradients
	out     tensor
	epsilon float64
}

func newPixelNorm(set *Set, name string, epsilon float64, x, y, out tensor) (pixelNorm, error) {
	for _, t := range []tensor{x, y, out} {
		if l := t.layout; !l.blocked() || l.C != x.layout.C || l.H != x.layout.H || l.W != x.layout.W || min(l.C, l.H, l.W) < 1 {
			return pixelNorm{}, fmt.Errorf("%s: operand %d is %v, operand %d is %v", name, t.at, l, x.at, x.layout)
		}
	}
	if !(epsilon >= 0) || math.IsInf(epsilon, 0) {
		return pixelNorm{}, fmt.Errorf("%s: epsilon %g, must be finite and not negative", name, epsilon)
	}
	return pixelNorm{name, set, x, y, out, epsilon}, nil
}

func (n *pixelNorm) Name() string         { return fmt.Sprintf("%s_f32_%s", n.name, n.set) }
func (n *pixelNorm) Items(images int) int { return images * normItems(n.x.layout) }

// normItems is the items of an image: pieces of its rows.
func normItems(l Layout) int { return l.H * normPieces(l) }

func normPieces(l Layout) int { return (l.W + normPixels - 1) / normPixels }

// Scratch is margins for the mean, the standard deviation and two sums, and a run of differences.
func (n *pixelNorm) Scratch() int {
	pixels := min(normPixels, n.x.layout.W)
	return 4*marginLen(pixels) + n.x.layout.Blocks()*pixels*Lanes
}

// normItem is an item at work.
type normItem struct {
	*pixelNorm
	w          *Worker
	x, y, out  pixelRun
	difference pixelRun // x - mean
	mean       pixelRun // margins,
	inverse    pixelRun // 1/sqrt(variance + epsilon)
	sum, part  pixelRun
}

// item finds the pixels of an item, with differences in scratch.
func (n *pixelNorm) item(w *Worker, i int, a *Args) *normItem {
	l := n.x.layout
	image, row, piece := i/normItems(l), i%normItems(l)/normPieces(l), i%normPieces(l)
	first, end := l.W*piece/normPieces(l), l.W*(piece+1)/normPieces(l)
	run := func(t tensor) pixelRun {
		return pixelRun{t.plane(a, image, 0) + uintptr(4*(row*t.layout.Row+first*Lanes)), 4 * t.layout.Plane, l.Blocks(), end - first}
	}
	r := &normItem{pixelNorm: n, w: w, x: run(n.x), y: run(n.y), out: run(n.out)}
	size := r.x.count * Lanes
	take := parts(w.Scratch)
	for _, m := range []*pixelRun{&r.mean, &r.inverse, &r.sum, &r.part} {
		*m = r.x.margin(take(marginLen(r.x.count)))
	}
	r.difference = pixelRun{Address(take(l.Blocks() * size)), 4 * size, l.Blocks(), r.x.count}
	return r
}

// run is out = f(x, y).
func (r *normItem) run(k planeKernel, out, x, y pixelRun, vectors ...uintptr) {
	out.each(r.w, r.set, k, x, y, none, vectors...)
}

// total sums the channels of x into a margin, and hands every pixel's sum to f.
func (r *normItem) total(k planeKernel, margin, x pixelRun, f func(sum float64) float64) {
	margin.fill(0)
	r.run(k, margin, x, margin)
	margin.spread(r.w, r.set, func(_ int, sum float64) float32 { return float32(f(sum)) })
}

// normalise fills mean, inverse and, with zeros past the last channel, differences.
func (r *normItem) normalise(differences pixelRun) {
	count := float64(r.pixelNorm.x.layout.C)
	r.total(addKernel, r.mean, r.x, func(sum float64) float64 { return sum / count })
	r.run(subKernel, differences, r.x, r.mean)
	r.clearTail(differences)
	r.total(addSquareKernel, r.inverse, differences, func(sum float64) float64 { return 1 / math.Sqrt(sum/count+r.epsilon) })
}

// clearTail zeroes the lanes past the last channel.
func (r *normItem) clearTail(run pixelRun) {
	used := r.pixelNorm.x.layout.C % Lanes
	if used == 0 {
		return
	}
	for p := range run.count {
		clear(asm.LanesAt(run.block(run.blocks-1) + uintptr(4*p*Lanes))[used:])
	}
}

type layerNorm struct{ pixelNorm }

// NewLayerNorm is y = (x - mean) / sqrt(variance + epsilon) * gamma + beta with the mean and the biased variance over the
// channels of every pixel. Operands: 0 X, 1 gamma, 2 beta (C floats each, rounded up to whole blocks), 3 Y, which may
// be the memory of X. Item: a piece of a row.
func NewLayerNorm(set *Set, in, out Layout, epsilon float64) (Primitive, error) {
	n, err := newPixelNorm(set, "layernorm", epsilon, tensor{0, in}, tensor{0, in}, tensor{3, out})
	return &layerNorm{n}, err
}

func (n *layerNorm) Item(w *Worker, i int, a *Args) {
	r := n.item(w, i, a)
	r.normalise(r.out)
	r.run(normalizeKernel, r.out, r.out, r.inverse, a.Operand[1], a.Operand[2])
	r.clearTail(r.out)
}

type layerNormGradX struct{ pixelNorm }

// NewLayerNormGradX is the gradient of NewLayerNorm's input: with d = x - mean, s = 1/sqrt(variance + epsilon) and g = gamma dy,
//
//	dx = (g - d s s mean(g d) - mean(g)) s
//
// Operands: 0 X, 1 gamma, 2 dY, 3 dX, which may be the memory of dY. Item: a piece of a row.
func NewLayerNormGradX(set *Set, x, dy, dx Layout, epsilon float64) (Primitive, error) {
	n, err := newPixelNorm(set, "layernorm_gradx", epsilon, tensor{0, x}, tensor{2, dy}, tensor{3, dx})
	return &layerNormGradX{n}, err
}

func (n *layerNormGradX) Item(w *Worker, i int, a *Args) {
	r := n.item(w, i, a)
	d, g, count := r.difference, r.out, float64(n.x.layout.C)
	r.normalise(d)
	r.run(scaleKernel, g, r.y, r.y, a.Operand[1])
	r.total(addKernel, r.mean, g, func(sum float64) float64 { return sum / count }) // of g from here on
	r.sum.fill(0)
	for b := range d.blocks {
		r.run(mulKernel, r.part.one(b), g.one(b), d.one(b))
		r.run(addKernel, r.sum.one(b), r.part.one(b), r.sum.one(b))
	}
	r.sum.spread(w, n.set, func(p int, sum float64) float32 {
		inverse := float64(r.inverse.pixel(p)[0])
		return float32(-sum / count * inverse * inverse)
	})
	r.run(mulKernel, d, d, r.sum)
	r.run(addKernel, g, g, d)
	r.run(subKernel, g, g, r.mean)
	r.run(mulKernel, g, g, r.inverse)
	r.clearTail(g)
}

type layerNormGradGamma struct{ pixelNorm }

// NewLayerNormGradGamma sums dy times the normalised x of every item and channel, for NewLayerNormGradGammaFinish. Operands: 0 X,
// 1 dY, 2 slots. Item: a piece of a row.
func NewLayerNormGradGamma(set *Set, x, dy Layout, epsilon float64) (Slotted, error) {
	n, err := newPixelNorm(set, "layernorm_gradgamma", epsilon, tensor{0, x}, tensor{1, dy}, tensor{0, x})
	return &layerNormGradGamma{n}, err
}

func (n *layerNormGradGamma) Slots(images int) int {
	return n.Items(images) * n.x.layout.Blocks() * Lanes * 2
}

func (n *layerNormGradGamma) Item(w *Worker, i int, a *Args) {
	r := n.item(w, i, a)
	r.normalise(r.difference)
	r.run(mulKernel, r.difference, r.difference, r.inverse)
	blocks := r.x.blocks
	slot := a.Operand[2] + uintptr(8*i*blocks*Lanes)
	clear(asm.DoublesAt(slot, blocks*Lanes))
	t := argsOf[abi.Plane](w)
	for b := range blocks {
		t.X, t.Y, t.Out = r.y.block(b), r.difference.block(b), r.difference.block(b)
		t.Rows, t.Pixels, t.Sum = 1, r.x.count, slot+uintptr(8*b*Lanes)
		n.set.Plane[string(dotKernel)].Run(t)
	}
}

// layerNormGradGammaFinish adds the slots in the order of images, rows and their pieces.
type layerNormGradGammaFinish struct{ x Layout }

// NewLayerNormGradGammaFinish adds the slots of NewLayerNormGradGamma for the same x. Operands: 0 slots, 1 dgamma (C floats
// rounded up to whole blocks). Item: one block.
func NewLayerNormGradGammaFinish(x Layout) Primitive { return &layerNormGradGammaFinish{x} }

func (p *layerNormGradGammaFinish) Name() string  { return "layernorm_gradgamma_finish" }
func (p *layerNormGradGammaFinish) Items(int) int { return p.x.Blocks() }

func (p *layerNormGradGammaFinish) Item(_ *Worker, block int, a *Args) {
	var sum [1][Lanes]float64
	addSlots(sum[:], a.Operand[0], p.x.Blocks(), block, a.Images*normItems(p.x))
	out := asm.LanesAt(a.Operand[1] + uintptr(4*block*Lanes))
	for c := range out {
		out[c] = float32(sum[0][c])
	}
}
