package weights

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"regraft/photo"
)

// TestPositions compares tables for other grids with PyTorch's (testdata/positions.py).
func TestPositions(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("testdata", "positions.json"))
	if err != nil {
		t.Fatal(err)
	}
	var ref struct {
		Table []float32
		Cases []struct {
			Way           string
			Height, Width int
			Want          []float32
		}
	}
	if err := json.Unmarshal(data, &ref); err != nil {
		t.Fatal(err)
	}
	ways := map[string]interpolation{"plain": {}, "corners": {corners: true}, "antialias": {antialias: true}, "offset": {offset: 0.1}}
	for _, c := range ref.Cases {
		got := ways[c.Way].resize(ref.Table, len(ref.Table)/2, 2, photo.Size{H: c.Height, W: c.Width})
		if len(got) != len(c.Want) {
			t.Fatalf("%s to %dx%d: %d values, want %d", c.Way, c.Height, c.Width, len(got), len(c.Want))
		}
		for i := range got {
			if d := math.Abs(float64(got[i] - c.Want[i])); !(d <= 2e-6) {
				t.Errorf("%s to %dx%d: value %d is %v, want %v", c.Way, c.Height, c.Width, i, got[i], c.Want[i])
				break
			}
		}
	}
}

// TestGrid refuses photos that do not divide into patches, and too many of these.
func TestGrid(t *testing.T) {
	for _, size := range []photo.Size{{H: 230, W: 224}, {H: 224, W: 230}, {}, {H: 1 << 40, W: 1 << 40}, {H: 16 << 10, W: 16 << 10}} {
		if grid, err := gridFor(size, 16); err == nil {
			t.Errorf("%v: %v", size, grid)
		}
	}
}
