package heatmap

import (
	"encoding/json"
	"errors"
	"image/color"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"regraft/engine/random"
	"regraft/golden"
	"regraft/head"
	"regraft/onnx"
	"regraft/photo"
	"regraft/weights"
)

// reference is what scripts/make_heatmaps.py has of a network.
type reference struct {
	Height, Width int
	Maps          [][]float64
}

// TestPyTorch: the maps of all classes are those of PyTorch's autograd in float64.
func TestPyTorch(t *testing.T) {
	data, err := os.ReadFile("testdata/maps.json")
	if err != nil {
		t.Fatal(err)
	}
	var all struct {
		Input    []float32
		Networks map[string]reference
	}
	if err := json.Unmarshal(data, &all); err != nil {
		t.Fatal(err)
	}
	exact := map[string]bool{"pool_linear": true, "conv_pool": true, "conv_head": true}
	for name, want := range all.Networks {
		t.Run(name, func(t *testing.T) {
			net, _, err := onnx.Read(filepath.Join("testdata", name+".onnx"), onnx.ReadOptions{})
			if err != nil {
				t.Fatal(err)
			}
			m, err := New(net, false, 1)
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			for class, values := range want.Maps {
				got, err := m.Map(all.Input, class)
				if err != nil {
					t.Fatal(err)
				}
				if (got.Method == CAM) != exact[name] || got.Class != class || got.Height != want.Height || got.Width != want.Width {
					t.Fatalf("class %d: %s, class %d, %d x %d, want %d x %d", class, got.Method, got.Class, got.Height, got.Width, want.Height, want.Width)
				}
				largest := 0.0
				for _, v := range values {
					largest = max(largest, math.Abs(v))
				}
				if largest == 0 {
					t.Fatalf("class %d: a map of zeros compares nothing", class)
				}
				for i, v := range values {
					if diff := math.Abs(float64(got.Values[i]) - v); !(diff <= 2e-6*largest) {
						t.Errorf("class %d, place %d: %g, want %g", class, i, got.Values[i], v)
					}
				}
			}
			if _, err := m.Map(all.Input, len(want.Maps)); err == nil {
				t.Error("a class that the network does not have has a map")
			}
		})
	}
}

