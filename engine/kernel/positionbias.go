package kernel

import (
	"fmt"

	"regraft/engine/kernel/asm"
)

// The continuous relative position bias of attention (Swin V2; Liu et al., 2022): a network of two layers that depends on no image. It is
// small beside all else, and computed in plain Go with sums in float64.

// PositionBias is the geometry: Heads values for each of Distances, Scale sigmoid(w2 relu(w1 x + b1)), which so many Queries and their keys
// pick by Index. Where Inputs is 0, w1 x is known.
type PositionBias struct {
	Heads, Hidden, Inputs, Distances int
	Index                            []int
	Queries                          int
	Scale                            float32
}

// scratchDoubles is the worker's scratch as so many float64.
func scratchDoubles(w *Worker, n int) []float64 { return asm.DoublesAt(Address(w.Scratch[:2*n]), n) }

func (p PositionBias) check() error {
	if min(p.Heads, p.Hidden, p.Distances, p.Queries) < 1 || p.Inputs < 0 || len(p.Index)%p.Queries != 0 {
		return fmt.Errorf("position bias: %d heads, %d hidden values, %d distances, %d queries", p.Heads, p.Hidden, p.Distances, p.Queries)
	}
	for _, at := range p.Index {
		if at < 0 || at >= p.Distances {
			return fmt.Errorf("position bias: distance %d of %d", at, p.Distances)
		}
	}
	return nil
}

// Flops is the arithmetic of both layers.
func (p PositionBias) Flops() float64 {
	return float64(2 * p.Distances * p.Hidden * (p.Inputs + p.Heads))
}

// operands is the number of operands that the bias depends on: w2 (Heads, Hidden), b1 (Hidden), w1 (Hidden, Inputs) and x (Distances, Inputs),
// or w1 x (Distances, Hidden) in place of both.
func (p PositionBias) operands() int {
	if p.Inputs == 0 {
		return 3
	}
	return 4
}

// product is value m of w1 x for distance d.
func (p PositionBias) product(a *Args, d, m int) float64 {
	if p.Inputs == 0 {
		return float64(Floats(a.Operand[2], p.Distances*p.Hidden)[d*p.Hidden+m])
	}
	w, x, sum := Floats(a.Operand[2], p.Hidden*p.Inputs)[m*p.Inputs:], Floats(a.Operand[3], p.Distances*p.Inputs)[d*p.Inputs:], 0.0
	for k := range p.Inputs {
		sum += float64(w[k]) * float64(x[k])
	}
	return sum
}

// hidden is value m behind the first layer.
func (p PositionBias) hidden(a *Args, d, m int) float64 {
	return max(p.product(a, d, m)+float64(Floats(a.Operand[1], p.Hidden)[m]), 0)
}

// sigmoids fills dst with those of a distance, by head.
func (p PositionBias) sigmoids(a *Args, d int, dst []float64) {
	clear(dst)
	w := Floats(a.Operand[0], p.Heads*p.Hidden)
	for m := range p.Hidden {
		v := p.hidden(a, d, m)
		for h := range dst {
			dst[h] += float64(float64(w[h*p.Hidden+m]) * v)
		}
	}
	for h, v := range dst {
		dst[h] = 1 / (1 + Exp(-v))
	}
}

type positionBias struct {
	PositionBias
	places [][]int // in Index, by distance
}

func newPositionBias(p PositionBias) (positionBias, error) {
	if err := p.check(); err != nil {
		return positionBias{}, err
	}
	places := make([][]int, p.Distances)
	for k, at := range p.Index {
		places[at] = append(places[at], k)
	}
	return positionBias{p, places}, nil
}

// NewPositionBias computes the bias (Heads, queries, keys), row-major. Operands: 0 w2, 1 b1, 2 w1 and 3 x, or 2 w1 x, then the bias. Item: a
// distance.
func NewPositionBias(p PositionBias) (Primitive, error) {
	b, err := newPositionBias(p)
	return &b, err
}

func (*positionBias) Name() string    { return "positionbias" }
func (p *positionBias) Items(int) int { return p.Distances }
func (p *positionBias) Scratch() int  { return 2 * p.Heads }

