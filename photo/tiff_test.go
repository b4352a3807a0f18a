package photo

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

// TestTagsLeftOut: a TIFF without a tag has the pixels of one where that has the value that TIFF 6.0 has for its absence.
func TestTagsLeftOut(t *testing.T) {
	defaults := map[uint16]float64{tiffCompression: 1, tiffPhotometric: 0, tiffFillOrder: 1, tiffSamples: 1, tiffPlanes: 1}
	left := map[uint16]int{}
	files, err := filepath.Glob("testdata/forms/*.tiff")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		want, err := Decode(data, DecodeOptions{TIFF: true})
		if err != nil { // a form that is refused
			continue
		}
		var order binary.ByteOrder = binary.LittleEndian
		if data[0] == 'M' {
			order = binary.BigEndian
		}
		directory := data[order.Uint32(data[4:]):]
		count := int(order.Uint16(directory))
		for k := range count {
			tag := order.Uint16(directory[2+12*k:])
			usual, known := defaults[tag]
			if f, ok := find(tiff(data), tag); !known || !ok || f.number() != usual {
				continue
			}
			without := append([]byte{}, data...)
			d := without[order.Uint32(data[4:]):]
			order.PutUint16(d, uint16(count-1))
			copy(d[2+12*k:2+12*count], d[2+12*(k+1):2+12*count])
			if got, err := Decode(without, DecodeOptions{TIFF: true}); err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%s without tag %d: %v, or other pixels", file, tag, err)
			}
			left[tag]++
		}
	}
	if len(left) < len(defaults) || left[tiffPhotometric] < 5 {
		t.Errorf("tags that were left out: %v", left)
	}
}
