package photo

import (
	"bytes"
	"image"
	"image/jpeg"
	"testing"

	"regraft/engine/random"
)

// photoJPEG is a 1600 x 1200 JPEG, 4:2:0, of soft shapes and grain.
func photoJPEG(b *testing.B) []byte {
	b.Helper()
	coarse, r := NewImage(50, 38), random.At(1, "benchmark photo")
	for i := range coarse.Pix {
		coarse.Pix[i] = uint8(r.IntN(256))
	}
	soft := Resize(coarse, 1600, 1200)
	m := image.NewRGBA(image.Rect(0, 0, soft.W, soft.H))
	for i := range soft.W * soft.H {
		for c := range 3 {
			m.Pix[4*i+c] = uint8(min(max(int(soft.Pix[3*i+c])+r.IntN(17)-8, 0), 255))
		}
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, m, &jpeg.Options{Quality: 80}); err != nil {
		b.Fatal(err)
	}
	return out.Bytes()
}

func BenchmarkDecodeJPEG(b *testing.B) {
	data := photoJPEG(b)
	for b.Loop() {
		if _, err := Decode(data, DecodeOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkApply is resizing and scaling, for each rule and filter.
func BenchmarkApply(b *testing.B) {
	m, err := Decode(photoJPEG(b), DecodeOptions{})
	if err != nil {
		b.Fatal(err)
	}
	for _, c := range []struct {
		rule   ResizeRule
		filter Resampling
	}{
		{Squash, Bilinear}, {Crop, Bilinear}, {Letterbox, Bilinear}, {Squash, NfntBilinear}, {Squash, NfntLanczos3},
	} {
		b.Run(string(c.rule)+"/"+string(c.filter), func(b *testing.B) {
			p := imageNet
			p.Resize, p.Resample = c.rule, c.filter
			x := make([]float32, p.Values())
			for b.Loop() {
				if err := p.Apply(m, 0, x); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