func (p *positionBias) Item(w *Worker, d int, a *Args) {
	values := scratchDoubles(w, p.Heads)
	p.sigmoids(a, d, values)
	out := Floats(a.Operand[p.operands()], p.Heads*len(p.Index))
	for h, v := range values {
		for _, k := range p.places[d] {
			out[h*len(p.Index)+k] = float32(float64(p.Scale) * v)
		}
	}
}

// positionSlopes is positionBias with another end.
type positionSlopes struct{ positionBias }

// NewPositionSlopes computes the gradient in w2 relu(w1 x + b1), (Distances, Heads). Operands: those of NewPositionBias, its gradient in place
// of the result, and the slopes. Item: a distance.
func NewPositionSlopes(p PositionBias) (Primitive, error) {
	b, err := newPositionBias(p)
	return &positionSlopes{b}, err
}

func (*positionSlopes) Name() string { return "positionbias_slopes" }

func (p *positionSlopes) Item(w *Worker, d int, a *Args) {
	values := scratchDoubles(w, p.Heads)
	p.sigmoids(a, d, values)
	dy, out := Floats(a.Operand[p.operands()], p.Heads*len(p.Index)), Floats(a.Operand[p.operands()+1], p.Distances*p.Heads)
	for h, s := range values {
		sum := 0.0
		for _, k := range p.places[d] {
			sum += float64(dy[h*len(p.Index)+k])
		}
		out[d*p.Heads+h] = float32(sum * float64(p.Scale) * s * (1 - s))
	}
}

// positionGrad is the gradient in operand of.
type positionGrad struct {
	PositionBias
	of int
}

// NewPositionBiasGrad is the gradient in operand 0, 1 or 2 of NewPositionBias. Operands: those of NewPositionBias, the slopes in place of the
// result, and the gradient. Item: a hidden value.
func NewPositionBiasGrad(p PositionBias, of int) (Primitive, error) {
	if of < 0 || of > 2 {
		return nil, fmt.Errorf("position bias: no gradient in operand %d", of)
	}
	return &positionGrad{p, of}, p.check()
}

func (*positionGrad) Name() string    { return "positionbias_grad" }
func (p *positionGrad) Items(int) int { return p.Hidden }
func (p *positionGrad) Scratch() int  { return 2 * max(p.Heads, p.Inputs, 1) }

func (p *positionGrad) Item(w *Worker, m int, a *Args) {
	slopes, w2 := Floats(a.Operand[p.operands()], p.Distances*p.Heads), Floats(a.Operand[0], p.Heads*p.Hidden)
	result := a.Operand[p.operands()+1]
	sums := scratchDoubles(w, max(p.Heads, p.Inputs, 1))
	clear(sums)
	for d := range p.Distances {
		value, own := p.hidden(a, d, m), slopes[d*p.Heads:][:p.Heads]
		if p.of == 0 {
			for h, s := range own {
				sums[h] += float64(float64(s) * value)
			}
			continue
		}
		g := 0.0
		if value > 0 {
			for h, s := range own {
				g += float64(s) * float64(w2[h*p.Hidden+m])
			}
		}
		switch {
		case p.of == 1:
			sums[0] += g
		case p.Inputs == 0:
			Floats(result, p.Distances*p.Hidden)[d*p.Hidden+m] = float32(g)
		default:
			for k, x := range Floats(a.Operand[3], p.Distances*p.Inputs)[d*p.Inputs:][:p.Inputs] {
				sums[k] += float64(g * float64(x))
			}
		}
	}
	switch {
	case p.of == 0:
		for h := range p.Heads {
			Floats(result, p.Heads*p.Hidden)[h*p.Hidden+m] = float32(sums[h])
		}
	case p.of == 1:
		Floats(result, p.Hidden)[m] = float32(sums[0])
	case p.Inputs > 0:
		for k := range p.Inputs {
			Floats(result, p.Hidden*p.Inputs)[m*p.Inputs+k] = float32(sums[k])
		}
	}
}
