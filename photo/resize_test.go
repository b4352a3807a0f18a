package photo

import (
	"encoding/json"
	"fmt"
	"image"
	"math"
	"os"
	"path/filepath"
	"testing"

	"regraft/golden"
)

// TestResizeGolden compares both methods of golden/resize.npy, Pillow's resize
// and torchvision's Resize(342) + CenterCrop(299), bit for bit.
func TestResizeGolden(t *testing.T) {
	dir := filepath.Join(golden.Dir(t), "golden")
	var about struct{ Photos []string }
	readJSON(t, filepath.Join(dir, "resize.json"), &about)
	want := golden.Npy(t, "golden/resize.npy")
	const size = 3 * 299 * 299
	if len(want.Bytes) != 2*size*len(about.Photos) {
		t.Fatalf("resize.npy holds %v for %d photos", want.Shape, len(about.Photos))
	}
	for i, name := range about.Photos {
		m, err := Load(filepath.Join(dir, "photos", name), DecodeOptions{})
		if err != nil {
			t.Fatal(err)
		}
		for j, p := range []Preprocess{{Size: Square(299), Resize: Squash}, {Size: Square(299), Resize: Crop, Short: 342}} {
			t.Run(name+"/"+string(p.Resize), func(t *testing.T) {
				got, err := p.Fit(m)
				if err != nil {
					t.Fatal(err)
				}
				equalPixels(t, got, golden.Array{Shape: []int{299, 299, 3}, Bytes: want.Bytes[(2*i+j)*size:][:size]})
			})
		}
	}
}

// TestInputsGolden goes the whole way from JPEG files to the pixels that
// PyTorch's golden numbers were computed from.
func TestInputsGolden(t *testing.T) {
	dir := golden.Dir(t)
	var about struct{ Files []string }
	readJSON(t, filepath.Join(dir, "golden", "inputs.json"), &about)
	want := golden.Npy(t, "golden/inputs.npy")
	const size = 3 * 299 * 299
	if len(about.Files) == 0 || len(want.Bytes) != size*len(about.Files) {
		t.Fatalf("inputs.npy holds %v for %d photos", want.Shape, len(about.Files))
	}
	for i, name := range about.Files {
		t.Run(name, func(t *testing.T) {
			m, err := Load(filepath.Join(dir, "data", "places9", name), DecodeOptions{})
			if err != nil {
				t.Fatal(err)
			}
			equalPixels(t, Resize(m, 299, 299), golden.Array{Shape: []int{299, 299, 3}, Bytes: want.Bytes[i*size:][:size]})
		})
	}
}

func readJSON(t *testing.T, path string, to any) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, to); err != nil {
		t.Fatal(err)
	}
}

// TestResizePillow covers enlarging, shrinking and both orders of the passes.
func TestResizePillow(t *testing.T) {
	all := arrays(t, "resize.npz")
	source := &Image{40, 30, all["source"].Bytes}
	for name, f := range pillowFilters {
		orders := map[bool]int{}
		for key, want := range all {
			var w, h int
			if _, err := fmt.Sscanf(key, string(name)+" %dx%d", &w, &h); err != nil {
				continue // the source, or another filter's
			}
			orders[verticalFirst(source.W, source.H, w, h)]++
			t.Run(key, func(t *testing.T) {
				equalPixels(t, source.resize(f, toSize(40, 30, w, h)), want)
				x, y := w/3, h/4 // a part of it is the same pixels
				part := source.resize(f, scaling{image.Rect(0, 0, 40, 30), w, h, image.Rect(x, y, w, h)})
				for j := range part.H {
					if string(part.row(j)) != string(want.Bytes[3*((y+j)*w+x):3*(y+j+1)*w]) {
						t.Fatalf("row %d of the part differs", j)
					}
				}
			})
		}
		if orders[true] < 2 || orders[false] < 2 {
			t.Errorf("%s: orders of the passes covered: %v", name, orders)
		}
	}
}

// TestNfnt: on 8 bits nfnt/resize drops the fraction and is one grey level dark
// on average. On 16 bits, rounded here, a plain area keeps its colour, no filter
// is biased by more than a quarter, and bilinear stays within half a level of Pillow's.
func TestNfnt(t *testing.T) {
	plain := NewImage(50, 40)
	for i := range plain.Pix {
		plain.Pix[i] = uint8(40 * (1 + i%3))
	}
	source := &Image{40, 30, arrays(t, "resize.npz")["source"].Bytes}
	exact := Resize(source, 29, 29)
	for filter := range nfntFilters {
		p := Preprocess{Size: Square(29), Resize: Squash, Resample: filter}
		m, err := p.Fit(plain)
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range m.Pix {
			if want := plain.Pix[i%3]; v != want {
				t.Fatalf("%s: a plain area of %d turns %d", filter, want, v)
			}
		}
		if m, err = p.Fit(source); err != nil {
			t.Fatal(err)
		}
		distance, bias := 0.0, 0.0
		for i, v := range m.Pix {
			d := (float64(v) - float64(exact.Pix[i])) / float64(len(m.Pix))
			distance, bias = distance+math.Abs(d), bias+d
		}
		if math.Abs(bias) > 0.25 || filter == NfntBilinear && distance > 0.5 {
			t.Errorf("%s: %.2f from Pillow's bilinear on average, bias %.2f", filter, distance, bias)
		}
	}
	if _, err := (Preprocess{Size: Square(299), Resize: Crop, Short: 342, Resample: NfntBilinear}).Fit(NewImage(20000, 4)); err == nil {
		t.Error("an endless strip was enlarged whole")
	}
}
