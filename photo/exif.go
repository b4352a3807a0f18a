package photo

import (
	"bytes"
	"encoding/binary"
	"math"
)

// Tags that are looked for in a directory of EXIF (EXIF 2.32, 4.6) and TIFF.
const (
	tagOrientation = 0x0112
	tagXMP         = 0x02bc
)

// field is an entry of a directory: values of one type, at least one.
type field struct {
	kind  uint16 // of the values
	data  []byte
	order binary.ByteOrder
}

// Types of fields (TIFF 6.0, section 2). Pillow also counts LONG8 of BigTIFF.
const (
	typeByte      = 1
	typeASCII     = 2
	typeShort     = 3
	typeLong      = 4
	typeRational  = 5
	typeSByte     = 6
	typeUndefined = 7
	typeSShort    = 8
	typeSLong     = 9
	typeSRational = 10
	typeFloat     = 11
	typeDouble    = 12
	typeIFD       = 13
	typeLong8     = 16
)

// sizes are the bytes of a value of each type; 0 for those that are unknown.
var sizes = [typeLong8 + 1]int{
	typeByte: 1, typeASCII: 1, typeShort: 2, typeLong: 4, typeRational: 8, typeSByte: 1, typeUndefined: 1,
	typeSShort: 2, typeSLong: 4, typeSRational: 8, typeFloat: 4, typeDouble: 8, typeIFD: 4, typeLong8: 8,
}

// byteOrder reads the header of a TIFF structure. Pillow takes the 42 in
// either order, and big-endian BigTIFF for TIFF.
func byteOrder(tiff []byte) (binary.ByteOrder, bool) {
	if len(tiff) < 8 {
		return nil, false
	}
	switch string(tiff[:4]) {
	case "MM\x00*", "MM*\x00", "MM\x00+":
		return binary.BigEndian, true
	case "II*\x00", "II\x00*":
		return binary.LittleEndian, true
	}
	return nil, false
}

// find looks for a tag in the first directory of a TIFF structure, by the rules
// of Pillow's ImageFileDirectory_v2: the first entry of a tag counts, entries
// of unknown types or without values are passed over, and so are those with
// which the values would outgrow the file; one whose values lie past the end
// ends the directory.
func find(tiff []byte, tag uint16) (f field, found bool) {
	order, ok := byteOrder(tiff)
	if !ok {
		return field{}, false
	}
	at := int(order.Uint32(tiff[4:]))
	if at+2 > len(tiff) {
		return field{}, false
	}
	entries := int(order.Uint16(tiff[at:]))
	at += 2
	seen, total := map[uint16]bool{}, 0
	for ; entries > 0 && at+12 <= len(tiff); entries, at = entries-1, at+12 {
		entry := tiff[at : at+12]
		here, kind, count := order.Uint16(entry), order.Uint16(entry[2:]), int(order.Uint32(entry[4:]))
		if seen[here] || int(kind) >= len(sizes) || sizes[kind]*count == 0 {
			continue
		}
		data, size := entry[8:], sizes[kind]*count
		if size > len(data) {
			if total += size; total > len(tiff) {
				continue
			}
			from := int(order.Uint32(data))
			if from+size > len(tiff) {
				return field{}, false
			}
			data = tiff[from:]
		}
		if here == tag {
			return field{kind, data[:size], order}, true
		}
		seen[here] = true
	}
	return field{}, false
}

// number returns the first value, NaN for text and bytes.
func (f field) number() float64 {
	switch f.kind {
	case typeShort:
		return float64(f.order.Uint16(f.data))
	case typeLong, typeIFD:
		return float64(f.order.Uint32(f.data))
	case typeLong8:
		return float64(f.order.Uint64(f.data))
	case typeRational:
		return float64(f.order.Uint32(f.data)) / float64(f.order.Uint32(f.data[4:]))
	case typeSByte:
		return float64(int8(f.data[0]))
	case typeSShort:
		return float64(int16(f.order.Uint16(f.data)))
	case typeSLong:
		return float64(int32(f.order.Uint32(f.data)))
	case typeSRational:
		return float64(int32(f.order.Uint32(f.data))) / float64(int32(f.order.Uint32(f.data[4:])))
	case typeFloat:
		return float64(math.Float32frombits(f.order.Uint32(f.data)))
	case typeDouble:
		return math.Float64frombits(f.order.Uint64(f.data))
	}
	return math.NaN()
}

// exifPrefix opens EXIF in a JPEG segment; other formats should do without it.
var exifPrefix = []byte("Exif\x00\x00")

// withoutPrefix drops the prefix, up to twice.
func withoutPrefix(exif []byte) []byte {
	for range 2 {
		exif = bytes.TrimPrefix(exif, exifPrefix)
	}
	return exif
}
