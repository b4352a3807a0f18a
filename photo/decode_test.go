package photo

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"maps"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"regraft/golden"
)

// arrays reads an archive of the package's fixtures.
func arrays(t testing.TB, name string) map[string]golden.Array {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return golden.Npz(t, path)
}

// equalPixels fails unless the image is want, uint8 (H, W, 3).
func equalPixels(t *testing.T, m *Image, want golden.Array) {
	t.Helper()
	if m.H != want.Shape[0] || m.W != want.Shape[1] {
		t.Fatalf("%d x %d pixels instead of %v", m.W, m.H, want.Shape)
	}
	for i, v := range m.Pix {
		if v != want.Bytes[i] {
			t.Fatalf("row %d, column %d, channel %d: %d instead of %d", i/3/m.W, i/3%m.W, i%3, v, want.Bytes[i])
		}
	}
}

// TestPixelsOfPillow holds every format to Pillow's exif_transpose and convert("RGB").
func TestPixelsOfPillow(t *testing.T) {
	decoded := arrays(t, "decoded.npz")
	if len(decoded) < 18 {
		t.Fatalf("only %d fixtures", len(decoded))
	}
	for _, name := range slices.Sorted(maps.Keys(decoded)) {
		t.Run(name, func(t *testing.T) {
			m, err := Load(filepath.Join("testdata", name), DecodeOptions{TIFF: true})
			if err != nil {
				t.Fatal(err)
			}
			equalPixels(t, m, decoded[name])
		})
	}
}

