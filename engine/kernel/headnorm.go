package kernel

import (
	"fmt"
	"math"

	"regraft/engine/kernel/asm"
)

// HeadFactor is what normalised heads are multiplied by: one value a head, or e to the power of the value, but of no more than Most, where
// Exponential says so.
type HeadFactor struct {
	Exponential bool
	Most        float32
}

// of is the factor that belongs to a value, and how it grows with the value.
func (f HeadFactor) of(value float32) (factor, slope float64) {
	if !f.Exponential {
		return float64(value), 1
	}
	if factor = Exp(float64(min(value, f.Most))); value > f.Most {
		return factor, 0
	}
	return factor, factor
}

// headNorm divides heads of tokens by their lengths, in float64.
type headNorm struct {
	name    string
	at      Heads
	heads   int
	epsilon float64
	factor  *HeadFactor // nil for none
	out     Layout
}

func newHeadNorm(name string, at Heads, heads int, factor *HeadFactor, epsilon float64, others ...Layout) (headNorm, error) {
	n := headNorm{name, at, heads, epsilon, factor, at.Layout}
	if err := at.check(heads); err != nil {
		return n, fmt.Errorf("head norm: %w", err)
	}
	for _, l := range others {
		if err := (Heads{l, at.First, at.Step, at.Size}).check(heads); err != nil {
			return n, fmt.Errorf("head norm: %w", err)
		}
		if err := checkLayout("head norm", l, at.Layout.C, 1, at.tokens()); err != nil {
			return n, err
		}
		n.out = l
	}
	if !(epsilon >= 0) || math.IsInf(epsilon, 0) {
		return n, fmt.Errorf("head norm: epsilon %g, must be finite and not negative", epsilon)
	}
	return n, nil
}

func (n *headNorm) Name() string         { return n.name }
func (n *headNorm) Items(images int) int { return images * n.at.tokens() }
func (n *headNorm) Scratch() int         { return 2 * n.at.Size }

// behind is the operand behind x and the factors.
func (n *headNorm) behind() int {
	if n.factor != nil {
		return 2
	}
	return 1
}

// tokenOf is the channels of one token of an operand.
type tokenOf struct {
	first uintptr // of block 0
	plane uintptr
}

func tokenAt(a *Args, operand int, l Layout, image, token int) tokenOf {
	return tokenOf{tensor{operand, l}.plane(a, image, 0) + uintptr(4*token*Lanes), uintptr(4 * l.Plane)}
}

func (t tokenOf) block(b int) *[Lanes]float32 { return asm.LanesAt(t.first + uintptr(b)*t.plane) }
func (t tokenOf) at(c int) *float32           { return &t.block(c / Lanes)[c%Lanes] }

// read copies so many channels from the first on.
func (t tokenOf) read(first int, dst []float32) {
	for c := range dst {
		dst[c] = *t.at(first + c)
	}
}

// copyTo copies all channels of a layout.
func (t tokenOf) copyTo(to tokenOf, l Layout) {
	if t == to {
		return
	}
	for b := range l.Blocks() {
		*to.block(b) = *t.block(b)
	}
}

// factorOf is the factor of head h, by the operand behind x.
func (n *headNorm) factorOf(a *Args, h int) (factor, slope float64) {
	if n.factor == nil {
		return 1, 0
	}
	return n.factor.of(Floats(a.Operand[1], n.heads)[h])
}

// lengthOf is the Euclidean norm.
func lengthOf(x []float32) float64 {
	square := 0.0
	for _, v := range x {
		square += float64(v) * float64(v) // exact
	}
	return math.Sqrt(square)
}

// along is the inner product.
func along(x, y []float32) float64 {
	sum := 0.0
	for c, v := range x {
		sum += float64(v) * float64(y[c])
	}
	return sum
}

