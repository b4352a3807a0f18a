package photo

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"io"

	xtiff "golang.org/x/image/tiff"
)

// The tags of TIFF 6.0 that decide whether, and how, a file is read.
const (
	tiffWidth        = 256
	tiffHeight       = 257
	tiffBits         = 258
	tiffCompression  = 259
	tiffPhotometric  = 262
	tiffFillOrder    = 266
	tiffStripOffsets = 273
	tiffSamples      = 277
	tiffPlanes       = 284
	tiffT4Options    = 292
	tiffT6Options    = 293
	tiffPredictor    = 317
	tiffTileOffsets  = 324
	tiffExtraSamples = 338
	tiffDNGVersion   = 50706
)

// tiff is a whole file. Of its first directory only numbers are asked for.
type tiff []byte

// first returns the first value of a tag, or what holds without it.
func (t tiff) first(tag uint16, otherwise int) int {
	f, ok := find(t, tag)
	switch {
	case !ok:
		return otherwise
	case f.kind == typeByte:
		return int(f.data[0])
	}
	return int(f.number())
}

// bits returns for how many samples of a pixel the file says how many bits they have.
func (t tiff) bits() int {
	f, ok := find(t, tiffBits)
	if !ok {
		return 1
	}
	return len(f.data) / sizes[f.kind]
}

func sizeOfTIFF(data []byte) (w, h int, err error) {
	t := tiff(data)
	return t.first(tiffWidth, 0), t.first(tiffHeight, 0), t.check()
}

// decodeTIFF decodes the first picture of a TIFF. golang.org/x/image/tiff takes
// tags that it does not know for absent; check has refused those. It also
// exchanges black and white in fax pages whose photometric interpretation says
// that black is zero.
func decodeTIFF(data []byte) (*Image, error) {
	m, err := xtiff.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	if gray, ok := m.(*image.Gray); ok && tiff(data).isFax() && tiff(data).first(tiffPhotometric, 0) == 1 {
		for i, v := range gray.Pix {
			gray.Pix[i] = ^v
		}
	}
	return fromImage(m), nil
}

// tiffCompressions names the compressions. Of those that are read it has the
// most bytes that one byte can encode.
var tiffCompressions = map[int]struct {
	name    string
	density int
}{
	1: {"none", 1}, 2: {"fax without end of line", 0}, 3: {"fax group 3", 1}, 4: {"fax group 4", 1},
	5: {"LZW", 2731}, 6: {"old JPEG", 0}, 7: {"JPEG", 0}, 8: {"deflate", 1032}, 32946: {"deflate", 1032}, 32773: {"PackBits", 64},
	34676: {"SGILog", 0}, 34712: {"JPEG 2000", 0}, 34925: {"LZMA", 0}, 50000: {"Zstandard", 0}, 50001: {"WebP", 0}, 50002: {"JPEG XL", 0},
}

var tiffColours = map[int]string{4: "a mask", 5: "CMYK", 6: "YCbCr", 8: "Lab", 9: "Lab", 10: "Lab", 32803: "a sensor's raw values", 34892: "a sensor's raw values"}

func (t tiff) isFax() bool {
	c := t.first(tiffCompression, 1)
	return c == 3 || c == 4
}

// check refuses by name what would not be read right.
func (t tiff) check() error {
	compression := t.first(tiffCompression, 1)
	c, known := tiffCompressions[compression]
	predictor := t.first(tiffPredictor, 1)
	samples, extra := t.first(tiffSamples, 1), t.first(tiffExtraSamples, 0)
	switch {
	case t.first(tiffDNGVersion, -1) >= 0:
		return errors.New("a camera's raw file (DNG) is not supported; convert it to JPEG or PNG")
	case !known:
		return fmt.Errorf("compression %d is not supported", compression)
	case c.density == 0:
		return fmt.Errorf("its compression, %s, is not supported", c.name)
	case tiffColours[t.first(tiffPhotometric, 0)] != "":
		return fmt.Errorf("its colours, %s, are not supported", tiffColours[t.first(tiffPhotometric, 0)])
	case samples != t.bits():
		return fmt.Errorf("%d samples per pixel with the bits of %d are not supported", samples, t.bits())
	case t.first(tiffPhotometric, 0) == 2 && samples != 3 && (samples != 4 || extra != 1 && extra != 2):
		return fmt.Errorf("colours of %d samples per pixel are not supported unless the fourth is alpha", samples)
	case samples > 1 && t.first(tiffPlanes, 1) != 1:
		return errors.New("colours in planes of their own are not supported")
	case t.first(tiffFillOrder, 1) != 1 && !t.isFax():
		return errors.New("bits in reverse order are not supported")
	case compression == 3 && t.first(tiffT4Options, 0)&7 != 0, compression == 4 && t.first(tiffT6Options, 0)&2 != 0:
		return fmt.Errorf("this form of %s is not supported", c.name)
	case predictor > 2, predictor == 2 && compression != 5 && compression != 8 && compression != 32946:
		return fmt.Errorf("predictor %d with the compression %s is not supported", predictor, c.name)
	case compression == 5 && t.oldLZW():
		return errors.New("the old form of LZW is not supported")
	}
	// Before memory is asked for: whether so many rows can be in so few bytes.
	row := (t.first(tiffWidth, 0)*max(samples, 1)*t.first(tiffBits, 1) + 7) / 8
	rows := 8 * len(t) // a fax spends a bit on each
	if !t.isFax() {
		rows = c.density * len(t) / max(row, 1)
	}
	if t.first(tiffHeight, 0) > rows {
		return io.ErrUnexpectedEOF
	}
	return nil
}

// oldLZW is whether the codes begin as those of writers before TIFF 5.0 do, low
// bits first.
func (t tiff) oldLZW() bool {
	at := t.first(tiffStripOffsets, t.first(tiffTileOffsets, 0))
	return at >= 0 && at+1 < len(t) && t[at] == 0 && t[at+1]&1 != 0
}
