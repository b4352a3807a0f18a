package photo

import (
	"math"

	"regraft/engine/random"
)

// View is a way to look at a photo: which part of it is prepared as if it were the photo, and whether that is mirrored. 0 is the
// whole photo, 2, 4, 6 and 8 are its corners and all further even ones parts that are drawn once for all; every odd one is the mirror
// image of the one before.
type View int

// cornerSide is the share of both sides that a corner has.
const cornerSide = 0.86

// drawnSide is the least share of the sides of parts that are drawn.
const drawnSide = 0.7

// augmentation is the view of a w x h photo.
func (v View) augmentation(w, h int) Augmentation {
	a := Augmentation{FlipX: v%2 == 1, ByRule: true}
	side, right, down := 1.0, 0.0, 0.0 // right and down: shares of what is left over
	switch part := v / 2; part {
	case 0:
		return a
	case 1:
		side = cornerSide
	case 2:
		side, right, down = cornerSide, 1, 1
	case 3:
		side, right = cornerSide, 1
	case 4:
		side, down = cornerSide, 1
	default:
		r := random.At(0, "view", uint64(part))
		side, right, down = r.Uniform(drawnSide, 1), r.Float64(), r.Float64()
	}
	share := func(part float64, whole int) int { return int(math.RoundToEven(float64(part * float64(whole)))) }
	a.W, a.H = max(share(side, w), 1), max(share(side, h), 1)
	a.X, a.Y = share(right, w-a.W), share(down, h-a.H)
	return a
}