// TestOdd holds every row of the manifest of data/odd. "decodes or error" rows
// must decode: all those formats are supported.
func TestOdd(t *testing.T) {
	dir := filepath.Join(golden.Dir(t), "data", "odd")
	text, err := os.ReadFile(filepath.Join(dir, "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	var manifest struct {
		Files []struct {
			File, Expect  string
			Width, Height int
			MeanRGB       []float64 `json:"mean_rgb"`
		}
	}
	if err := json.Unmarshal(text, &manifest); err != nil {
		t.Fatal(err)
	}
	if len(manifest.Files) == 0 {
		t.Fatal("the manifest is empty")
	}
	for _, f := range manifest.Files {
		t.Run(f.File, func(t *testing.T) {
			path := filepath.Join(dir, f.File)
			m, err := Load(path, DecodeOptions{TIFF: true})
			if f.Expect == "error" {
				if err == nil || !strings.Contains(err.Error(), path) || strings.Contains(err.Error(), "\n") {
					t.Fatalf("want one line that names the file, not %v", err)
				}
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
				// The pixels are Pillow's, so all that is left is that the manifest rounds to 0.1.
				if got := float64(sum) / float64(m.W*m.H); math.Abs(got-want) > 0.0501 {
					t.Errorf("channel %d: mean %.3f instead of %.1f", c, got, want)
				}
			}
		})
	}
}

// withOrientation puts an EXIF segment with that orientation into a JPEG.
func withOrientation(data []byte, order binary.AppendByteOrder, o uint16) []byte {
	exif := []byte("Exif\x00\x00MM\x00*")
	if order == binary.AppendByteOrder(binary.LittleEndian) {
		exif = []byte("Exif\x00\x00II*\x00")
	}
	exif = order.AppendUint32(exif, 8) // offset of the only directory
	exif = order.AppendUint16(exif, 1) // its entries
	exif = order.AppendUint16(exif, 0x0112)
	exif = order.AppendUint16(exif, 3) // SHORT
	exif = order.AppendUint32(exif, 1)
	exif = order.AppendUint16(exif, o)
	exif = append(exif, 0, 0, 0, 0, 0, 0)
	segment := binary.BigEndian.AppendUint16([]byte{0xff, 0xe1}, uint16(len(exif)+2))
	return slices.Concat(data[:2], segment, exif, data[2:])
}

// TestOrientation turns a picture whose pixels say where they belong.
func TestOrientation(t *testing.T) {
	data, err := os.ReadFile("jpeg/testdata/444.jpg")
	if err != nil {
		t.Fatal(err)
	}
	stored, err := Decode(data, DecodeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	w, h := stored.W, stored.H
	// Where the pixel (x, y) of the upright picture is stored (EXIF 2.32, figure of tag 0x0112).
	place := map[uint16]func(x, y int) (int, int){
		1: func(x, y int) (int, int) { return x, y },
		2: func(x, y int) (int, int) { return w - 1 - x, y },
		3: func(x, y int) (int, int) { return w - 1 - x, h - 1 - y },
		4: func(x, y int) (int, int) { return x, h - 1 - y },
		5: func(x, y int) (int, int) { return y, x },
		6: func(x, y int) (int, int) { return y, h - 1 - x },
		7: func(x, y int) (int, int) { return w - 1 - y, h - 1 - x },
		8: func(x, y int) (int, int) { return w - 1 - y, x },
		9: func(x, y int) (int, int) { return x, y }, // not an orientation
	}
	for o, stand := range place {
		for _, order := range []binary.AppendByteOrder{binary.BigEndian, binary.LittleEndian} {
			m, err := Decode(withOrientation(data, order, o), DecodeOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if swapped := o >= 5 && o <= 8; swapped && (m.W != h || m.H != w) || !swapped && (m.W != w || m.H != h) {
				t.Fatalf("orientation %d: %d x %d pixels", o, m.W, m.H)
			}
			for y := range m.H {
				for x := range m.W {
					i, j := stand(x, y)
					if !bytes.Equal(m.row(y)[3*x:3*x+3], stored.row(j)[3*i:3*i+3]) {
						t.Fatalf("orientation %d: wrong pixel at (%d, %d)", o, x, y)
					}
				}
			}
		}
	}
}

func TestLimits(t *testing.T) {
	data, err := os.ReadFile("testdata/rgb.png") // 61 x 38
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		o    DecodeOptions
		want string
	}{
		{DecodeOptions{MaxPixels: 61 * 38}, ""},
		{DecodeOptions{MaxPixels: 61*38 - 1}, "MaxPixels"},
	} {
		if _, err := Decode(data, c.o); (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v", c.o, err)
		}
	}
	if _, err := Load("testdata/rgb.png", DecodeOptions{MaxBytes: 100}); err == nil || !strings.Contains(err.Error(), "limit") {
		t.Errorf("a file above the limit: %v", err)
	}
	for name, want := range map[string]string{
		"testdata":             "not a file",
		"testdata/missing.png": "no such file",
		"testdata/lzw.tiff":    "TIFF is read only when asked for",
	} {
		if _, err := Load(name, DecodeOptions{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestHeaderBeyondData: a small file whose header promises a large picture is
// refused before memory is asked for.
func TestHeaderBeyondData(t *testing.T) {
	little := binary.LittleEndian
	directory := func(data []byte) int { return int(little.Uint32(data[4:])) }
	tags := func(data []byte) { // the first two of a TIFF
		little.PutUint16(data[directory(data)+10:], 9_999)
		little.PutUint16(data[directory(data)+22:], 9_999)
	}
	for name, enlarge := range map[string]func(data []byte){
		"rgb.png":                       func(data []byte) { binary.BigEndian.PutUint64(data[16:], 9_999<<32|9_999) },
		"rgb.bmp":                       func(data []byte) { little.PutUint64(data[18:], 9_999<<32|9_999) },
		"forms/rle8.bmp":                func(data []byte) { little.PutUint64(data[18:], 9_999<<32|9_999) },
		"forms/plain.gif":               func(data []byte) { little.PutUint32(data[13+768+5:], 9_999<<16|9_999) },
		"forms/lossy.webp":              func(data []byte) { little.PutUint32(data[26:], 9_999<<16|9_999) },
		"forms/group4_1_fill_1.tiff":    tags,
		"forms/rgb_little.tiff":         tags,
		"forms/tiff_adobe_deflate.tiff": tags,
	} {
		data, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		enlarge(data)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err = Decode(data, DecodeOptions{TIFF: true})
		runtime.ReadMemStats(&after)
		if allocated := after.TotalAlloc - before.TotalAlloc; err == nil || allocated > 1<<20 {
			t.Errorf("%s: %v after %d bytes of memory", name, err, allocated)
		}
	}
}

func TestForeignFormats(t *testing.T) {
	for content, want := range map[string]string{
		"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic": "HEIC",
		"\x00\x00\x00\x18ftyphevm\x00\x00\x00\x00msf1hevc": "HEIC",
		"\x00\x00\x00\x18ftypmif1\x00\x00\x00\x00mif1miaf": "HEIC",
		"\x00\x00\x00\x18ftypmif1\x00\x00\x00\x00mif1avif": "AVIF",
		"\x00\x00\x00\x18ftypavis\x00\x00\x00\x00":         "AVIF",
		"\x00\x00\x00\x18ftypcrx \x00\x00\x00\x01":         "raw",
		"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00":         "video",
		"\x00\x00\x00\x14ftypqt  \x00\x00\x00\x00":         "video",
		"RIFF\x00\x00\x00\x00AVI LIST":                     "video",
		"\x1a\x45\xdf\xa3":                                 "video",
		"\x00\x00\x00\x0cJXL \r\n\x87\n":                   "JPEG XL",
		"\xff\x0a":                                         "JPEG XL",
		"\xff\x4f\xff\x51":                                 "JPEG 2000",
		"II*\x00\x10\x00\x00\x00CR\x02":                    "raw",
		"FUJIFILMCCD-RAW 0201":                             "raw",
		"II+\x00\x08\x00\x00\x00":                          "BigTIFF",
		"8BPS\x00\x01":                                     "PSD",
		"<?xml version=\"1.0\"?>\n<svg xmlns=":             "SVG",
		"\xef\xbb\xbf\n<!DOCTYPE HTML><html>":              "HTML",
		"%PDF-1.7":                                         "PDF",
		"PK\x03\x04":                                       "ZIP",
		"version https://git-lfs.github.com/spec/v1\noid":  "git lfs pull",
		strings.Repeat("\x00", 5000):                       "zeros",
		"hello, world":                                     "not a photo",
		"":                                                 "empty",
	} {
		for _, o := range []DecodeOptions{{}, {TIFF: true}} {
			if _, err := Decode([]byte(content), o); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%.40q: %v, not %q", content, err, want)
			}
		}
	}
}

// FuzzOrientation: no bytes give a panic or an orientation that there is not,
// whichever format they are taken for.
func FuzzOrientation(f *testing.F) {
	files, err := filepath.Glob("testdata/orientation/*.*")
	if err != nil || len(files) == 0 {
		f.Fatal(err)
	}
	for _, path := range files {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, format := range formats {
			if format.metadata == nil {
				continue
			}
			if o := format.metadata(data).orientation(); o < 1 || o > 8 {
				t.Fatalf("%s: orientation %d", format.name, o)
			}
		}
	})
}

// FuzzDecode: no bytes give a panic, an image whose pixels do not fit its size
// or an error of several lines.
func FuzzDecode(f *testing.F) {
	for _, pattern := range []string{"testdata/*.*", "testdata/forms/*.*"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			f.Fatal(pattern, err)
		}
		for _, path := range files {
			data, err := os.ReadFile(path)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := Decode(data, DecodeOptions{TIFF: true, MaxPixels: 1 << 16})
		if err == nil && (m.W < 1 || m.H < 1 || len(m.Pix) != 3*m.W*m.H) {
			t.Fatalf("%d bytes of %d x %d pixels", len(m.Pix), m.W, m.H)
		}
		if err != nil && strings.Contains(err.Error(), "\n") {
			t.Fatalf("an error of several lines: %v", err)
		}
	})
}
