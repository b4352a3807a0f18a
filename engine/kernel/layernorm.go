package kernel

import (
	"fmt"
	"math"

	"regraft/engine/kernel/asm"
)

// Layer normalisation of every pixel over its channels (Ba, Kiros and Hinton, 2016; in images ConvNeXt's), in float64 and
// plain Go, so with the same bits everywhere.

// pixelNorm is what the forward pass and the gradients share.
type pixelNorm struct {
	name    string
	x, y    tensor // y is dY in gradients
	out     tensor
	epsilon float64
}

func newPixelNorm(name string, epsilon float64, x, y, out tensor) (pixelNorm, error) {
	for _, t := range []tensor{x, y, out} {
		if l := t.layout; !l.blocked() || l.C != x.layout.C || l.H != x.layout.H || l.W != x.layout.W || min(l.C, l.H, l.W) < 1 {
			return pixelNorm{}, fmt.Errorf("%s: operand %d is %v, operand %d is %v", name, t.at, l, x.at, x.layout)
		}
	}
	if !(epsilon >= 0) || math.IsInf(epsilon, 0) {
		return pixelNorm{}, fmt.Errorf("%s: epsilon %g, must be finite and not negative", name, epsilon)
	}
	return pixelNorm{name, x, y, out, epsilon}, nil
}

func (n *pixelNorm) Name() string         { return n.name }
func (n *pixelNorm) Items(images int) int { return images * n.x.layout.H }

// pixel is the channels of one pixel.
func (t tensor) pixel(a *Args, image, r, p int) row {
	return row{t.plane(a, image, 0) + uintptr(4*(r*t.layout.Row+p*Lanes)), t.layout}
}

// channels is the lanes of a block that are channels.
func (r row) channels(block int) []float32 {
	return r.lanes(block)[:min(Lanes, r.layout.C-block*Lanes)]
}

// statistics are the mean over the channels of x and 1/sqrt(variance + epsilon). Sums have four chains each, so that one addition
// need not wait for the last.
func (n *pixelNorm) statistics(x row) (mean, inverse float64) {
	var s0, s1, s2, s3 float64
	for b := range x.layout.Blocks() {
		v := x.channels(b)
		for ; len(v) >= 4; v = v[4:] {
			s0, s1, s2, s3 = s0+float64(v[0]), s1+float64(v[1]), s2+float64(v[2]), s3+float64(v[3])
		}
		for _, v := range v {
			s0 += float64(v)
		}
	}
	count := float64(x.layout.C)
	mean = (s0 + s1 + s2 + s3) / count
	s0, s1, s2, s3 = 0, 0, 0, 0
	for b := range x.layout.Blocks() {
		v := x.channels(b)
		for ; len(v) >= 4; v = v[4:] {
			s0, s1 = s0+square(float64(v[0])-mean), s1+square(float64(v[1])-mean)
			s2, s3 = s2+square(float64(v[2])-mean), s3+square(float64(v[3])-mean)
		}
		for _, v := range v {
			s0 += square(float64(v) - mean)
		}
	}
	return mean, 1 / math.Sqrt((s0+s1+s2+s3)/count+n.epsilon)
}

func square(d float64) float64 { return float64(d * d) }

// parameter is a block of a vector of one float per channel.
func parameter(a *Args, operand, block int) *[Lanes]float32 {
	return asm.LanesAt(a.Operand[operand] + uintptr(4*block*Lanes))
}

type layerNorm struct{ pixelNorm }

// NewLayerNorm is y = (x - mean) / sqrt(variance + epsilon) * gamma + beta with the mean and the biased variance over the
// channels of every pixel. Operands: 0 X, 1 gamma, 2 beta (C floats each, rounded up to whole blocks), 3 Y, which may
// be the memory of X. Item: one row.
func NewLayerNorm(in, out Layout, epsilon float64) (Primitive, error) {
	n, err := newPixelNorm("layernorm", epsilon, tensor{0, in}, tensor{0, in}, tensor{3, out})
	return &layerNorm{n}, err
}

func (n *layerNorm) Item(_ *Worker, i int, a *Args) {
	l := n.x.layout
	for p := range l.W {
		x, y := n.x.pixel(a, i/l.H, i%l.H, p), n.out.pixel(a, i/l.H, i%l.H, p)
		mean, inverse := n.statistics(x)
		for b := range l.Blocks() {
			gamma, beta, out := parameter(a, 1, b), parameter(a, 2, b), y.lanes(b)
			for c, v := range x.lanes(b) {
				hat := (float64(v) - mean) * inverse
				out[c] = float32(float64(hat*float64(gamma[c])) + float64(beta[c]))
			}
		}
		y.clearTail()
	}
}

