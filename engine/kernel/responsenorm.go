package kernel

import (
	"fmt"
	"math"
)

// Global response normalisation (Woo et al., 2023) between its passes over pixels, which sum the squares of every channel (NewPixelDot of
// an image with itself) and multiply by one factor for every channel (NewScale).

// responseNorm works on rows of one image each, in float64.
type responseNorm struct {
	rows    Layout
	epsilon float64
	grad    bool
}

// NewResponseNorm is the norm of every channel over the mean of the image's norms, from the sums of squares. Operands: 0 these, 1 Y, which
// may be the same memory. rows is Blocked(C, 1, 1, 0) or a Matrix with one row per image. Item: one image.
func NewResponseNorm(rows Layout, epsilon float64) (Primitive, error) {
	return newResponseNorm(rows, epsilon, false)
}

// NewResponseNormGrad is what an image is multiplied by for its gradient. Operands: 0 sums of squares, 1 dY, 2 the factors, which may be
// the memory of either. Item: one image.
func NewResponseNormGrad(rows Layout, epsilon float64) (Primitive, error) {
	return newResponseNorm(rows, epsilon, true)
}

func newResponseNorm(rows Layout, epsilon float64, grad bool) (Primitive, error) {
	if err := checkRowsOf("response norm", rows, rows.C); err != nil {
		return nil, err
	}
	if !(epsilon >= 0) || math.IsInf(epsilon, 0) {
		return nil, fmt.Errorf("response norm: epsilon %g, must be finite and not negative", epsilon)
	}
	return &responseNorm{rows, epsilon, grad}, nil
}

func (r *responseNorm) Name() string {
	if r.grad {
		return "responsenorm_grad"
	}
	return "responsenorm"
}

func (r *responseNorm) Items(images int) int { return images }

func (r *responseNorm) Item(_ *Worker, image int, a *Args) {
	squares, y := rowOf(a.Operand[0], r.rows, image), rowOf(a.Operand[1], r.rows, image)
	count, sum := float64(r.rows.C), 0.0
	for c := range r.rows.C {
		sum += math.Sqrt(float64(*squares.at(c)))
	}
	mean := sum/count + r.epsilon
	if r.grad {
		r.slopes(squares, y, rowOf(a.Operand[2], r.rows, image), mean)
		return
	}
	for c := range r.rows.C {
		*y.at(c) = float32(math.Sqrt(float64(*squares.at(c))) / mean)
	}
	y.clearTail()
}

// slopes are (dy/mean - sum of dy norm / (C mean mean)) / norm, and 0 for channels without a pixel that is not 0.
func (r *responseNorm) slopes(squares, dy, slopes row, mean float64) {
	sum := 0.0
	for c := range r.rows.C {
		sum += float64(float64(*dy.at(c)) * math.Sqrt(float64(*squares.at(c))))
	}
	sum /= float64(r.rows.C) * mean * mean
	for c := range r.rows.C {
		slope := 0.0
		if norm := math.Sqrt(float64(*squares.at(c))); norm != 0 {
			slope = (float64(*dy.at(c))/mean - sum) / norm
		}
		*slopes.at(c) = float32(slope)
	}
	slopes.clearTail()
}
