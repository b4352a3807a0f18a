package kernel

import (
	"fmt"
	"math"

	"regraft/engine/kernel/asm"
)

// row is the channels of one image in a layout of single pixels: a Matrix, or Blocked(c, 1, 1, 0).
type row struct {
	base   uintptr
	layout Layout
}

func rowOf(p uintptr, l Layout, image int) row {
	return row{p + uintptr(4*rowOffset(l, image)), l}
}

func (r row) lanes(block int) *[Lanes]float32 {
	return asm.LanesAt(r.base + uintptr(4*block*r.layout.Plane))
}

func (r row) at(c int) *float32 { return &r.lanes(c / Lanes)[c%Lanes] }

// clearTail zeroes the lanes past the last channel.
func (r row) clearTail() {
	if c := r.layout.C % Lanes; c != 0 {
		clear(r.lanes(r.layout.Blocks() - 1)[c:])
	}
}

// maximum and total are max x and sum e**(x - max), the class order being fixed.
func (r row) maximum() float64 {
	best := math.Inf(-1)
	for c := range r.layout.C {
		best = math.Max(best, float64(*r.at(c))) // NaN wins
	}
	return best
}

func (r row) total(maximum float64) float64 {
	total := 0.0
	for c := range r.layout.C {
		total += Exp(float64(*r.at(c)) - maximum)
	}
	return total
}

func checkRows(what string, l Layout) error {
	if !l.blocked() || l.H != 1 || l.C < 1 || l.W < 1 {
		return fmt.Errorf("%s: layout %v, must be an (N, C) matrix", what, l)
	}
	return nil
}

// checkRowsOf refuses a layout that does not hold rows of c channels.
func checkRowsOf(what string, l Layout, c int) error {
	if err := checkRows(what, l); err != nil {
		return err
	}
	return checkLayout(what, l, c, 1, l.W)
}

// softmax is e**x over its sum.
type softmax struct{ in, out Layout }

// NewSoftmax is the softmax over the channels of an (N, C) matrix, in float64. Operands: 0 X, 1 Y, which
// may be the same memory. Item: one image.
func NewSoftmax(in, out Layout) (Primitive, error) {
	if err := checkRows("softmax input", in); err != nil {
		return nil, err
	}
	if err := checkRowsOf("softmax output", out, in.C); err != nil {
		return nil, err
	}
	return &softmax{in, out}, nil
}

func (p *softmax) Name() string         { return "softmax" }
func (p *softmax) Items(images int) int { return images }

func (p *softmax) Item(_ *Worker, image int, a *Args) {
	x, y := rowOf(a.Operand[0], p.in, image), rowOf(a.Operand[1], p.out, image)
	best := x.maximum()
	total := x.total(best)
	for c := range p.in.C {
		*y.at(c) = float32(Exp(float64(*x.at(c))-best) / total)
	}
	y.clearTail()
}

// crossEntropy is the loss of softmax and its gradient.
type crossEntropy struct {
	layout Layout
	weight float64
}

// NewSoftmaxCrossEntropy is PyTorch's cross_entropy on n rows of logits whose targets are no class ids: the loss of a row is -sum over
// classes c of t_c log p_c, with p the softmax and any targets t that are not negative. It writes the mean loss, and weight times its
// gradient. Operands: 0 logits, 1 targets (n, classes), row-major, 2 gradient of the logits, 3 the mean loss (one float); 0 and 2 are
// Matrix(n, classes). One item.
func NewSoftmaxCrossEntropy(n, classes int, weight float32) (Primitive, error) {
	if n < 1 || classes < 1 {
		return nil, fmt.Errorf("cross entropy: logits of %d rows and %d classes", n, classes)
	}
	return &crossEntropy{Matrix(n, classes), float64(weight)}, nil
}

func (p *crossEntropy) Name() string  { return "softmax_cross_entropy" }
func (p *crossEntropy) Items(int) int { return 1 }

func (p *crossEntropy) Item(_ *Worker, _ int, a *Args) {
	n, classes := p.layout.W, p.layout.C
	sum, targets := 0.0, asm.FloatsAt(a.Operand[1], n*classes)
	for i := range n {
		sum += p.row(rowOf(a.Operand[0], p.layout, i), rowOf(a.Operand[2], p.layout, i), targets[i*classes:(i+1)*classes])
	}
	asm.FloatsAt(a.Operand[3], 1)[0] = float32(sum / float64(n))
}

// row writes the gradient of one row and returns its loss.
func (p *crossEntropy) row(x, dx row, targets []float32) (loss float64) {
	best, all := x.maximum(), 0.0
	total := x.total(best)
	logTotal := Log(total)
	for _, t := range targets {
		all += float64(t)
	}
	scale := p.weight / float64(p.layout.W)
	for c, t := range targets {
		target := float64(t)
		v := float64(*x.at(c)) - best
		if target != 0 || math.IsNaN(logTotal) { // 0 times an infinite logarithm counts for nothing
			loss += float64(target * (logTotal - v))
		}
		*dx.at(c) = float32((float64(Exp(v)/total*all) - target) * scale)
	}
	dx.clearTail()
	return loss
}
