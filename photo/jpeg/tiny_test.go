package jpeg

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
)

// segmentOf is a marker segment.
func segmentOf(mark uint8, body ...byte) []byte {
	n := len(body) + 2
	return append([]byte{0xff, mark, byte(n >> 8), byte(n)}, body...)
}

// tiny is a picture of 8 x 8 pixels whose components have one block each: the code of one bit 0 says "no difference" for DC and "end of
// block" for AC, so that a scan's data is zeros. Scans have their components' ids, and the band and precision where they are progressive.
func tiny(frame uint8, components int, scans ...[]byte) []byte {
	quant := append([]byte{0}, bytes.Repeat([]byte{1}, 64)...)
	sof := []byte{8, 0, 8, 0, 8, byte(components)}
	for i := range components {
		sof = append(sof, byte(i+1), 0x11, 0)
	}
	codes := append(slices.Concat([]byte{0, 1}, make([]byte, 15), []byte{0, 0x10, 1}, make([]byte, 15)), 0)
	file := slices.Concat([]byte{0xff, markSOI}, segmentOf(markDQT, quant...), segmentOf(frame, sof...), segmentOf(markDHT, codes...))
	for _, s := range scans {
		file = slices.Concat(file, segmentOf(markSOS, s...), []byte{0x03})
	}
	return append(file, 0xff, markEOI)
}

// together is a scan of all components.
func together(components int) []byte {
	s := []byte{byte(components)}
	for i := range components {
		s = append(s, byte(i+1), 0)
	}
	return append(s, 0, 63, 0)
}

func alone(id byte) []byte { return []byte{1, id, 0, 0, 63, 0} }

// band is a progressive scan of one coefficient.
func band(id, k byte) []byte { return []byte{1, id, 0, k, k, 0} }

// bands are n progressive scans: the DC coefficients, then AC coefficients of one component after the other.
func bands(n int) [][]byte {
	dc := together(3)
	dc[len(dc)-2] = 0
	scans := [][]byte{dc}
	for i := range n - 1 {
		scans = append(scans, band(byte(i/63+1), byte(i%63+1)))
	}
	return scans
}

// TestScans: which scans make a picture, and which are refused for what.
func TestScans(t *testing.T) {
	wide := tiny(markSOF0, 3, together(3))
	for i := bytes.Index(wide, []byte{0xff, markSOF0}) + 11; i < bytes.Index(wide, []byte{0xff, markDHT}); i += 3 {
		wide[i] = 0x22
	}
	for _, c := range []struct {
		name string
		data []byte
		want string
	}{
		{"grey", tiny(markSOF0, 1, alone(1)), ""},
		{"together", tiny(markSOF0, 3, together(3)), ""},
		{"one after the other", tiny(markSOF0, 3, alone(1), alone(2), alone(3)), ""},
		{"what follows the last component", tiny(markSOF0, 1, alone(1), alone(7)), ""},
		{"one component twice", tiny(markSOF0, 3, alone(1), alone(1), alone(3)), "segment"},
		{"one component missing", tiny(markSOF0, 3, alone(1), alone(3)), "component 2 of 3"},
		{"twelve blocks together", wide, "segment"},
		{"100 scans", tiny(markSOF2, 3, bands(100)...), ""},
		{"101 scans", tiny(markSOF2, 3, bands(101)...), "more than 100 scans"},
		{"AC before DC", tiny(markSOF2, 1, band(1, 1)), "segment"},
		{"a band twice", tiny(markSOF2, 1, band(1, 0), band(1, 1), band(1, 1)), "segment"},
		{"coefficient 64", tiny(markSOF2, 1, band(1, 0), []byte{1, 1, 0, 5, 64, 0}), "segment"},
		{"a band that ends before it begins", tiny(markSOF2, 1, band(1, 0), []byte{1, 1, 0, 5, 4, 0}), "segment"},
		{"a bit that leaves one out", tiny(markSOF2, 1, []byte{1, 1, 0, 0, 0, 2}, []byte{1, 1, 0, 0, 0, 0x20}), "segment"},
		{"a bit refined that was not told", tiny(markSOF2, 1, []byte{1, 1, 0, 0, 0, 2}, []byte{1, 1, 0, 0, 0, 0x10}), "segment"},
		{"a bit refined", tiny(markSOF2, 1, []byte{1, 1, 0, 0, 0, 2}, []byte{1, 1, 0, 0, 0, 0x21}), ""},
		{"13 bits left", tiny(markSOF2, 1, []byte{1, 1, 0, 0, 0, 13}), ""},
		{"14 bits left", tiny(markSOF2, 1, []byte{1, 1, 0, 0, 0, 14}), "segment"},
		{"five components", tiny(markSOF0, 5, alone(1)), "5 components"},
		{"two frames", slices.Concat(tiny(markSOF0, 1)[:len(tiny(markSOF0, 1))-2], tiny(markSOF0, 1, alone(1))[2:]), "two frames"},
		{"two beginnings", slices.Concat([]byte{0xff, markSOI}, tiny(markSOF0, 1, alone(1))), "marker 0xd8"},
	} {
		w, h, pix, err := Decode(c.data)
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
		if err == nil && (w != 8 || h != 8 || !bytes.Equal(pix, bytes.Repeat([]byte{128}, 3*64))) {
			t.Errorf("%s: %d x %d of %v", c.name, w, h, pix)
		}
	}
}

