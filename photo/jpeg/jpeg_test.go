package jpeg

import (
	"bytes"
	"errors"
	"image"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"regraft/engine/random"
	"regraft/golden"
)

func fixture(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// decoded returns what Pillow (libjpeg-turbo) makes of every fixture.
func decoded(t testing.TB) map[string]golden.Array {
	t.Helper()
	path, err := filepath.Abs("testdata/decoded.npz")
	if err != nil {
		t.Fatal(err)
	}
	return golden.Npz(t, path)
}

func TestPixelsOfLibjpegTurbo(t *testing.T) {
	arrays := decoded(t)
	if len(arrays) < 37 {
		t.Fatalf("only %d fixtures", len(arrays))
	}
	for _, name := range slices.Sorted(maps.Keys(arrays)) {
		want := arrays[name]
		t.Run(name, func(t *testing.T) {
			w, h, pix, err := Decode(fixture(t, name))
			if err != nil {
				t.Fatal(err)
			}
			if h != want.Shape[0] || w != want.Shape[1] {
				t.Fatalf("%d x %d pixels instead of %v", w, h, want.Shape)
			}
			for i, v := range pix {
				if v != want.Bytes[i] {
					t.Fatalf("row %d, column %d, channel %d: %d instead of %d", i/3/w, i/3%w, i%3, v, want.Bytes[i])
				}
			}
		})
	}
}

func TestDecodeConfig(t *testing.T) {
	for name, want := range map[string]Config{
		"420.jpg":             {75, 52, 3, false},
		"444_progressive.jpg": {75, 52, 3, true},
		"gray.jpg":            {75, 52, 1, false},
		"cmyk.jpg":            {75, 52, 4, false},
	} {
		got, err := DecodeConfig(fixture(t, name))
		if err != nil || got != want {
			t.Errorf("%s: %+v, %v; want %+v", name, got, err, want)
		}
	}
}

// TestTruncated cuts files at every third byte. All data is needed up to the last scan's
// end, so every cut well before it is an error, and none is a panic.
func TestTruncated(t *testing.T) {
	for _, name := range []string{"420.jpg", "420_restart.jpg", "420_progressive.jpg", "gray.jpg", "cmyk.jpg"} {
		data := fixture(t, name)
		for n := 0; n < len(data)-4; n += 3 {
			if _, _, _, err := Decode(data[:n:n]); err == nil {
				t.Fatalf("%s: %d of %d bytes decoded", name, n, len(data))
			}
		}
		if _, _, _, err := Decode(data[:len(data)*2/3]); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s: two thirds give %v", name, err)
		}
	}
}

// TestMissingEnd: a sequential picture whose data is complete needs no end
// marker; of a progressive one nobody knows whether scans are missing.
func TestMissingEnd(t *testing.T) {
	data := fixture(t, "420.jpg")
	if _, _, _, err := Decode(data[:len(data)-2]); err != nil {
		t.Errorf("sequential: %v", err)
	}
	data = fixture(t, "420_progressive.jpg")
	if _, _, _, err := Decode(data[:len(data)-2]); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("progressive: %v", err)
	}
}

