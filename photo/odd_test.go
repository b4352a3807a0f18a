package photo

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"regraft/golden"
)

// oddFile is a row of data/odd/manifest.json.
type oddFile struct {
	File, Expect, Format string
	Width, Height        int
	MeanRGB              []float64 `json:"mean_rgb"`
}

func oddFiles(t *testing.T) (dir string, files []oddFile) {
	dir = filepath.Join(golden.Dir(t), "data", "odd")
	text, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	var manifest struct{ Files []oddFile }
	if err := json.Unmarshal(text, &manifest); err != nil {
		t.Fatal(err)
	}
	if len(manifest.Files) == 0 {
		t.Fatal("the manifest of data/odd is empty")
	}
	return dir, manifest.Files
}

// TestOdd holds every row of the manifest of data/odd. "decodes or error" rows
// must decode: all those formats are supported.
func TestOdd(t *testing.T) {
	dir, files := oddFiles(t)
	for _, f := range files {
		t.Run(f.File, func(t *testing.T) {
			path := filepath.Join(dir, f.File)
			m, err := Load(path, DecodeOptions{TIFF: true})
			if f.Expect == "error" {
				if err == nil {
					t.Fatal("decoded what is broken")
				}
				t.Log(err)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if m.W != f.Width || m.H != f.Height {
				t.Fatalf("%d x %d pixels instead of %d x %d", m.W, m.H, f.Width, f.Height)
			}
			for c, want := range f.MeanRGB {
				sum := 0
				for i := c; i < len(m.Pix); i += 3 {
					sum += int(m.Pix[i])
				}
				got := float64(sum) / float64(m.W*m.H)
				t.Logf("channel %d: mean %.2f, manifest %.1f", c, got, want)
				if math.Abs(got-want) > tolerance[f.Format] {
					t.Errorf("channel %d: mean %.2f instead of %.1f", c, got, want)
				}
			}
		})
	}
}

// tolerance is what the manifest allows on mean_rgb, by format; the tighter
// values say that the decoders here do what Pillow's do (0.05 is its rounding).
var tolerance = map[string]float64{
	"jpeg": 3, "webp": 8, "png": 1, "gif": 1, "bmp": 1, "tiff": 1,
}
