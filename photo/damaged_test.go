package photo

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestDamaged: a photo with bytes changed has Pillow's pixels, and what Pillow refuses is refused (scripts/damaged_photos.py). The
// exceptions are counted: of TIFFs fewer faults are tolerated, the first frame of an animation is shown whatever is wrong with the
// others, photos with EXIF on which Pillow gives up count as upright, and chunks of PNGs may have any name.
func TestDamaged(t *testing.T) {
	text, err := os.ReadFile("testdata/damaged.txt")
	if err != nil {
		t.Fatal(err)
	}
	exceptions := map[string]int{}
	for line := range strings.Lines(string(text)) {
		words := strings.Fields(line)
		data, err := os.ReadFile(filepath.Join("testdata", words[0]))
		if err != nil {
			t.Fatal(err)
		}
		for change := range strings.SplitSeq(words[1], ",") {
			place, value, _ := strings.Cut(change, "=")
			at, e1 := strconv.Atoi(place)
			b, e2 := strconv.ParseUint(value, 16, 8)
			if e1 != nil || e2 != nil {
				t.Fatal(line)
			}
			data[at] = byte(b)
		}
		m, err := Decode(data, DecodeOptions{TIFF: true})
		sum := "-"
		if err == nil {
			sum = fmt.Sprintf("%x", sha256.Sum256(append(fmt.Appendf(nil, "%d %d ", m.W, m.H), m.Pix...)))[:8]
		}
		switch kind := filepath.Ext(words[0]); {
		case sum == words[2]:
		case sum == "-":
			exceptions[kind+" refused"]++
		case words[2] == "-":
			exceptions[kind+" shown"]++
		default:
			t.Errorf("%s: %s, %v", strings.TrimSpace(line), sum, err)
		}
	}
	if want := map[string]int{".tiff refused": 43, ".tiff shown": 1, ".webp shown": 8, ".png shown": 4}; !maps.Equal(exceptions, want) {
		t.Errorf("exceptions %v, want %v", exceptions, want)
	}
}
