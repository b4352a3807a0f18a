package photo

import (
	"encoding/json"
	"slices"
	"testing"
)

// TestGray: a one-channel input is what Pillow's convert("L") gives.
func TestGray(t *testing.T) {
	colours := [][4]uint8{ // R, G, B and Pillow's L
		{255, 255, 255, 255}, {0, 0, 1, 0}, {0, 1, 0, 1}, {255, 0, 0, 76}, {0, 255, 0, 150}, {0, 0, 255, 29},
		{167, 230, 68, 193}, {176, 127, 135, 143}, {172, 0, 75, 60}, {55, 250, 6, 164}, {19, 188, 44, 121}, {191, 69, 56, 104},
	}
	m := NewImage(len(colours), 1)
	for i, c := range colours {
		copy(m.Pix[3*i:], c[:3])
	}
	p := Pixels(Size{1, len(colours)})
	p.Channels = Gray
	x := make([]float32, p.Values())
	if err := p.Apply(m, 0, x); err != nil {
		t.Fatal(err)
	}
	for i, c := range colours {
		if x[i] != float32(c[3]) {
			t.Errorf("%v becomes %g", c, x[i])
		}
	}
}

// TestChannelOrder: mean and std are in the order of the tensor's channels.
func TestChannelOrder(t *testing.T) {
	m := NewImage(1, 1)
	copy(m.Pix, []uint8{10, 20, 30})
	p := Pixels(Square(1))
	p.Channels, p.Mean, p.Std = BGR, [3]float32{1, 2, 3}, [3]float32{1, 2, 4}
	x := make([]float32, 3)
	if err := p.Apply(m, 0, x); err != nil {
		t.Fatal(err)
	}
	if want := []float32{29, 9, 1.75}; !slices.Equal(x, want) {
		t.Errorf("%v instead of %v", x, want)
	}
}

// TestNotSquare: every rule fills H x W with the pixels that Pillow and torchvision give, here for a photo of 9 x 6.
func TestNotSquare(t *testing.T) {
	m := NewImage(9, 6)
	for i := range m.Pix {
		m.Pix[i] = uint8(i * 3 % 251)
	}
	size := Size{H: 8, W: 4}
	for rule, want := range map[ResizeRule]struct {
		w, h, sum   int
		first, last []uint8
	}{
		Squash:    {4, 8, 11526, []uint8{7, 10, 13, 26}, []uint8{206, 219, 222, 225}},
		Crop:      {4, 8, 11400, []uint8{63, 66, 69, 68}, []uint8{166, 169, 169, 172, 175}},
		Letterbox: {4, 3, 4323, []uint8{65, 68, 71, 84}, nil},
	} {
		p := Pixels(size)
		p.Resize, p.Short = rule, 10
		got, err := p.Fit(m)
		if err != nil {
			t.Fatal(err)
		}
		sum := 0
		for _, v := range got.Pix {
			sum += int(v)
		}
		if got.W != want.w || got.H != want.h || sum != want.sum || !slices.Equal(got.Pix[:len(want.first)], want.first) ||
			!slices.Equal(got.Pix[len(got.Pix)-len(want.last):], want.last) {
			t.Errorf("%s: %d x %d, sum %d, %v ... %v", rule, got.W, got.H, sum, got.Pix[:12], got.Pix[len(got.Pix)-12:])
		}
		x := make([]float32, p.Values())
		if err := p.Apply(m, 0, x); err != nil {
			t.Fatal(err)
		}
		filled := 0
		for _, v := range x {
			if v > 0 {
				filled++
			}
		}
		if filled != 3*want.w*want.h {
			t.Errorf("%s: %d values are filled", rule, filled)
		}
	}
}

// TestConfigJSON: what is written is read, and so are files from before there were heights, widths and orders.
func TestConfigJSON(t *testing.T) {
	wide, blue, grey := ImageNet(Size{480, 224}), ImageNet(Size{96, 64}), ImageNet(Square(28))
	blue.Channels, blue.Resize, blue.Short, blue.Decode = BGR, Crop, 110, Fast
	wide.Resample, wide.Decode = NfntLanczos3, Fast
	grey.Channels, grey.Mean, grey.Std = Gray, [3]float32{0.5, 0.5, 0.5}, [3]float32{0.25, 0.25, 0.25}
	for _, p := range []*Preprocess{wide, blue, grey} {
		data, err := json.Marshal(p)
		var got Preprocess
		if err == nil {
			err = json.Unmarshal(data, &got)
		}
		if err != nil || got != *p {
			t.Errorf("%s is read as %+v, %v", data, got, err)
		}
	}
	for text, want := range map[string]Preprocess{
		`{"do_resize":true,"size":{"shortest_edge":256},"crop_size":{"height":224,"width":224},"do_center_crop":true,"resample":3,
		  "rescale_factor":0.5,"image_mean":[1,2,3],"image_std":[4,5,6]}`: {
			Size: Square(224), Resize: Crop, Short: 256, Resample: Bicubic, Channels: RGB, Rescale: 0.5, Mean: [3]float32{1, 2, 3}, Std: [3]float32{4, 5, 6},
		},
		`{"size":224,"resample":2,"rescale_factor":1,"image_mean":[0,0,0],"image_std":[1,1,1]}`: *Pixels(Square(224)),
	} {
		var got Preprocess
		if err := json.Unmarshal([]byte(text), &got); err != nil || got != want {
			t.Errorf("%s is read as %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{
		`{"size":{"height":9,"width":0},"rescale_factor":1,"image_mean":[0,0,0],"image_std":[1,1,1]}`,
		`{"size":{"height":9,"width":9},"rescale_factor":1,"image_mean":[0,0],"image_std":[1,1]}`,
		`{"size":9,"rescale_factor":1,"image_mean":[0,0,0],"image_std":[1,1,1],"do_grayscale":true}`,
		`{"size":9,"rescale_factor":1,"image_mean":[0],"image_std":[1],"do_grayscale":true,"do_flip_channel_order":true}`,
		`{"size":[9],"rescale_factor":1,"image_mean":[0,0,0],"image_std":[1,1,1]}`,
	} {
		var got Preprocess
		if err := json.Unmarshal([]byte(text), &got); err == nil {
			t.Errorf("%s is read as %+v", text, got)
		}
	}
}

func TestParseSize(t *testing.T) {
	for _, s := range []Size{Square(299), {480, 224}} {
		if got, err := ParseSize(s.String()); err != nil || got != s {
			t.Errorf("%v is read as %v, %v", s, got, err)
		}
	}
	for _, text := range []string{"", "0", "-3", "x", "3x", "480x224x3", "480X224", "99999", "1e3"} {
		if s, err := ParseSize(text); err == nil {
			t.Errorf("%q is read as %v", text, s)
		}
	}
}
