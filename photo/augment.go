package photo

import (
	"fmt"
	"math"

	"regraft/engine/random"
)

// Augment says how training photos vary from epoch to epoch.
type Augment struct {
	// FlipX mirrors left and right, FlipY top and bottom, each for half of the photos.
	FlipX, FlipY bool
	// Crop cuts a random part as torchvision's RandomResizedCrop does: Scale
	// is the least share of the area, the ratio of the sides lies between 3/4 and 4/3.
	Crop  bool
	Scale float64
}

// torchvisionScale is the least share of the area that RandomResizedCrop keeps.
const torchvisionScale = 0.08

// ParseAugment knows the names none, flip (left and right) and standard (flip
// and random resized crop). Photos of places have an up, so vertical flips come
// only where asked for.
func ParseAugment(name string) (Augment, error) {
	switch name {
	case "", "none":
		return Augment{}, nil
	case "flip":
		return Augment{FlipX: true}, nil
	case "standard":
		return Augment{FlipX: true, Crop: true, Scale: torchvisionScale}, nil
	}
	return Augment{}, fmt.Errorf("unknown augmentation %q (known: none, flip, standard)", name)
}

// Augmentation is what happens to one photo: the rectangle cut out of it (none
// where W is 0) and the mirrorings after resizing.
type Augmentation struct {
	X, Y, W, H   int
	FlipX, FlipY bool
	// ByRule resizes the rectangle as if it were the photo; otherwise it is squashed.
	ByRule bool
}

func (a Augmentation) cropped() bool { return a.W > 0 }

// reduced is the augmentation of the photo at 1/by of its size.
func (a Augmentation) reduced(by int) Augmentation {
	a.X, a.Y, a.W, a.H = a.X/by, a.Y/by, a.W/by, a.H/by
	return a
}

// Draw chooses the augmentation of a w x h photo. It depends on seed, epoch and
// the sample's index alone.
func (a Augment) Draw(seed uint64, epoch, sample, w, h int) Augmentation {
	r := random.At(seed, "augment", uint64(epoch), uint64(sample))
	// Every choice is drawn, wanted or not, so that one switch leaves the others' numbers alone.
	flipX, flipY := r.Float64() < 0.5, r.Float64() < 0.5
	d := Augmentation{FlipX: flipX && a.FlipX, FlipY: flipY && a.FlipY}
	if a.Crop {
		d.X, d.Y, d.W, d.H = randomResizedCrop(r, a.Scale, w, h)
	}
	return d
}

// randomResizedCrop is torchvision's rule: an area uniform in its share and a
// ratio uniform in its logarithm, tried ten times; then the largest centred
// rectangle within the ratios.
func randomResizedCrop(r *random.Stream, scale float64, w, h int) (x, y, cw, ch int) {
	const low, high = 3.0 / 4, 4.0 / 3
	for range 10 {
		area := float64(w) * float64(h) * r.Uniform(scale, 1)
		ratio := logUniform(r.Uniform(-1, 1))
		cw = int(math.RoundToEven(math.Sqrt(area * ratio)))
		ch = int(math.RoundToEven(math.Sqrt(area / ratio)))
		if 0 < cw && cw <= w && 0 < ch && ch <= h {
			return r.IntN(w - cw + 1), r.IntN(h - ch + 1), cw, ch
		}
	}
	cw, ch = w, h
	switch ratio := float64(w) / float64(h); {
	case ratio < low:
		ch = min(int(math.RoundToEven(float64(w)/low)), h)
	case ratio > high:
		cw = min(int(math.RoundToEven(float64(h)*high)), w)
	}
	return (w - cw) / 2, (h - ch) / 2, cw, ch
}

// logUniform is (4/3)^u for |u| <= 1, within 4e-6: a Padé approximant of the
// exponential, because math.Exp differs in its last bits between architectures.
func logUniform(u float64) float64 {
	const logHigh = 0.28768207245178085 // ln 4/3
	x := u * logHigh
	even := 1 + float64(x*x)/12
	return (even + x/2) / (even - x/2)
}
