package photo

import (
	"fmt"
	"path/filepath"
	"slices"
	"testing"
)

// TestEveryPolicyOnOddPhotos: grey, CMYK, transparent and turned photos, one of a pixel, and inputs of a pixel and of a strip go through every
// operation at its least and greatest strength and through every word; what comes out is a value that a pixel has, or the mean colour, grey
// stays grey, and the photo itself is not changed.
func TestEveryPolicyOnOddPhotos(t *testing.T) {
	var changes []Change
	for _, p := range []*policy{&randAugment, &trivial} {
		for _, op := range policyOperations {
			for _, level := range []int{0, Levels - 1} {
				changes = append(changes, p.change(op, level, false, Size{5, 7}), p.change(op, level, true, Size{5, 7}))
			}
		}
	}
	changes = append(changes, Change{Hue, -0.5}, Change{Hue, 0.5}, Change{Brightness, 0}, Change{Brightness, 11}, Change{Contrast, 0}, Change{Contrast, 11},
		Change{Saturation, 0}, Change{Saturation, 11})
	grey := map[string]bool{"la.png": true, "gray.jpg": true}
	for _, name := range []string{
		"la.png", "rgba.png", "one_bit.png", "palette.png", "transparent.gif", "lossy_alpha.webp", "turned.jpg",
		"../jpeg/testdata/cmyk.jpg", "../jpeg/testdata/ycck.jpg", "../jpeg/testdata/gray.jpg", "../jpeg/testdata/one_pixel.jpg", "../jpeg/testdata/narrow.jpg",
	} {
		path := filepath.Join("testdata", name)
		m, err := Load(path, DecodeOptions{})
		if err != nil {
			t.Fatal(err)
		}
		before := slices.Clone(m.Pix)
		for _, p := range []Preprocess{
			{Size: Square(1), Resize: Squash, Rescale: 1, Std: [3]float32{1, 1, 1}},
			{Size: Size{5, 7}, Resize: Letterbox, Rescale: 1, Std: [3]float32{1, 1, 1}, Channels: BGR, Decode: Fast},
			{Size: Size{1, 9}, Resize: Crop, Short: 9, Rescale: 1, Std: [3]float32{1, 1, 1}, Channels: Gray},
			{Size: Size{m.H, m.W}, Resize: Squash, Rescale: 1, Std: [3]float32{1, 1, 1}},
			{Size: Square(12), Resize: Squash, Resample: NfntBilinear, Rescale: 1, Std: [3]float32{1, 1, 1}},
		} {
			x := make([]float32, p.Values())
			holds := func(what string) {
				plane := p.Size.H * p.Size.W
				for i, v := range x {
					if v < 0 || v > 255 || v != float32(uint8(v)) {
						t.Fatalf("%s, %v, %s: a value of %g", name, p.Size, what, v)
					}
					if grey[filepath.Base(name)] && v != x[i%plane] {
						t.Fatalf("%s, %v, %s: grey becomes a colour", name, p.Size, what)
					}
				}
			}
			for _, c := range changes {
				if err := p.apply(m.source(), Augmentation{FlipX: true, Changes: []Change{c}}, x); err != nil {
					t.Fatal(err)
				}
				holds(c.String())
			}
			for _, w := range AugmentWords {
				a, err := ParseAugment(w.Name)
				if err != nil {
					t.Fatal(err)
				}
				l, err := NewLoader([]Sample{{path, 0}, {path, 1}}, p, LoaderOptions{Batch: 2, Workers: 1, Augment: a, Seed: 1})
				if err != nil {
					t.Fatal(err)
				}
				for sample := range 2 {
					s, err := l.See(sample+1, sample)
					if err != nil {
						t.Fatal(err)
					}
					if x = s.X; a.MixUp == 0 { // means have fractions
						holds(fmt.Sprintf("%s, %v", w.Name, s.How.Changed()))
					}
				}
			}
		}
		if !slices.Equal(m.Pix, before) {
			t.Errorf("%s: the photo itself was changed", name)
		}
	}
}

// BenchmarkChanges is what every operation and word costs a photo of 299 x 299.
func BenchmarkChanges(b *testing.B) {
	m, err := Decode(photoJPEG(b), DecodeOptions{})
	if err != nil {
		b.Fatal(err)
	}
	small := Resize(m, 299, 299)
	for _, op := range append(slices.Clone(policyOperations), Hue) {
		b.Run(string(op), func(b *testing.B) {
			c := trivial.change(op, 12, false, Square(299))
			if op == Hue {
				c.Magnitude = 0.1
			}
			for b.Loop() {
				operations[op](&Image{small.W, small.H, slices.Clone(small.Pix)}, c.Magnitude)
			}
		})
	}
	x, y := make([]float32, 3*299*299), make([]float32, 3*299*299)
	for i := range x {
		x[i], y[i] = float32(i), float32(-i)
	}
	for _, a := range []Augment{{MixUp: 1}, {CutMix: 1}} {
		b.Run(fmt.Sprintf("mixup %g cutmix %g", a.MixUp, a.CutMix), func(b *testing.B) {
			i := 0
			for b.Loop() {
				Square(299).mix(a.mixture(Occasion{Sample: i}, Square(299)), x, y)
				i++
			}
		})
	}
}
