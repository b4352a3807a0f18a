// Package jpeg decodes JPEG photos to RGB as libjpeg-turbo does, bit for bit:
// the accurate integer inverse DCT, triangle-filtered chroma upsampling and
// 16-bit fixed-point colour conversion. Networks are trained on pixels of that
// library, and image/jpeg, which repeats chroma samples, differs from it by
// two grey levels on average.
//
// Baseline, extended sequential and progressive Huffman files of 8 bits per
// sample with one (grey), three (YCbCr or RGB) or four (CMYK or YCCK)
// components are decoded, and so are frames of Motion JPEG without Huffman
// tables. Progressive files whose last scans are missing get libjpeg-turbo's
// block smoothing. Not decoded: arithmetic coding, lossless and hierarchical
// JPEG, other depths. Truncated files and files that libjpeg decodes with a
// warning that a part of the picture is lost are errors, but for a few bytes at
// the end (see judgeShort).
//
// The format is ITU-T T.81; the arithmetic follows libjpeg-turbo 3.
package jpeg

import (
	"errors"
	"fmt"
	"image"
	"io"

	"regraft/photo/pixel"
)

// Config is what the header says.
type Config struct {
	Width, Height int
	Components    int // 1, 3 or 4
	Progressive   bool
}

// DecodeConfig reads the header up to the frame's size.
func DecodeConfig(data []byte) (Config, error) {
	d := decoder{data: data, adobe: noAdobe, reduce: 1}
	if err := d.readFrame(); err != nil {
		return Config{}, err
	}
	return Config{d.width, d.height, len(d.components), d.progressive}, nil
}

// Decode returns the width, the height and the pixels: height rows of width
// pixels of three bytes, R, G and B. The size is not limited: look at
// DecodeConfig first. A file that ends too early gives io.ErrUnexpectedEOF.
func Decode(data []byte) (width, height int, pix []uint8, err error) {
	c, err := DecodeConfig(data)
	if err != nil {
		return 0, 0, nil, err
	}
	err = Rows(data, 1, image.Rect(0, 0, c.Width, c.Height), func(y int, rgb []uint8) {
		if y == 0 {
			pix = make([]uint8, 0, 3*c.Width*c.Height)
		}
		pix = append(pix, rgb...)
	})
	return c.Width, c.Height, pix, err
}

// Reduced is the length of a side of n pixels in a picture at 1/reduce of its size.
func Reduced(n, reduce int) int { return ceilDiv(n, reduce) }

// Rows decodes the picture at 1/reduce of its size, which is 1, 2, 4 or 8, and hands the rows within the area to sink, from the
// top: pixels of three bytes, valid until sink returns. The pixels are those of libjpeg-turbo's scaled decoding. Of a file whose
// components come together, as cameras write it, a few rows are held in memory, otherwise the whole picture. An error may come
// after rows.
func Rows(data []byte, reduce int, area image.Rectangle, sink func(y int, rgb []uint8)) error {
	d := decoder{data: data, adobe: noAdobe, reduce: reduce, area: area}
	if err := d.readFrame(); err != nil {
		return err
	}
	d.sink = sink
	if err := d.readScans(); err != nil {
		return err
	}
	if d.out == nil { // nothing was shown on the way
		d.out = d.output(sink)
		if d.progressive {
			d.reconstruct()
		}
	}
	d.out.upTo(area.Max.Y)
	return nil
}

// Memory is about how many bytes Rows will hold: a few rows, or the coefficients or samples of the whole picture.
func Memory(data []byte) int64 {
	d := decoder{data: data, adobe: noAdobe, reduce: 1}
	if d.readFrame() != nil {
		return 0
	}
	var blocks, row int64
	for _, c := range d.components {
		blocks += int64(c.blockStride * c.blockRows)
		row += int64(c.blockStride * c.v)
	}
	const rows = 4 // of units: two in the planes, and the pixels
	switch {
	case d.progressive:
		return 2*64*blocks + rows*64*row
	case d.firstScan() < len(d.components):
		return 64 * blocks
	}
	return rows * 64 * row
}

// firstScan is the number of components in the next scan; 0 where there is none.
func (d *decoder) firstScan() int {
	for {
		mark, err := d.nextMarker()
		if err != nil || mark == markEOI || d.pos+2 >= len(d.data) {
			return 0
		}
		if mark == markSOS {
			return int(d.data[d.pos+2])
		}
		if d.readHeader(mark) != nil {
			return 0
		}
	}
}

// decoder is the state of decoding one file.
type decoder struct {
	data []byte
	pos  int

	width, height int
	reduce        int
	area          image.Rectangle // of the reduced picture
	progressive   bool
	components    []component
	hMax, vMax    int // largest sampling factors
	quant         [4]*[64]uint16
	dc, ac        [4]*huffman
	restart       int // MCUs between restart markers; 0: none
	jfif          bool
	adobe         int // the transform of the Adobe segment

	bits  bits
	block pixel.Block // zero between uses
	ended int         // progressive: blocks that follow without new coefficients
	scans int

	sink func(y int, rgb []uint8)
	out  *output // where rows are shown while they are decoded
}

// noAdobe stands for a file without an Adobe segment.
const noAdobe = -1

// component is one channel of the picture.
type component struct {
	id    uint8
	h, v  int // sampling factors
	table int // of quantisation
	quant *[64]uint16
	scaled

	blocksWide, blocksHigh int // that hold samples
	blockStride, blockRows int // of whole MCUs
	plane                  []uint8
	mask                   int     // line y of the component is line y&mask of the plane
	coef                   []int16 // progressive: 64 coefficients a block, in natural order
	bitsLeft               [64]int8
	coding                 pixel.Coding // in its sequential scan; of progressive ones only the prediction
	scanned                bool
}

// scaled is how a component appears in the reduced picture.
type scaled struct {
	size          int             // samples of a block across and down
	width, height int             // in samples
	stride        int             // of the plane, in samples
	across, down  int             // pixels of the picture for a sample
	samples       image.Rectangle // that the area needs
	blocks        image.Rectangle // that hold them
}

var errTruncated = io.ErrUnexpectedEOF

// unsupported says which kind of JPEG is not decoded.
func unsupported(format string, args ...any) error {
	return fmt.Errorf("not supported: "+format+"; save it as an ordinary JPEG", args...)
}

var (
	errMarker  = errors.New("a marker is missing")
	errSegment = errors.New("a header segment is damaged")
	errCode    = errors.New("the compressed data is damaged")
	errShort   = errors.New("the compressed data of a scan ends too early")
)
