package photo

import (
	"path/filepath"
	"slices"
	"testing"
)

// TestPicture: the input of a network, back to pixels, is what it was made of, in every order of channels and under every scale; grey is in
// all three, and what lies beyond the range of pixels is at its end.
func TestPicture(t *testing.T) {
	m, err := Load(filepath.Join("testdata", "rgb.png"), DecodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, channels := range ChannelOrders {
		for _, p := range []Preprocess{
			{Rescale: 1, Std: [3]float32{1, 1, 1}},
			{Rescale: 1. / 255, Mean: [3]float32{0.485, 0.456, 0.406}, Std: [3]float32{0.229, 0.224, 0.225}},
			{Rescale: 1. / 127.5, Mean: [3]float32{1, 1, 1}, Std: [3]float32{1, 1, 1}},
		} {
			p.Channels, p.Size, p.Resize = channels, Size{m.H, m.W}, Squash
			want := slices.Clone(m.Pix)
			if channels == Gray {
				grayRow(want, m.Pix)
			}
			x := make([]float32, p.Values())
			if err := p.apply(m.source(), Augmentation{}, x); err != nil {
				t.Fatal(err)
			}
			if got := p.Picture(x); !slices.Equal(got.Pix, want) {
				t.Errorf("%s, %+v: other pixels", channels, p)
			}
			for i := range x {
				x[i] = float32(1000 * (i%2*2 - 1))
			}
			if got := p.Picture(x).Pix; got[0] != 0 || got[3] != 255 {
				t.Errorf("%s: far values become %d and %d", channels, got[0], got[3])
			}
		}
	}
}
