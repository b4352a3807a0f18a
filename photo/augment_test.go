package photo

import (
	"math"
	"reflect"
	"strings"
	"testing"
)

func TestParseAugment(t *testing.T) {
	const whole = torchvisionScale
	for text, want := range map[string]Augment{
		"": {}, "none": {}, "flip": {FlipX: true}, "standard": {FlipX: true, Crop: true, Scale: whole},
		"none+vflip": {FlipY: true}, "flip+vflip": {FlipX: true, FlipY: true}, "standard+vflip": {FlipX: true, FlipY: true, Crop: true, Scale: whole},
		"crop": {Crop: true, Scale: whole}, "crop:0.5,flip": {FlipX: true, Crop: true, Scale: 0.5}, "vflip, flip": {FlipX: true, FlipY: true},
		"randaugment": {Operations: 2, Level: 9}, "randaugment:1": {Operations: 1, Level: 9}, "randaugment:3:0": {Operations: 3},
		"trivial": {Trivial: true}, "erase": {Erase: 0.25}, "erase:1": {Erase: 1}, "jitter": {Jitter: Jitter{0.4, 0.4, 0.4, 0.1}},
		"jitter:0:0:0:0.5": {Jitter: Jitter{Hue: 0.5}}, "mixup,cutmix:0.5": {MixUp: 0.2, CutMix: 0.5}, "cutmix": {CutMix: 1},
	} {
		if got, err := ParseAugment(text); err != nil || got != want {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	for text, says := range map[string]string{
		"heavy": `unknown augmentation "heavy" (known: none, flip, vflip, crop, `, "Flip": `"Flip"`, "flip,": `unknown augmentation ""`, "flip,,erase": `""`,
		",": `""`, "flip,flip": "flip stands there twice", "none,flip": "none stands beside", "none+vflip,erase": "none stands beside",
		"standard,crop": "leave one of them out", "flip:1": "too many numbers: it is flip", "erase:1:1": "it is erase[:P]", "randaugment:2:9:31": "randaugment[:N[:M]]",
		"erase:": `P must be a number from 0.001 to 1, not ""`, "erase:0": "P must", "erase:1.1": "P must", "erase:NaN": "P must", "erase:-1": "P must", "erase:x": "P must",
		"mixup:Inf": "A must", "mixup:1e+1": "A must", "cutmix:0": "A must", "randaugment:0": "N must be a whole number from 1 to 16", "randaugment:1.5": "N must",
		"randaugment:2:31": "M must be a whole number from 0 to 30", "randaugment:2:-1": "M must", "randaugment:1e300": "N must", "jitter:-1": "B must",
		"jitter:0:0:0:0.6": "H must", "jitter:0:0:0:0": "does nothing", "trivial,randaugment": "choose one", "crop:0": "SHARE must",
	} {
		if a, err := ParseAugment(text); err == nil || !strings.Contains(err.Error(), says) || a != (Augment{}) {
			t.Errorf("%q: %+v, %v", text, a, err)
		}
	}
	for _, w := range AugmentWords { // none is forgotten above
		if _, err := ParseAugment(w.Name); err != nil {
			t.Error(err)
		}
	}
}

// TestDraw: crops lie in the photo and within torchvision's limits, half of the
// photos are mirrored, and areas and ratios have the means of their
// distributions, within four standard errors.
func TestDraw(t *testing.T) {
	const w, h, n = 600, 600, 4000
	a := Augment{FlipX: true, FlipY: true, Crop: true, Scale: 0.08}
	var mirrored, upsideDown int
	var area, logRatio float64
	for i := range n {
		d := a.Draw(Occasion{3, i % 5, i}, w, h, Square(299))
		if d.X < 0 || d.Y < 0 || d.W < 1 || d.H < 1 || d.X+d.W > w || d.Y+d.H > h {
			t.Fatalf("%+v leaves %d x %d", d, w, h)
		}
		// Each side is rounded by at most half a pixel.
		ratio := float64(d.W) / float64(d.H)
		slack := 1 + 0.5/float64(d.W) + 0.5/float64(d.H)
		if ratio > 4.0/3*slack*slack || ratio < 0.75/slack/slack {
			t.Fatalf("%+v has the ratio %g", d, ratio)
		}
		if d.FlipX {
			mirrored++
		}
		if d.FlipY {
			upsideDown++
		}
		area += float64(d.W*d.H) / (w * h) / n
		logRatio += math.Log(ratio) / n
	}
	spread := 4 * math.Sqrt(n) / 2
	if math.Abs(float64(mirrored)-n/2) > spread || math.Abs(float64(upsideDown)-n/2) > spread {
		t.Errorf("%d and %d of %d photos mirrored", mirrored, upsideDown, n)
	}
	// Large areas with extreme ratios do not fit and are drawn again, so the mean lies below 0.54.
	if area > 0.54 || area < 0.46 {
		t.Errorf("mean share of the area %.3f", area)
	}
	if deviation := 2 * math.Log(4.0/3) / math.Sqrt(12); math.Abs(logRatio) > 4*deviation/math.Sqrt(n) {
		t.Errorf("mean logarithm of the ratio %.4f", logRatio)
	}
}

// TestDrawDepends: seed, epoch and sample decide, and nothing else.
func TestDrawDepends(t *testing.T) {
	a := Augment{Crop: true, Scale: 0.08}
	first := a.Draw(Occasion{1, 2, 3}, 500, 400, Square(299))
	if !reflect.DeepEqual(first, a.Draw(Occasion{1, 2, 3}, 500, 400, Square(299))) {
		t.Error("the same arguments give another crop")
	}
	for _, o := range []Occasion{{2, 2, 3}, {1, 3, 3}, {1, 2, 4}} {
		if reflect.DeepEqual(a.Draw(o, 500, 400, Square(299)), first) {
			t.Error("other arguments give the same crop")
		}
	}
	a.FlipX = true
	if flipped := a.Draw(Occasion{1, 2, 3}, 500, 400, Square(299)); flipped.W != first.W || flipped.X != first.X {
		t.Error("asking for flips moves the crop")
	}
}

// TestStripCrop: where no crop fits, torchvision takes the largest within the ratios.
func TestStripCrop(t *testing.T) {
	a := Augment{Crop: true, Scale: 0.08}
	for i := range 20 {
		if d := a.Draw(Occasion{1, 0, i}, 20000, 4, Square(299)); d.H > 4 || d.W > 5 {
			t.Fatalf("%+v", d)
		}
		if d := a.Draw(Occasion{1, 0, i}, 1, 1, Square(299)); d.W != 1 || d.H != 1 {
			t.Fatalf("%+v", d)
		}
	}
}

// TestFullCrop: a crop may be as wide and as high as the photo. Of a photo of 4 x 4 torchvision's rule takes 4 pixels in width for areas
// and ratios with a product above 12.25: what share of all that is, counted on a fine grid.
func TestFullCrop(t *testing.T) {
	const n, grid, side = 4000, 400, 4
	var fit, full float64
	for i := range grid {
		for j := range grid {
			area := side * side * (0.5 + 0.5*(float64(i)+0.5)/grid)
			ratio := math.Pow(4.0/3, 2*(float64(j)+0.5)/grid-1)
			w, h := math.RoundToEven(math.Sqrt(area*ratio)), math.RoundToEven(math.Sqrt(area/ratio))
			if w > side || h > side {
				continue
			}
			fit++
			if w == side {
				full++
			}
		}
	}
	want, got := full/fit, 0.0
	for i := range n {
		if d := (Augment{Crop: true, Scale: 0.5}).Draw(Occasion{1, 0, i}, side, side, Square(299)); d.W == side {
			got += 1. / n
		}
	}
	if math.Abs(got-want) > 4*math.Sqrt(want*(1-want)/n) {
		t.Errorf("%.3f of the crops are as wide as the photo, want %.3f", got, want)
	}
}

func TestLogUniform(t *testing.T) {
	for u := -1.0; u <= 1; u += 1.0 / 64 {
		want := math.Pow(4.0/3, u)
		if got := logUniform(u); math.Abs(got-want) > 4e-6 {
			t.Errorf("(4/3)^%g: %.9f instead of %.9f", u, got, want)
		}
	}
}

// TestMirrored: a flip reaches the tensor.
func TestMirrored(t *testing.T) {
	p := imageNet
	p.Size = Square(2)
	m := NewImage(2, 2)
	for i := range 4 {
		m.Pix[3*i] = uint8(10 * (i + 1))
	}
	x := make([]float32, p.Values())
	red := func(a Augmentation) (out [4]float32) {
		if err := p.apply(m.source(), a, x); err != nil {
			t.Fatal(err)
		}
		return [4]float32(x)
	}
	plain := red(Augmentation{})
	if got, want := red(Augmentation{FlipX: true}), [4]float32{plain[1], plain[0], plain[3], plain[2]}; got != want {
		t.Errorf("left and right: %v instead of %v", got, want)
	}
	if got, want := red(Augmentation{FlipY: true}), [4]float32{plain[2], plain[3], plain[0], plain[1]}; got != want {
		t.Errorf("top and bottom: %v instead of %v", got, want)
	}
	if got := red(Augmentation{X: 1, Y: 1, W: 1, H: 1}); got != [4]float32{plain[3], plain[3], plain[3], plain[3]} {
		t.Errorf("a crop of the last pixel: %v", got)
	}
}