type layerNormGradX struct{ pixelNorm }

// NewLayerNormGradX is the gradient of NewLayerNorm's input: with x normalised h and g = gamma dy,
//
//	dx = (g - mean(g) - h mean(g h)) / sqrt(variance + epsilon)
//
// Operands: 0 X, 1 gamma, 2 dY, 3 dX, which may be the memory of dY. Item: one row.
func NewLayerNormGradX(x, dy, dx Layout, epsilon float64) (Primitive, error) {
	n, err := newPixelNorm("layernorm_gradx", epsilon, tensor{0, x}, tensor{2, dy}, tensor{3, dx})
	return &layerNormGradX{n}, err
}

func (n *layerNormGradX) Item(_ *Worker, i int, a *Args) {
	l := n.x.layout
	count := float64(l.C)
	for p := range l.W {
		image, r := i/l.H, i%l.H
		x, dy, dx := n.x.pixel(a, image, r, p), n.y.pixel(a, image, r, p), n.out.pixel(a, image, r, p)
		mean, inverse := n.statistics(x)
		sum, sumHat := 0.0, 0.0
		for b := range l.Blocks() {
			gamma, d := parameter(a, 1, b), dy.channels(b)
			for c, v := range x.channels(b) {
				g := float64(d[c]) * float64(gamma[c])
				sum += float64(g)
				sumHat += float64(g * (float64(v) - mean))
			}
		}
		sum, sumHat = sum/count, sumHat*inverse*inverse/count
		for b := range l.Blocks() {
			gamma, d, out := parameter(a, 1, b), dy.channels(b), dx.channels(b)
			for c, v := range x.channels(b) {
				g := float64(d[c]) * float64(gamma[c])
				out[c] = float32((float64(g) - sum - float64((float64(v)-mean)*sumHat)) * inverse)
			}
		}
		dx.clearTail()
	}
}

type layerNormGradGamma struct{ pixelNorm }

// NewLayerNormGradGamma sums dy times the normalised x of every row and channel, for NewLayerNormGradGammaFinish. Operands: 0 X,
// 1 dY, 2 slots. Item: one row.
func NewLayerNormGradGamma(x, dy Layout, epsilon float64) (Slotted, error) {
	n, err := newPixelNorm("layernorm_gradgamma", epsilon, tensor{0, x}, tensor{1, dy}, tensor{0, x})
	return &layerNormGradGamma{n}, err
}

func (n *layerNormGradGamma) Slots(images int) int {
	return n.Items(images) * n.x.layout.Blocks() * Lanes * 2
}

func (n *layerNormGradGamma) Item(_ *Worker, i int, a *Args) {
	l := n.x.layout
	slot := a.Operand[2] + uintptr(8*i*l.Blocks()*Lanes)
	clear(asm.DoublesAt(slot, l.Blocks()*Lanes))
	for p := range l.W {
		x, dy := n.x.pixel(a, i/l.H, i%l.H, p), n.y.pixel(a, i/l.H, i%l.H, p)
		mean, inverse := n.statistics(x)
		for b := range l.Blocks() {
			sums, d := asm.SumsAt(slot+uintptr(8*b*Lanes)), dy.channels(b)
			for c, v := range x.channels(b) {
				sums[c] += float64(float64(d[c]) * ((float64(v) - mean) * inverse))
			}
		}
	}
}

// layerNormGradGammaFinish adds the slots in the order of images and rows.
type layerNormGradGammaFinish struct{ x Layout }

// NewLayerNormGradGammaFinish adds the slots of NewLayerNormGradGamma for the same x. Operands: 0 slots, 1 dgamma (C floats
// rounded up to whole blocks). Item: one block.
func NewLayerNormGradGammaFinish(x Layout) Primitive { return &layerNormGradGammaFinish{x} }

func (p *layerNormGradGammaFinish) Name() string  { return "layernorm_gradgamma_finish" }
func (p *layerNormGradGammaFinish) Items(int) int { return p.x.Blocks() }

func (p *layerNormGradGammaFinish) Item(_ *Worker, block int, a *Args) {
	var sum [1][Lanes]float64
	addSlots(sum[:], a.Operand[0], p.x.Blocks(), block, a.Images*p.x.H)
	out := parameter(a, 1, block)
	for c := range out {
		out[c] = float32(sum[0][c])
	}
}
