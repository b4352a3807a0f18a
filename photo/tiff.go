package photo

import (
	"bytes"
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
	tiffSampleFormat = 339
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

// The compressions with forms of their own.
const (
	faxGroup3 = 3
	faxGroup4 = 4
	lzw       = 5
)

// tiffCompressions names the compressions. Of those that are read it has the
// most bytes that one byte can encode, and whether predictors go with them.
var tiffCompressions = map[int]struct {
	name     string
	density  int
	predicts bool
}{
	1: {"no", 1, false}, faxGroup3: {"fax (group 3)", 1, false}, faxGroup4: {"fax (group 4)", 1, false}, lzw: {"LZW", 2731, true},
	8: {"deflate", 1032, true}, 32946: {"deflate", 1032, true}, 32773: {"PackBits", 64, false},
	2: {name: "fax"}, 6: {name: "JPEG"}, 7: {name: "JPEG"}, 34676: {name: "SGILog"}, 34712: {name: "JPEG 2000"},
	34925: {name: "LZMA"}, 50000: {name: "Zstandard"}, 50001: {name: "WebP"}, 50002: {name: "JPEG XL"},
}

// tiffColours names the photometric interpretations that are not read.
var tiffColours = map[int]string{
	4: "a mask", 5: "CMYK colours", 6: "YCbCr colours", 8: "Lab colours", 9: "Lab colours", 10: "Lab colours",
	32803: "a camera's raw values", 34892: "a camera's raw values",
}

func (t tiff) isFax() bool {
	c := t.first(tiffCompression, 1)
	return c == faxGroup3 || c == faxGroup4
}

// check refuses by name what would not be read right.
func (t tiff) check() error {
	compression, predictor := t.first(tiffCompression, 1), t.first(tiffPredictor, 1)
	photometric, samples, bits := t.first(tiffPhotometric, 0), t.first(tiffSamples, 1), t.first(tiffBits, 1)
	c, known := tiffCompressions[compression]
	hasAlpha := t.first(tiffExtraSamples, 0) == 1 || t.first(tiffExtraSamples, 0) == 2
	switch {
	case t.first(tiffDNGVersion, -1) >= 0:
		return unsupported("a camera's raw values (DNG)")
	case !known:
		return unsupported("compression %d", compression)
	case c.density == 0, compression == lzw && t.oldLZW(),
		compression == faxGroup3 && t.first(tiffT4Options, 0)&7 != 0, // rows that build on others, or on whole bytes
		compression == faxGroup4 && t.first(tiffT6Options, 0)&2 != 0: // parts that are not compressed
		return unsupported("%s compression of this kind", c.name)
	case tiffColours[photometric] != "":
		return unsupported("%s", tiffColours[photometric])
	case samples != t.bits():
		return unsupported("%d samples per pixel, but the bits of %d", samples, t.bits())
	case photometric == 2 && samples != 3 && !(samples == 4 && hasAlpha), photometric != 2 && samples != 1:
		return unsupported("%d samples per pixel of this kind", samples)
	case bits != 1 && bits != 8 && bits != 16:
		return unsupported("%d bits per sample", bits)
	case t.first(tiffSampleFormat, 1) != 1:
		return unsupported("samples that are not whole numbers from 0 on")
	case samples > 1 && t.first(tiffPlanes, 1) != 1:
		return unsupported("a plane for each colour")
	case t.first(tiffFillOrder, 1) != 1 && !t.isFax():
		return unsupported("bits in reverse order")
	case predictor > 2, predictor == 2 && !c.predicts:
		return unsupported("predictor %d and %s compression", predictor, c.name)
	}
	// Before memory is asked for: whether so many rows can be in so few bytes.
	row := (t.first(tiffWidth, 0)*samples*bits + 7) / 8
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
