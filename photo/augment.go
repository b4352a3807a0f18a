package photo

import (
	"fmt"
	"image"
	"math"

	"regraft/engine/kernel"
	"regraft/engine/random"
)

// Augment says how training photos vary from epoch to epoch: first what is cut out and mirrored, then, on the pixels that the network
// sees, colours and operations, then what is erased, and at last what of other photos is mixed in.
type Augment struct {
	// FlipX mirrors left and right, FlipY top and bottom, each for half of the photos.
	FlipX, FlipY bool
	// Crop cuts a random part as torchvision's RandomResizedCrop does: Scale
	// is the least share of the area, the ratio of the sides lies between 3/4 and 4/3.
	Crop  bool
	Scale float64
	// Jitter changes colours.
	Jitter Jitter
	// Operations are how many RandAugment draws for a photo, at a Level below Levels; Trivial is TrivialAugmentWide.
	Operations, Level int
	Trivial           bool
	// Erase is the share of the photos in which a rectangle becomes the mean colour (Zhong et al., Random Erasing, 2020).
	Erase float64
	// MixUp and CutMix are the parameters of their Beta distributions (mix.go); 0 mixes nothing.
	MixUp, CutMix float64
}

// Occasion is when a photo is seen: the sample of that number in an epoch, or a further turn of one (Loader.turns). It decides all chance.
type Occasion struct {
	Seed          uint64
	Epoch, Sample int
}

func (o Occasion) stream(purpose string) *random.Stream {
	return random.At(o.Seed, purpose, uint64(o.Epoch), uint64(o.Sample))
}

// Augmentation is what happens to one photo: the rectangle cut out of it (none
// where W is 0) and the mirrorings after resizing, the changes of the resized pixels, and the rectangle of the input that is erased.
type Augmentation struct {
	X, Y, W, H   int
	FlipX, FlipY bool
	// ByRule resizes the rectangle as if it were the photo; otherwise it is squashed.
	ByRule  bool
	Changes []Change
	Erased  image.Rectangle
}

// Changed says in words what is done, one after the other.
func (a Augmentation) Changed() []string {
	list := []string{}
	add := func(is bool, format string, numbers ...any) {
		if is {
			list = append(list, fmt.Sprintf(format, numbers...))
		}
	}
	add(a.cropped(), "crop %dx%d+%d+%d", a.W, a.H, a.X, a.Y)
	add(a.FlipX, "flip")
	add(a.FlipY, "vflip")
	for _, c := range a.Changes {
		add(true, "%v", c)
	}
	e := a.Erased
	add(!e.Empty(), "erase %dx%d+%d+%d", e.Dx(), e.Dy(), e.Min.X, e.Min.Y)
	return list
}

func (a Augmentation) cropped() bool { return a.W > 0 }

// reduced is the augmentation of the photo at 1/by of its size.
func (a Augmentation) reduced(by int) Augmentation {
	a.X, a.Y, a.W, a.H = a.X/by, a.Y/by, a.W/by, a.H/by
	return a
}

// Draw chooses the augmentation of a w x h photo that is seen at a size. It depends on the occasion alone.
func (a Augment) Draw(o Occasion, w, h int, input Size) Augmentation {
	r := o.stream("augment")
	// Every choice is drawn, wanted or not, so that one switch leaves the others' numbers alone.
	flipX, flipY := r.Float64() < 0.5, r.Float64() < 0.5
	d := Augmentation{FlipX: flipX && a.FlipX, FlipY: flipY && a.FlipY}
	if a.Crop {
		d.X, d.Y, d.W, d.H = randomResizedCrop(r, a.Scale, w, h)
	}
	if a.Jitter != (Jitter{}) {
		d.Changes = a.Jitter.draw(o.stream("jitter"))
	}
	r = o.stream("operations")
	for range a.Operations {
		d.Changes = append(d.Changes, randAugment.draw(r, a.Level, input))
	}
	if a.Trivial {
		d.Changes = append(d.Changes, trivial.draw(r, drawnLevel, input))
	}
	if r = o.stream("erase"); r.Float64() < a.Erase {
		d.Erased = erased(r, input)
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

// The limits of torchvision's RandomErasing: of the share of the area, and of the ratio of height and width.
const (
	leastErased, mostErased = 0.02, 0.33
	widest, highest         = 0.3, 3.3
)

// erased is the rectangle of torchvision's RandomErasing: its share of the area is uniform, its ratio of the sides in its logarithm. It
// is tried ten times, and none where it never fits.
func erased(r *random.Stream, input Size) image.Rectangle {
	for range 10 {
		share, ratio := r.Uniform(leastErased, mostErased), kernel.Exp(r.Uniform(kernel.Log(widest), kernel.Log(highest)))
		if w, h, fits := input.part(share, ratio); fits {
			x, y := r.IntN(input.W-w+1), r.IntN(input.H-h+1)
			return image.Rect(x, y, x+w, y+h)
		}
	}
	return image.Rectangle{}
}

// part is the size of a rectangle of that share of the area and that ratio of height and width, and whether it fits within.
func (s Size) part(share, ratio float64) (w, h int, fits bool) {
	area := float64(float64(s.H*s.W) * share)
	h = int(math.RoundToEven(math.Sqrt(area * ratio)))
	w = int(math.RoundToEven(math.Sqrt(area / ratio)))
	return w, h, h < s.H && w < s.W
}
