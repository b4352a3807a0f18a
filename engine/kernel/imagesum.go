package kernel

import (
	"fmt"

	"regraft/engine/kernel/asm"
)

// imageSum adds images up, element by element, in float64 and in their order.
type imageSum struct{ x, y tensor }

// NewImageSum sums what all images have at the same place, the gradient of a table that was added to every image. Operands: 0 X,
// 1 Y, one image. Item: one row of one block.
func NewImageSum(in, out Layout) (Primitive, error) {
	for _, l := range []Layout{in, out} {
		if !l.blocked() || l.C != in.C || l.H != in.H || l.W != in.W || min(l.C, l.H, l.W) < 1 {
			return nil, fmt.Errorf("sum of images: %v to %v", in, out)
		}
	}
	return &imageSum{tensor{0, in}, tensor{1, out}}, nil
}

func (*imageSum) Name() string    { return "imagesum" }
func (s *imageSum) Items(int) int { return s.x.layout.Blocks() * s.x.layout.H }

func (s *imageSum) Item(_ *Worker, i int, a *Args) {
	block, row := i/s.x.layout.H, i%s.x.layout.H
	for p := range s.x.layout.W {
		var sum [Lanes]float64
		for image := range a.Images {
			x := asm.LanesAt(s.x.plane(a, image, block) + uintptr(4*(row*s.x.layout.Row+p*Lanes)))
			for c, v := range x {
				sum[c] += float64(v)
			}
		}
		y := asm.LanesAt(s.y.plane(a, 0, block) + uintptr(4*(row*s.y.layout.Row+p*Lanes)))
		for c, v := range sum {
			y[c] = float32(v)
		}
	}
}