// TestSum: a class activation map adds up to the class's logit less the classifier's bias.
func TestSum(t *testing.T) {
	net, err := weights.Narrow("inception_v3", 8, 107, []string{"a", "b", "c"}, 1)
	if err != nil {
		t.Fatal(err)
	}
	heads, err := head.Find(net)
	if err != nil {
		t.Fatal(err)
	}
	m, err := New(net, false, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	r, x := random.At(1, "x"), make([]float32, net.Meta.Preprocess.Values())
	for i := range x {
		x[i] = float32(r.Uniform(-2, 2))
	}
	outputs, err := m.program.Infer(m.session, x, 1)
	if err != nil {
		t.Fatal(err)
	}
	logits := outputs[0].Row(0)
	for class, logit := range logits {
		got, err := m.Map(x, class)
		if err != nil {
			t.Fatal(err)
		}
		sum, size := float64(heads[0].Bias.Value[class]), 0.0
		for _, v := range got.Values {
			sum += float64(v)
			size += math.Abs(float64(v))
		}
		if got.Method != CAM || math.Abs(sum-float64(logit)) > 1e-6*max(size, 1) {
			t.Errorf("class %d: %s, the map and the bias add up to %g, and the logit is %g", class, got.Method, sum, logit)
		}
	}
}

// TestNone: networks without a map say why.
func TestNone(t *testing.T) {
	net, _, err := onnx.Read("testdata/tokens.onnx", onnx.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = New(net, false, 1)
	if none := (*head.NoMapError)(nil); !errors.As(err, &none) || !strings.Contains(err.Error(), "transformers") {
		t.Error(err)
	}
}

// TestOverlay: what is marked lies where the network saw it, for every rule of resizing.
func TestOverlay(t *testing.T) {
	// One place of 4 x 4 speaks for the class, its middle at (5/8, 3/8) of the input.
	m := &Map{Width: 4, Height: 4, Values: make([]float32, 16)}
	m.Values[6], m.Values[9] = 3, -7
	p := photo.Preprocess{Size: photo.Square(40), Resize: photo.Squash}
	for _, c := range []struct {
		rule       photo.ResizeRule
		short      int
		w, h, x, y int // the middle of the place
		unseen     int // the last column before what is seen
	}{
		{photo.Squash, 0, 80, 40, 50, 15, -1},
		{photo.Squash, 0, 10, 100, 6, 37, -1},
		{photo.Crop, 40, 80, 40, 45, 15, 19},  // columns 20 to 60
		{photo.Crop, 50, 100, 200, 60, 90, 9}, // the middle 80 x 80
		{photo.Letterbox, 0, 80, 40, 50, 10, -1},
		{photo.Letterbox, 0, 40, 80, 30, 30, -1}, // columns 10 to 30 of the input
	} {
		p.Resize, p.Short = c.rule, c.short
		picture := m.Overlay(c.w, c.h, p.Window(c.w, c.h))
		var at [2]int
		most := color.NRGBA{}
		for y := range c.h {
			for x := range c.w {
				if v := picture.NRGBAAt(x, y); v.A > most.A && v != unseen {
					most, at = v, [2]int{x, y}
				}
			}
		}
		if dx, dy := at[0]-c.x, at[1]-c.y; dx*dx > 1+c.w*c.w/400 || dy*dy > 1+c.h*c.h/400 {
			t.Errorf("%s of %d x %d: most is marked at %v, want %d, %d", c.rule, c.w, c.h, at, c.x, c.y)
		}
		for x := range c.unseen + 2 {
			if out := picture.NRGBAAt(x, c.h/2) == unseen; out != (x <= c.unseen) {
				t.Errorf("%s of %d x %d: column %d is seen: %v", c.rule, c.w, c.h, x, !out)
			}
		}
		if c.rule == photo.Squash && picture.NRGBAAt(3*c.w/8, 5*c.h/8).A != 0 {
			t.Error("what speaks against the class is marked")
		}
	}
}

// TestOverlayOfInfinity draws nothing where there are no numbers to compare.
func TestOverlayOfInfinity(t *testing.T) {
	inf := float32(math.Inf(1))
	m := &Map{Width: 2, Height: 2, Values: []float32{inf, 1, -inf, inf - inf}}
	for i, v := range m.Overlay(8, 8, photo.Window{Right: 8, Bottom: 8}).Pix {
		if v != 0 {
			t.Fatalf("byte %d is %d", i, v)
		}
	}
}

// TestFamilies: real exports have a map, exact where their classifier reads means of a map.
func TestFamilies(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(golden.Dir(t), "fixtures", "*.onnx"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no fixtures: %v", err)
	}
	gradients := map[string]bool{"alexnet": true, "vgg11_bn": true, "mobilenet_v3_small": true, "zoo_form": true}
	for _, file := range files {
		name := filepath.Base(file)
		t.Run(name, func(t *testing.T) {
			net, _, err := onnx.Read(file, onnx.ReadOptions{})
			if err != nil {
				t.Fatal(err)
			}
			m, err := New(net, false, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			r, x := random.At(1, "x"), make([]float32, net.Input.Shape()[1:].TotalSize())
			for i := range x {
				x[i] = float32(r.Uniform(-2, 2))
			}
			got, err := m.Map(x, 0)
			if err != nil {
				t.Fatal(err)
			}
			family, form, _ := strings.Cut(name, ".")
			onePlace := family == "inception_v3" && strings.Contains(form, "eval") // the last map of photos so small
			if want := gradients[family] || onePlace; want != (got.Method == GradCAM) || got.Width*got.Height < 2 {
				t.Errorf("%s of %d x %d", got.Method, got.Height, got.Width)
			}
		})
	}
}

// TestConvNeXt: LayerNorm lies between the pool and the classifier, and blocks compute with channels last.
func TestConvNeXt(t *testing.T) {
	if testing.Short() {
		t.Skip("makes millions of random weights")
	}
	net, err := weights.Narrow("convnext_tiny", 1, 64, []string{"a", "b", "c"}, 1)
	if err != nil {
		t.Fatal(err)
	}
	m, err := New(net, false, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	got, err := m.Map(make([]float32, net.Meta.Preprocess.Values()), 2)
	if err != nil || got.Method != GradCAM || got.Width != 2 || got.Height != 2 {
		t.Errorf("%+v, %v", got, err)
	}
}

// TestWhole: maps whose values do not fill them are told from others.
func TestWhole(t *testing.T) {
	for _, c := range []struct {
		m     Map
		whole bool
	}{
		{Map{Width: 2, Height: 3, Values: make([]float32, 6)}, true},
		{Map{Width: 2, Height: 3, Values: make([]float32, 5)}, false},
		{Map{}, false},
		{Map{Width: -2, Height: -3, Values: make([]float32, 6)}, false},
		{Map{Width: 1 << 30, Height: 1 << 30}, false},
	} {
		if c.m.Whole() != c.whole {
			t.Errorf("%d x %d with %d values: whole is %v", c.m.Width, c.m.Height, len(c.m.Values), !c.whole)
		}
	}
}
