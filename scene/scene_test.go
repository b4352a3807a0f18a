package scene

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"image"
	"image/jpeg"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
)

func pixels(t *testing.T, img image.Image) []byte {
	t.Helper()
	photo, is := img.(*image.RGBA)
	if !is || photo.Bounds() != image.Rect(0, 0, Width, Height) {
		t.Fatalf("a photo is a %T of %v", img, img.Bounds())
	}
	return photo.Pix
}

// TestPhotos: a photo is a function of class, seed and number, and shows something.
func TestPhotos(t *testing.T) {
	seen := map[string]string{}
	for _, class := range append(Places(), Things()...) {
		first := pixels(t, class.Photo(3, 0))
		if !bytes.Equal(first, pixels(t, class.Photo(3, 0))) {
			t.Errorf("%s: the same seed and number give other pixels", class.Name)
		}
		for what, other := range map[string]image.Image{"number": class.Photo(3, 1), "seed": class.Photo(4, 0)} {
			if bytes.Equal(first, pixels(t, other)) {
				t.Errorf("%s: another %s gives the same pixels", class.Name, what)
			}
		}
		low, high := slices.Min(first), slices.Max(first[:len(first)-1])
		if high-low < 40 {
			t.Errorf("%s: the pixels lie between %d and %d: nothing can be seen", class.Name, low, high)
		}
		sum := sha256.Sum256(first)
		key := hex.EncodeToString(sum[:])
		if seen[key] != "" {
			t.Errorf("%s looks like %s", class.Name, seen[key])
		}
		seen[key] = class.Name
	}
}

// TestBits holds the renderer to its bits, so that figures of the demo can be repeated. Other processors may round a
// product and a sum together, which moves single pixels by one.
func TestBits(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("the sums were taken on amd64")
	}
	hash := sha256.New()
	for _, class := range append(Places(), Things()...) {
		for seed := range uint64(6) { // what few photos of a class have is in one of them
			hash.Write(pixels(t, class.Photo(seed, 7)))
		}
	}
	const want = "90e5cef7486a0a8f3dca6db205d9389e41f699f06c35ffa885da93d2f32a845c"
	if got := hex.EncodeToString(hash.Sum(nil)); got != want {
		t.Errorf("the photos have the sum %s, want %s", got, want)
	}
}

// TestWrite: the folders are those of the classes, the files are JPEGs of modest size.
func TestWrite(t *testing.T) {
	root := t.TempDir()
	if err := Write(t.Context(), root, Places()[:2], 1, 2, 4); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(root, "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range files {
		name, err := filepath.Rel(root, f)
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, filepath.ToSlash(name))
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if c, err := jpeg.DecodeConfig(bytes.NewReader(data)); err != nil || c.Width != Width || c.Height != Height || len(data) > 40<<10 {
			t.Errorf("%s: %d bytes, %v, %v", name, len(data), c, err)
		}
	}
	want := []string{"bedroom/0003.jpg", "bedroom/0004.jpg", "coast/0003.jpg", "coast/0004.jpg"}
	if !slices.Equal(names, want) {
		t.Errorf("files %q, want %q", names, want)
	}
}

// TestWriteFails: a folder that cannot be made is an error, not a wait.
func TestWriteFails(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := Write(t.Context(), file, Places(), 1, 0, 50); err == nil {
		t.Error("photos were written into a file")
	}
}
