package photo

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"regraft/golden"
)

// right is what Pillow makes of a file: exif_transpose, then convert("RGB").
type right struct {
	Pillow struct {
		Width, Height int
		Hash          string `json:"sha256_rgb"`
	}
	// Refused is what Pillow says of a file that it does not read.
	Refused string
}

// refused are the files that Pillow reads and we do not, and why.
var refused = map[string]string{
	// libjpeg warns and shows a part of the picture, the rest in grey or in the wrong place.
	"junk__data_short_by_a_third.jpg":  "ends too early",
	"progression__half_of_a_scan.jpg":  "ends too early",
	"rst__all_rst0.jpg":                "restart marker 1",
	"rst__dri_but_no_markers.jpg":      "restart marker 0",
	"rst__dri_zero_markers_follow.jpg": "ends too early",
	"rst__markers_but_no_dri.jpg":      "ends too early",
	"rst__one_marker_missing.jpg":      "restart marker 2",
	"rst__one_repeated.jpg":            "restart marker 3",
	"rst__starts_at_1.jpg":             "restart marker 0",
	// Codings that photos do not use.
	"coding__arithmetic.jpg":             "arithmetic coding",
	"coding__arithmetic_progressive.jpg": "arithmetic coding",
	"coding__lossless.jpg":               "lossless",
	"coding__lossless_gray.jpg":          "lossless",
}

// checkRight holds the files of dir that list names to what it says.
func checkRight(t *testing.T, list, dir string) {
	text, err := os.ReadFile(list)
	if err != nil {
		t.Fatal(err)
	}
	var files map[string]right
	if err := json.Unmarshal(text, &files); err != nil || len(files) == 0 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for name, want := range files {
		t.Run(name, func(t *testing.T) {
			m, err := Load(filepath.Join(dir, name), DecodeOptions{TIFF: true})
			if why := refused[name]; why != "" {
				if err == nil || !strings.Contains(err.Error(), why) {
					t.Fatalf("%v, not %q", err, why)
				}
				return
			}
			if want.Refused != "" {
				if err == nil || strings.Contains(err.Error(), "\n") {
					t.Fatalf("%v instead of one line, as Pillow refuses it: %s", err, want.Refused)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if m.W != want.Pillow.Width || m.H != want.Pillow.Height {
				t.Fatalf("%d x %d pixels instead of %d x %d", m.W, m.H, want.Pillow.Width, want.Pillow.Height)
			}
			if sum := sha256.Sum256(m.Pix); hex.EncodeToString(sum[:]) != want.Pillow.Hash {
				t.Error("other pixels than Pillow's")
			}
		})
	}
}

func TestRight(t *testing.T) {
	dir := filepath.Join(golden.Dir(t), "reports", "photos")
	checkRight(t, filepath.Join(dir, "right.json"), filepath.Join(dir, "photos"))
}

// TestOrientations holds the places, types and faults of orientation to Pillow.
func TestOrientations(t *testing.T) {
	checkRight(t, "testdata/orientation/right.json", "testdata/orientation")
}

// TestForms holds unusual forms of the formats other than JPEG to Pillow, whole and damaged ones.
func TestForms(t *testing.T) {
	checkRight(t, "testdata/forms/right.json", "testdata/forms")
}
