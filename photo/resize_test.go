package photo

import (
	"bytes"
	"encoding/json"
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
	text, err := os.ReadFile(filepath.Join(dir, "resize.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &about); err != nil {
		t.Fatal(err)
	}
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
		for j, p := range []Preprocess{{Size: 299, Resize: Squash}, {Size: 299, Resize: Crop, Short: 342}} {
			got, err := p.Fit(m)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got.Pix, want.Bytes[(2*i+j)*size:][:size]) {
				t.Errorf("%s, %s: not the pixels of Pillow", name, p.Resize)
			}
		}
	}
}
