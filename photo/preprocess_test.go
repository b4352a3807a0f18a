package photo

import (
	"math"
	"strings"
	"testing"
)

var imageNet = Preprocess{
	Size: Square(299), Resize: Squash, Rescale: 1.0 / 255,
	Mean: [3]float32{0.485, 0.456, 0.406}, Std: [3]float32{0.229, 0.224, 0.225},
}

// TestScaling: every pixel value gives the bits that PyTorch's ToTensor (a
// division by 255) and Normalize (subtract, divide) give in float32.
func TestScaling(t *testing.T) {
	tables := imageNet.tables()
	for c := range 3 {
		for v := range 256 {
			x := float32(v) / 255
			x -= imageNet.Mean[c]
			if want := x / imageNet.Std[c]; tables[c][v] != want {
				t.Fatalf("channel %d, value %d: %g instead of %g", c, v, tables[c][v], want)
			}
		}
	}
}

// TestApply: the tensor is (3, Size, Size), channel after channel.
func TestApply(t *testing.T) {
	p := imageNet
	p.Size = Square(2)
	m := NewImage(2, 2)
	for i := range m.Pix {
		m.Pix[i] = uint8(20 * i)
	}
	x := make([]float32, p.Values())
	if err := p.Apply(m, 0, x); err != nil {
		t.Fatal(err)
	}
	tables := p.tables()
	for c := range 3 {
		for i := range 4 {
			if got, want := x[4*c+i], tables[c][20*(3*i+c)]; got != want {
				t.Errorf("channel %d, pixel %d: %g instead of %g", c, i, got, want)
			}
		}
	}
	if err := p.Apply(m, 0, x[1:]); err == nil {
		t.Error("a tensor of the wrong length was filled")
	}
}

// TestLetterbox: the photo keeps its shape and stands in the middle, the bars are zero.
func TestLetterbox(t *testing.T) {
	p := imageNet
	p.Size, p.Resize = Square(8), Letterbox
	m := NewImage(40, 20)
	for i := range m.Pix {
		m.Pix[i] = 255
	}
	x := make([]float32, p.Values())
	for i := range x {
		x[i] = float32(math.NaN())
	}
	if err := p.Apply(m, 0, x); err != nil {
		t.Fatal(err)
	}
	white := p.tables()
	for i, v := range x {
		c, y := i/64, i/8%8
		want := float32(0)
		if y >= 2 && y < 6 {
			want = white[c][255]
		}
		if v != want {
			t.Fatalf("channel %d, row %d: %g instead of %g", c, y, v, want)
		}
	}
}

// TestCropSizes: torchvision's Resize rounds the longer side down, CenterCrop
// rounds halves to even (transforms.functional, _compute_resized_image_output_size
// and center_crop).
func TestCropSizes(t *testing.T) {
	for _, c := range [][4]int{{640, 427, 512, 342}, {427, 640, 342, 512}, {342, 342, 342, 342}, {1000, 3, 114000, 342}} {
		if w, h := shorterTo(c[0], c[1], 342); w != c[2] || h != c[3] {
			t.Errorf("%d x %d becomes %d x %d instead of %d x %d", c[0], c[1], w, h, c[2], c[3])
		}
	}
	for _, c := range [][3]int{{342, 299, 22}, {512, 299, 106}, {304, 299, 2}, {300, 299, 0}, {299, 299, 0}} {
		if got := centre(c[0], c[1]); got != c[2] {
			t.Errorf("a crop of %d from %d starts at %d instead of %d", c[1], c[0], got, c[2])
		}
	}
}

// TestStrips: photos of extreme shape pass every rule.
func TestStrips(t *testing.T) {
	for _, m := range []*Image{NewImage(20000, 4), NewImage(1, 3000), NewImage(1, 1)} {
		for _, rule := range ResizeRules {
			p := imageNet
			p.Resize = rule
			if err := p.Apply(m, 0, make([]float32, p.Values())); err != nil {
				t.Errorf("%d x %d, %s: %v", m.W, m.H, rule, err)
			}
		}
	}
}

func TestCheckPreprocess(t *testing.T) {
	if err := imageNet.Check(); err != nil {
		t.Error(err)
	}
	for want, change := range map[string]func(p *Preprocess){
		"input size":             func(p *Preprocess) { p.Size = Size{} },
		"unknown resize rule":    func(p *Preprocess) { p.Resize = "stretch" },
		"unknown resampling":     func(p *Preprocess) { p.Resample = "nearest" },
		"does not allow a crop":  func(p *Preprocess) { p.Resize, p.Short = Crop, 200 },
		"unknown way of decod":   func(p *Preprocess) { p.Decode = "sloppy" },
		"cannot normalise":       func(p *Preprocess) { p.Std[1] = 0 },
		"cannot be multiplied":   func(p *Preprocess) { p.Rescale = math.Inf(1) },
		"of channel 2 cannot no": func(p *Preprocess) { p.Mean[2] = float32(math.NaN()) },
	} {
		p := imageNet
		change(&p)
		if err := p.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in %v", want, err)
		}
	}
}

// TestUsualShort: the shorter side before a crop is torchvision's for Inception-v3, and its share of other sizes, rounded.
func TestUsualShort(t *testing.T) {
	for size, want := range map[Size]int{Square(299): 342, Square(224): 256, Square(384): 439, Square(32): 37, {H: 100, W: 224}: 256, Square(1): 1, Square(71): 81, Square(92): 105} {
		if p := ImageNet(size); p.Short != want {
			t.Errorf("%v: %d, want %d", size, p.Short, want)
		}
	}
}
