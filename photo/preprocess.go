package photo

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// The resize rules of a [Preprocess].
const (
	Squash    = "squash"    // both sides to Size, whatever the shape
	Crop      = "crop"      // shorter side to Short, then the centre Size x Size (torchvision's evaluation)
	Letterbox = "letterbox" // longer side to Size, the rest filled with the mean colour
)

// Preprocess says how a photo becomes the network's input, a tensor
// (3, Size, Size) in RGB order. It travels with the weights.
type Preprocess struct {
	// Size is the side of the square input in pixels.
	Size int
	// Resize is Squash, Crop or Letterbox.
	Resize string
	// Short is the length of the shorter side before a centre crop
	// (torchvision: 342 for 299); 0 means 342/299 of Size.
	Short int
	// Resample is the filter; empty means Bilinear.
	Resample string
	// Rescale multiplies the pixel value (1/255), before Mean is subtracted
	// and Std divides.
	Rescale   float64
	Mean, Std [3]float32
}

// maxSide bounds Size and Short: far beyond any network, far below overflow.
const maxSide = 1 << 14

// Check reports what is wrong with the settings.
func (p Preprocess) Check() error {
	if p.Size < 1 || p.Size > maxSide {
		return fmt.Errorf("input size %d is not between 1 and %d", p.Size, maxSide)
	}
	switch p.Resize {
	case Squash, Letterbox:
	case Crop:
		if s := p.short(); s < p.Size || s > maxSide {
			return fmt.Errorf("a shorter side of %d does not allow a crop of %d", s, p.Size)
		}
	default:
		return fmt.Errorf("unknown resize rule %q (known: squash, crop, letterbox)", p.Resize)
	}
	if !slices.Contains(Filters, p.resample()) {
		return fmt.Errorf("unknown resampling filter %q (known: %s)", p.Resample, strings.Join(Filters, ", "))
	}
	for c, s := range p.Std {
		if s == 0 || !finite(float64(s)) || !finite(float64(p.Mean[c])) {
			return fmt.Errorf("mean %g and standard deviation %g of channel %d cannot normalise", p.Mean[c], s, c)
		}
	}
	if p.Rescale == 0 || !finite(p.Rescale) {
		return fmt.Errorf("pixels cannot be multiplied by %g", p.Rescale)
	}
	return nil
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

func (p Preprocess) short() int {
	if p.Short == 0 {
		return (p.Size*342 + 149) / 299
	}
	return p.Short
}

func (p Preprocess) resample() string {
	if p.Resample == "" {
		return Bilinear
	}
	return p.Resample
}

// Values is the length of the tensor of one photo.
func (p Preprocess) Values() int { return 3 * p.Size * p.Size }

// Apply writes the photo to dst as the network's input, (3, Size, Size). The
// settings must have passed Check.
func (p Preprocess) Apply(m *Image, dst []float32) error {
	return p.apply(m, Augmentation{}, dst)
}

// apply resizes the photo, or the part of it that the augmentation chose, and
// writes it, mirrored as the augmentation says.
func (p Preprocess) apply(m *Image, a Augmentation, dst []float32) error {
	if len(dst) != p.Values() {
		return fmt.Errorf("a tensor of %d values cannot hold 3 x %d x %d", len(dst), p.Size, p.Size)
	}
	var pixels *Image
	var err error
	if a.cropped() {
		pixels, err = p.scale(m.crop(a.X, a.Y, a.W, a.H), p.Size, p.Size, 0, 0, p.Size, p.Size)
	} else {
		pixels, err = p.Fit(m)
	}
	if err != nil {
		return err
	}
	if a.FlipX {
		pixels = upright(pixels, mirrored)
	}
	if a.FlipY {
		pixels = upright(pixels, upsideDown)
	}
	p.write(pixels, dst)
	return nil
}

// Fit resizes the photo by the rule. The result is Size x Size, or smaller on
// one side where it stands between the bars of a letterbox.
func (p Preprocess) Fit(m *Image) (*Image, error) {
	s := p.Size
	switch p.Resize {
	case Crop:
		w, h := shorterTo(m.W, m.H, p.short())
		return p.scale(m.whole(), w, h, centre(w, s), centre(h, s), s, s)
	case Letterbox:
		w, h := longerTo(m.W, m.H, s)
		return p.scale(m.whole(), w, h, 0, 0, w, h)
	}
	return p.scale(m.whole(), s, s, 0, 0, s, s)
}

// scale resizes with the chosen filter; see region.resize.
func (p Preprocess) scale(r region, w, h, x0, y0, cw, ch int) (*Image, error) {
	if f, ok := pillowFilters[p.resample()]; ok {
		return r.resize(f, w, h, x0, y0, cw, ch), nil
	}
	return r.resizeNfnt(p.resample(), w, h, x0, y0, cw, ch)
}

// shorterTo is torchvision's Resize(side): the longer side is rounded down.
func shorterTo(w, h, side int) (int, int) {
	if w <= h {
		return side, side * h / w
	}
	return side * w / h, side
}

// longerTo keeps the shape as far as whole pixels can.
func longerTo(w, h, side int) (int, int) {
	if w >= h {
		return side, max((side*h+w/2)/w, 1)
	}
	return max((side*w+h/2)/h, 1), side
}

// centre is the offset of torchvision's CenterCrop: halves go to the even number.
func centre(length, size int) int {
	return int(math.RoundToEven(float64(length-size) / 2))
}