// NewHeadNorm is y = x / max(|x|, epsilon) for so many heads of every token, times a factor for each head if there are such. Other channels
// are copied. Operands: 0 X as at says, 1 the factors' values if there are any, then Y, which may be the memory of X. Item: a token of
// an image.
func NewHeadNorm(at Heads, heads int, factor *HeadFactor, epsilon float64, out Layout) (Primitive, error) {
	n, err := newHeadNorm("headnorm", at, heads, factor, epsilon, out)
	return &n, err
}

func (n *headNorm) Item(w *Worker, i int, a *Args) {
	image, token := i/n.at.tokens(), i%n.at.tokens()
	x, y := tokenAt(a, 0, n.at.Layout, image, token), tokenAt(a, n.behind(), n.out, image, token)
	x.copyTo(y, n.at.Layout)
	values := w.Scratch[:n.at.Size]
	for h := range n.heads {
		first := n.at.First + h*n.at.Step
		y.read(first, values)
		factor, _ := n.factorOf(a, h)
		scale := factor / max(lengthOf(values), n.epsilon)
		for c, v := range values {
			*y.at(first + c) = float32(scale * float64(v))
		}
	}
}

type headNormGradX struct {
	headNorm
	dy Layout
}

// NewHeadNormGradX is the gradient of NewHeadNorm's input. Operands: 0 X as at says, 1 the factors' values if there are any, then dY and dX,
// which may be one memory. Item: a token of an image.
func NewHeadNormGradX(at Heads, heads int, factor *HeadFactor, epsilon float64, dy, dx Layout) (Primitive, error) {
	n, err := newHeadNorm("headnorm_gradx", at, heads, factor, epsilon, dy, dx)
	return &headNormGradX{n, dy}, err
}

func (n *headNormGradX) Item(w *Worker, i int, a *Args) {
	image, token, behind := i/n.at.tokens(), i%n.at.tokens(), n.behind()
	x, dy, dx := tokenAt(a, 0, n.at.Layout, image, token), tokenAt(a, behind, n.dy, image, token), tokenAt(a, behind+1, n.out, image, token)
	dy.copyTo(dx, n.at.Layout)
	values, slopes := w.Scratch[:n.at.Size], w.Scratch[n.at.Size:2*n.at.Size]
	for h := range n.heads {
		first := n.at.First + h*n.at.Step
		x.read(first, values)
		dx.read(first, slopes)
		length, own := lengthOf(values), 0.0 // the part of dy in the direction of x
		if length >= n.epsilon {
			own = along(values, slopes) / float64(length*length)
		}
		factor, _ := n.factorOf(a, h)
		scale := factor / max(length, n.epsilon)
		for c, v := range values {
			*dx.at(first + c) = float32(scale * (float64(slopes[c]) - float64(own*float64(v))))
		}
	}
}

type headNormGradFactor struct {
	headNorm
	dy Layout
}

// NewHeadNormGradFactor is the gradient of NewHeadNorm's factors in their values. Operands: 0 X, 1 the values, 2 dY, 3 the gradient (heads).
// Item: a head.
func NewHeadNormGradFactor(at Heads, heads int, factor HeadFactor, epsilon float64, dy Layout) (Primitive, error) {
	n, err := newHeadNorm("headnorm_gradfactor", at, heads, &factor, epsilon, dy)
	return &headNormGradFactor{n, dy}, err
}

func (n *headNormGradFactor) Items(int) int { return n.heads }

func (n *headNormGradFactor) Item(w *Worker, h int, a *Args) {
	values, slopes, sum := w.Scratch[:n.at.Size], w.Scratch[n.at.Size:2*n.at.Size], 0.0
	first := n.at.First + h*n.at.Step
	for i := range a.Images * n.at.tokens() {
		image, token := i/n.at.tokens(), i%n.at.tokens()
		tokenAt(a, 0, n.at.Layout, image, token).read(first, values)
		tokenAt(a, 2, n.dy, image, token).read(first, slopes)
		sum += along(values, slopes) / max(lengthOf(values), n.epsilon)
	}
	_, slope := n.factorOf(a, h)
	Floats(a.Operand[3], n.heads)[h] = float32(slope * sum)
}
