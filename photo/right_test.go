package photo

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
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
}

// refused are the files that Pillow reads and we do not, and why.
var refused = map[string]string{
	"coding__arithmetic.jpg":             "arithmetic coding",
	"coding__arithmetic_progressive.jpg": "arithmetic coding",
	"coding__lossless.jpg":               "lossless",
	"coding__lossless_gray.jpg":          "lossless",
}

// checkRight holds the files of dir that list names to what it says, all or
// those whose names begin with a kind and two underscores.
func checkRight(t *testing.T, list, dir string, kinds ...string) {
	text, err := os.ReadFile(list)
	if err != nil {
		t.Fatal(err)
	}
	var files map[string]right
	if err := json.Unmarshal(text, &files); err != nil {
		t.Fatal(err)
	}
	checked := 0
	for name, want := range files {
		kind, _, _ := strings.Cut(name, "__")
		if len(kinds) > 0 && !slices.Contains(kinds, kind) {
			continue
		}
		checked++
		t.Run(name, func(t *testing.T) {
			m, err := Load(filepath.Join(dir, name), DecodeOptions{TIFF: true})
			if why := refused[name]; why != "" {
				if err == nil || !strings.Contains(err.Error(), why) {
					t.Fatalf("%v, not %q", err, why)
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
	if checked < len(kinds) || checked == 0 {
		t.Errorf("only %d files", checked)
	}
}

func TestRight(t *testing.T) {
	dir := filepath.Join(golden.Dir(t), "reports", "photos")
	checkRight(t, filepath.Join(dir, "right.json"), filepath.Join(dir, "photos"),
		"exif", "xmp", "webp_exif", "seglen", "coding", "gif", "bmp", "png", "webp", "tiff")
}

// TestOrientations holds the places, types and faults of orientation to Pillow.
func TestOrientations(t *testing.T) {
	checkRight(t, "testdata/orientation/right.json", "testdata/orientation")
}