// TestTables: tables of numbers of two bytes are those of one byte; codes that are more than there are, that are ones alone, and
// differences of more than 15 bits are refused.
func TestTables(t *testing.T) {
	data := fixture(t, "420.jpg")
	_, _, want, err := Decode(data)
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.Index(data, []byte{0xff, markDQT})
	table := data[at+5:][:64]
	double := []byte{0x10 | data[at+4]}
	for _, v := range table {
		double = append(double, 0, v)
	}
	_, _, got, err := Decode(slices.Concat(data[:at], segmentOf(markDQT, double...), data[at+69:]))
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("two bytes: %v", err)
	}
	lengths := func(n ...byte) []byte { return append(n, make([]byte, 16-len(n))...) }
	for _, c := range []struct {
		name             string
		class            byte
		lengths, symbols []byte
		want             error
	}{
		{"one bit", 0, lengths(1), []byte{15}, nil},
		{"ones alone", 0, lengths(2), []byte{0, 1}, errSegment},
		{"ones alone of two bits", 0, lengths(0, 4), []byte{0, 1, 2, 3}, errSegment},
		{"all but ones", 0, lengths(0, 3), []byte{0, 1, 2}, nil},
		{"no room for longer codes", 0, lengths(1, 2), []byte{0, 1, 2}, errSegment},
		{"16 bits of DC", 0, lengths(1), []byte{16}, errSegment},
		{"a run of AC", 0x10, lengths(1), []byte{16}, nil},
		{"another class", 0x20, lengths(1), []byte{0}, errSegment},
		{"another place", 4, lengths(1), []byte{0}, errSegment},
		{"a symbol missing", 0, lengths(0, 2), []byte{0}, errSegment},
		{"too short for a table", 0, nil, nil, errSegment},
	} {
		table := segmentOf(markDHT, slices.Concat([]byte{c.class}, c.lengths, c.symbols)...)
		if _, _, _, err := Decode(slices.Concat(data[:2], table, data[2:])); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

// TestMemory: a few rows of units (16 bytes of 64 samples wide in 4:2:0), or coefficients of two bytes or samples of all blocks; nothing of
// what is no picture.
func TestMemory(t *testing.T) {
	header := fixture(t, "420.jpg")
	header = header[:bytes.Index(header, []byte{0xff, markSOS})]
	for _, c := range []struct {
		name string
		data []byte
		want int64
	}{
		// 5 x 4 units of 4 + 2 blocks; a row has 5 of them
		{"420", fixture(t, "420.jpg"), 4 * 5 * 6 * 64},
		{"420 progressive", fixture(t, "420_progressive.jpg"), 2*64*5*4*6 + 4*64*5*6},
		{"grey", tiny(markSOF0, 1, alone(1)), 4 * 64},
		{"together", tiny(markSOF0, 3, together(3)), 4 * 3 * 64},
		{"one after the other", tiny(markSOF0, 3, alone(1), alone(2), alone(3)), 3 * 64},
		{"no scan", header, 5 * 4 * 6 * 64},
		{"a table that is cut", append(slices.Clone(header), segmentOf(markDHT, 0)...), 5 * 4 * 6 * 64},
		{"no frame", header[:40], 0},
	} {
		if got := Memory(c.data); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}

// TestApplication: the segments of applications before the first scan, in order, to where the file can be read.
func TestApplication(t *testing.T) {
	head := slices.Concat([]byte{0xff, markSOI}, segmentOf(markAPP0, 1), []byte{0xff, markTEM}, segmentOf(markCOM, 9), segmentOf(markAPP15, 2, 3), segmentOf(0xe1))
	late := segmentOf(0xe2, 4)
	all := []segmentNumber{{0, "\x01"}, {15, "\x02\x03"}, {1, ""}}
	for _, c := range []struct {
		name string
		data []byte
		want []segmentNumber
	}{
		{"all", slices.Concat(head, segmentOf(markSOS), late), all},
		{"one more", slices.Concat(head, late, segmentOf(markSOS)), append(slices.Clone(all), segmentNumber{2, "\x04"})},
		{"cut", slices.Concat(head, late[:len(late)-1]), all},
		{"its length cut", slices.Concat(head, late[:3]), all},
	} {
		var got []segmentNumber
		for n, body := range Application(c.data) {
			got = append(got, segmentNumber{n, string(body)})
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
		for n := range Application(c.data) {
			if n != 0 {
				t.Errorf("%s: segment %d after the first", c.name, n)
			}
			break
		}
	}
}

type segmentNumber struct {
	n    int
	body string
}