// TestRefused changes one byte of the frame header or of a table and expects a reason.
func TestRefused(t *testing.T) {
	data := fixture(t, "420.jpg")
	frame := bytes.Index(data, []byte{0xff, markSOF0})
	table := bytes.Index(data, []byte{0xff, markDHT})
	scan := bytes.Index(data, []byte{0xff, markSOS})
	for _, c := range []struct {
		name  string
		at    int
		value byte
		want  string
	}{
		{"not a JPEG", 1, 0, "marker"},
		{"lossless", frame + 1, 0xc3, "lossless"},
		{"arithmetic coding", frame + 1, 0xc9, "arithmetic"},
		{"hierarchical", frame + 1, 0xc5, "hierarchical"},
		{"12 bits", frame + 4, 12, "12 bits"},
		{"two components", frame + 9, 2, "2 components"},
		{"chroma finer than luma by 3:2", frame + 14, 0x31, "fraction"},
		{"sampled 0", frame + 11, 0x02, "segment"},
		{"a name that the scan does not use", frame + 10, 2, "segment"},
		{"a height of 0", frame + 6, 0, "DNL"},
		{"too many codes", table + 5, 255, "segment"},
		{"a scan of nothing", scan + 4, 0, "segment"},
		{"an unknown component", scan + 5, 77, "segment"},
	} {
		broken := slices.Clone(data)
		broken[c.at] = c.value
		_, _, _, err := Decode(broken)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// TestDamagedHeaders changes every byte before the first scan's data and expects a picture or a reason, whatever the byte says; tables
// whose numbers or sizes cannot be are refused.
func TestDamagedHeaders(t *testing.T) {
	for _, name := range []string{"420.jpg", "420_progressive.jpg", "cmyk.jpg"} {
		data := fixture(t, name)
		quant := bytes.Index(data, []byte{0xff, markDQT})
		for at := 2; at < bytes.Index(data, []byte{0xff, markSOS})+12; at++ {
			for _, value := range []byte{0, data[at] ^ 4, 0xff} {
				broken := slices.Clone(data)
				broken[at] = value
				_, _, _, err := Decode(broken)
				if at == quant+4 && value&0xfc != 0 && value != 0x10 && !errors.Is(err, errSegment) {
					t.Errorf("%s: quantisation table %#x: %v", name, value, err)
				}
			}
		}
	}
}

// TestDamagedScans takes bytes away and leaves the rest and the end marker.
// More than the last few are an error that says what is wrong.
func TestDamagedScans(t *testing.T) {
	for _, c := range []struct {
		name     string
		from, to int // bytes taken away, counted from the end
		want     string
	}{
		{"420.jpg", 5, 2, ""},
		{"420.jpg", 300, 2, "ends too early"},
		{"420_restart.jpg", 700, 400, "restart marker"},
		{"420_progressive.jpg", 5, 2, ""},
		{"420_progressive.jpg", 300, 2, "ends too early"},
		{"420_progressive.jpg", 800, 797, "damaged"},
		{"one_pixel.jpg", 4, 2, "ends too early"},
	} {
		data := fixture(t, c.name)
		data = slices.Concat(data[:len(data)-c.from], data[len(data)-c.to:])
		_, _, _, err := Decode(data)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s without bytes -%d to -%d: %v", c.name, c.from, c.to, err)
		}
	}
}

// TestMissingTables: a scan whose codes were never defined is refused: for DC and for AC, one after the other and progressive.
func TestMissingTables(t *testing.T) {
	for name, tables := range map[string][]byte{"420.jpg": {0x20, 0x02}, "420_progressive.jpg": {0x20}} {
		for _, table := range tables {
			data := slices.Clone(fixture(t, name))
			scan := bytes.Index(data, []byte{0xff, markSOS})
			data[scan+6] = table
			if _, _, _, err := Decode(data); err != errSegment {
				t.Errorf("%s, tables %#02x: %v", name, table, err)
			}
		}
	}
}

// TestComponentsOfScans: a scan of one component must say which, and none may be left out.
func TestComponentsOfScans(t *testing.T) {
	data := fixture(t, "444_progressive.jpg")
	frame := bytes.Index(data, []byte{0xff, markSOF2})
	scan := bytes.Index(data, []byte{0xff, markSOS})
	data[frame+13], data[scan+7] = 1, 1
	if _, _, _, err := Decode(data); err == nil || !strings.Contains(err.Error(), "one name") {
		t.Errorf("equal names: %v", err)
	}
	data = fixture(t, "gray_progressive.jpg")
	end := bytes.Index(data, []byte{0xff, markSOS})
	if _, _, _, err := Decode(slices.Concat(data[:end], []byte{0xff, markEOI})); err == nil || !strings.Contains(err.Error(), "component 1") {
		t.Errorf("no scan: %v", err)
	}
}

// FuzzDecode: no input gives a panic, and what decodes has the size declared, whole, reduced and in part.
func FuzzDecode(f *testing.F) {
	for name := range decoded(f) {
		f.Add(fixture(f, name))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := DecodeConfig(data)
		if err != nil || c.Width*c.Height > 1<<16 {
			return
		}
		w, h, pix, err := Decode(data)
		if err == nil && (w != c.Width || h != c.Height || len(pix) != 3*w*h) {
			t.Fatalf("%d bytes of %d x %d pixels; the header says %+v", len(pix), w, h, c)
		}
		for _, reduce := range []int{1, 2, 4, 8} {
			area := image.Rect(c.Width/3, c.Height/4, c.Width, c.Height/2+1)
			area = image.Rect(area.Min.X/reduce, area.Min.Y/reduce, Reduced(area.Max.X, reduce), Reduced(area.Max.Y, reduce))
			rows := 0
			part := Rows(data, reduce, area, func(int, []uint8) { rows++ })
			if (part == nil) != (err == nil) || part == nil && rows != area.Dy() {
				t.Fatalf("%d of %d rows at 1/%d: %v; the whole: %v", rows, area.Dy(), reduce, part, err)
			}
		}
	})
}

// TestReduced holds pictures at 1/2, 1/4 and 1/8 to Pillow's Image.draft.
func TestReduced(t *testing.T) {
	path, err := filepath.Abs("testdata/reduced.npz")
	if err != nil {
		t.Fatal(err)
	}
	arrays := golden.Npz(t, path)
	if len(arrays) < 3*37 {
		t.Fatalf("only %d pictures", len(arrays))
	}
	for name, want := range arrays {
		t.Run(name, func(t *testing.T) {
			file, by, _ := strings.Cut(name, "@")
			reduce := int(by[0] - '0')
			area := image.Rect(0, 0, want.Shape[1], want.Shape[0])
			checkRows(t, fixture(t, file), reduce, area, want)
		})
	}
}

// checkRows compares the rows of an area with the whole picture.
func checkRows(t *testing.T, data []byte, reduce int, area image.Rectangle, whole golden.Array) {
	t.Helper()
	next := area.Min.Y
	err := Rows(data, reduce, area, func(y int, rgb []uint8) {
		want := whole.Bytes[3*(y*whole.Shape[1]+area.Min.X):][:3*area.Dx()]
		if y != next || !bytes.Equal(rgb, want) {
			t.Fatalf("row %d of %v: %v instead of %v", y, area, rgb, want)
		}
		next++
	})
	if err != nil || next != area.Max.Y {
		t.Fatalf("%v: ended at row %d, %v", area, next, err)
	}
}

// TestAreas: the rows of a part are those of the whole.
func TestAreas(t *testing.T) {
	r := random.At(3, "areas")
	for name, want := range decoded(t) {
		for range 20 {
			x, y := r.IntN(want.Shape[1]), r.IntN(want.Shape[0])
			area := image.Rect(x, y, x+1+r.IntN(want.Shape[1]-x), y+1+r.IntN(want.Shape[0]-y))
			checkRows(t, fixture(t, name), 1, area, want)
		}
	}
}
