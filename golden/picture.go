package golden

import (
	"image"
	"image/png"
	"os"
	"testing"
)

// Picture compares an image with the PNG at path: no channel may differ by more than tolerance, of 255. With -update it writes the file.
func Picture(tb testing.TB, path string, got image.Image, tolerance int) {
	tb.Helper()
	if *update {
		file, err := os.Create(path)
		if err != nil {
			tb.Fatal(err)
		}
		defer file.Close()
		if err := png.Encode(file, got); err != nil {
			tb.Fatal(err)
		}
		return
	}
	file, err := os.Open(path)
	if err != nil {
		tb.Fatal(err)
	}
	defer file.Close()
	want, err := png.Decode(file)
	if err != nil {
		tb.Fatalf("%s: %v", path, err)
	}
	if got.Bounds() != want.Bounds() {
		tb.Fatalf("%s: %v, and not %v", path, got.Bounds(), want.Bounds())
	}
	if x, y, differs := firstPixel(got, want, tolerance); differs {
		tb.Errorf("%s: the pixel at %d, %d is %v and not %v\n(-update writes what there is now)", path, x, y, got.At(x, y), want.At(x, y))
	}
}

// firstPixel is the first that differs by more than tolerance.
func firstPixel(got, want image.Image, tolerance int) (x, y int, differs bool) {
	far := func(a, b uint32) bool { return max(a, b)-min(a, b) > uint32(tolerance)*0x101 }
	b := got.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			r, g, u, a := got.At(x, y).RGBA()
			r2, g2, u2, a2 := want.At(x, y).RGBA()
			if far(r, r2) || far(g, g2) || far(u, u2) || far(a, a2) {
				return x, y, true
			}
		}
	}
	return 0, 0, false
}
