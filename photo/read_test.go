package photo

import (
	"bytes"
	"fmt"
	"image"
	stdjpeg "image/jpeg"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"regraft/golden"
)

func jpegFixture(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("jpeg", "testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestReadOrientations: what is resized while it is decoded, as it lies in the file, has the bits of the upright photo resized.
func TestReadOrientations(t *testing.T) {
	for _, name := range []string{"420.jpg", "440_progressive.jpg", "gray.jpg", "narrow.jpg"} {
		data := jpegFixture(t, name)
		for o := 1; o <= 8; o++ {
			s, err := open(data, DecodeOptions{})
			if err != nil {
				t.Fatal(err)
			}
			s.orientation = o
			whole, err := s.decode(1)
			if err != nil {
				t.Fatal(err)
			}
			w, h := s.upright(1)
			for _, p := range []Preprocess{
				{Size: Size{20, 30}, Resize: Squash}, {Size: Size{8, 70}, Resize: Squash, Resample: Bicubic}, {Size: Size{90, 4}, Resize: Squash},
				{Size: Square(21), Resize: Crop, Short: 24, Resample: Bicubic}, {Size: Size{20, 30}, Resize: Letterbox, Channels: Gray},
				{Size: Square(25), Resize: Squash, Resample: NfntBicubic, Channels: Gray},
			} {
				for _, a := range []Augmentation{{}, {X: w / 3, Y: h / 4, W: w - w/3, H: h/2 + 1}} {
					got, err := p.fit(s, a)
					if err != nil {
						t.Fatal(err)
					}
					want, err := p.fit(whole.source(), a)
					if err != nil {
						t.Fatal(err)
					}
					if got.W != want.W || got.H != want.H || !bytes.Equal(got.Pix, want.Pix) {
						t.Errorf("%s, orientation %d, %+v, %+v: other pixels", name, o, p, a)
					}
				}
			}
		}
	}
}

// TestFast holds Fast to Pillow's Image.draft for twice the size.
func TestFast(t *testing.T) {
	path, err := filepath.Abs("jpeg/testdata/fast.npz")
	if err != nil {
		t.Fatal(err)
	}
	all := golden.Npz(t, path)
	reduced := map[int]int{}
	for _, key := range slices.Sorted(maps.Keys(all)) {
		name, rest, _ := strings.Cut(key, " ")
		p := Preprocess{Decode: Fast}
		if _, err := fmt.Sscanf(rest, "%s %s %dx%d", &p.Resample, &p.Resize, &p.Size.W, &p.Size.H); err != nil {
			t.Fatalf("%s: %v", key, err)
		}
		p.Short = p.Size.W
		t.Run(key, func(t *testing.T) {
			s, err := open(jpegFixture(t, name), DecodeOptions{})
			if err != nil {
				t.Fatal(err)
			}
			reduced[p.scaling(s.w, s.h, Augmentation{}).reducible()]++
			m, err := p.fit(s, Augmentation{})
			if err != nil {
				t.Fatal(err)
			}
			equalPixels(t, m, all[key])
		})
	}
	for _, by := range []int{1, 2, 4, 8} {
		if reduced[by] < 10 {
			t.Errorf("%d pictures at 1/%d", reduced[by], by)
		}
	}
}

// TestFastCrop: a part is cut out of the photo at the size at which the part is large enough, at a quarter of its place.
func TestFastCrop(t *testing.T) {
	p := Preprocess{Size: Square(5), Resize: Squash, Decode: Fast}
	s, err := open(jpegFixture(t, "420.jpg"), DecodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	got, err := p.fit(s, Augmentation{X: 18, Y: 5, W: 43, H: 40})
	if err != nil {
		t.Fatal(err)
	}
	quarter, err := s.decode(4)
	if err != nil {
		t.Fatal(err)
	}
	want, err := p.fit(quarter.source(), Augmentation{X: 4, Y: 1, W: 10, H: 10})
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Pix, want.Pix) {
		t.Errorf("%v instead of %v", got.Pix, want.Pix)
	}
}

// TestFastOtherFormats: only JPEGs are reduced.
func TestFastOtherFormats(t *testing.T) {
	var x [2][]float32
	for i, decode := range Decodings {
		p := Pixels(Square(5))
		p.Decode = decode
		x[i] = make([]float32, p.Values())
		if err := p.ReadFile("testdata/turned.png", DecodeOptions{}, x[i]); err != nil {
			t.Fatal(err)
		}
	}
	if !slices.Equal(x[0], x[1]) {
		t.Error("other values")
	}
}

// TestReadFile names the file, and says what Load says.
func TestReadFile(t *testing.T) {
	p := ImageNet(Square(9))
	x := make([]float32, p.Values())
	err := p.ReadFile("read_test.go", DecodeOptions{}, x)
	if _, want := Load("read_test.go", DecodeOptions{}); err == nil || err.Error() != want.Error() {
		t.Errorf("%v instead of %v", err, want)
	}
	if err = p.Read(jpegFixture(t, "420.jpg")[:900], DecodeOptions{}, 0, x); err == nil || !strings.Contains(err.Error(), "ends too early") {
		t.Errorf("half a photo: %v", err)
	}
}

// TestReadRows: a large JPEG is never in memory as a whole.
func TestReadRows(t *testing.T) {
	var file bytes.Buffer
	if err := stdjpeg.Encode(&file, image.NewYCbCr(image.Rect(0, 0, 2000, 4000), image.YCbCrSubsampleRatio420), nil); err != nil {
		t.Fatal(err)
	}
	for _, size := range []Size{{20, 30}, {20, 3000}} { // either pass first
		p := ImageNet(size)
		x := make([]float32, p.Values())
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if err := p.Read(file.Bytes(), DecodeOptions{}, 0, x); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		if took := after.TotalAlloc - before.TotalAlloc; took > 4<<20 {
			t.Errorf("%v: 24 million bytes of pixels took %d bytes of memory", size, took)
		}
	}
}
