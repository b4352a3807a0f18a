package photo

import (
	"bytes"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"testing"
)

// TestThumbnail: thumbnails fit, are never enlarged, stand upright and look like the photo.
func TestThumbnail(t *testing.T) {
	for _, c := range []struct{ w, h, wide, high int }{
		{300, 200, 90, 60}, {200, 300, 60, 90}, {30, 20, 30, 20}, {90, 90, 90, 90}, {4000, 3, 90, 1}, {1, 2500, 1, 90}, {1201, 1800, 60, 90},
	} {
		m := NewImage(c.w, c.h)
		for i := range m.Pix { // the left half is red, the right one blue
			if left := i/3%c.w < c.w/2; left == (i%3 == 0) && i%3 != 1 {
				m.Pix[i] = 200
			}
		}
		small, err := ThumbnailJPEG(pngOf(t, m), DecodeOptions{}, 90)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Decode(small, DecodeOptions{})
		if err != nil || got.W != c.wide || got.H != c.high {
			t.Errorf("%d x %d pixels: %v, %+v", c.w, c.h, err, got)
			continue
		}
		if c.w < 16 {
			continue
		}
		row := got.row(got.H / 2)
		if left, right := row[3*(got.W/8):], row[3*(got.W*7/8):]; left[0] < 180 || left[2] > 40 || right[0] > 40 || right[2] < 180 {
			t.Errorf("%d x %d pixels: left %v, right %v", c.w, c.h, left[:3], right[:3])
		}
	}
}

// TestThumbnailUpright: a photo that lies on its side is turned.
func TestThumbnailUpright(t *testing.T) {
	path := filepath.Join("testdata", "turned.jpg")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want, err := Load(path, DecodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	small, err := ThumbnailJPEG(data, DecodeOptions{}, max(want.W, want.H)/2)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Decode(small, DecodeOptions{})
	if err != nil || got.W != want.W/2 || got.H != want.H/2 {
		t.Fatalf("%v: %d x %d pixels of %d x %d", err, got.W, got.H, want.W, want.H)
	}
	difference := 0
	for y := range got.H {
		for i, v := range got.row(y) {
			d := int(v) - int(want.row(2 * y)[i/3*6+i%3])
			difference += max(d, -d)
		}
	}
	if mean := difference / len(got.Pix); mean > 20 {
		t.Errorf("%d levels from the photo on average", mean)
	}
	if _, err := ThumbnailJPEG([]byte("no photo"), DecodeOptions{}, 10); err == nil {
		t.Error("a thumbnail of a text")
	}
}

func pngOf(t *testing.T, m *Image) []byte {
	t.Helper()
	out := image.NewRGBA(image.Rect(0, 0, m.W, m.H))
	for i := range m.W * m.H {
		copy(out.Pix[4*i:], append(m.Pix[3*i:3*i+3:3*i+3], 0xff))
	}
	var b bytes.Buffer
	if err := png.Encode(&b, out); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
