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
	"io"
)

// Config is what the header says.
type Config struct {
	Width, Height int
	Components    int // 1, 3 or 4
	Progressive   bool
}

// DecodeConfig reads the header up to the frame's size.
func DecodeConfig(data []byte) (Config, error) {
	d := decoder{data: data, adobe: noAdobe}
	if err := d.readFrame(); err != nil {
		return Config{}, err
	}
	return Config{d.width, d.height, len(d.components), d.progressive}, nil
}

// Decode returns the width, the height and the pixels: height rows of width
// pixels of three bytes, R, G and B. The size is not limited: look at
// DecodeConfig first. A file that ends too early gives io.ErrUnexpectedEOF.
func Decode(data []byte) (width, height int, pix []uint8, err error) {
	d := decoder{data: data, adobe: noAdobe}
	if err := d.readFrame(); err != nil {
		return 0, 0, nil, err
	}
	if err := d.readScans(); err != nil {
		return 0, 0, nil, err
	}
	if d.progressive {
		d.reconstruct()
	}
	return d.width, d.height, d.pixels(), nil
}

// decoder is the state of decoding one file.
type decoder struct {
	data []byte
	pos  int

	width, height int
	progressive   bool
	components    []component
	hMax, vMax    int // largest sampling factors
	quant         [4]*[64]uint16
	dc, ac        [4]*huffman
	restart       int // MCUs between restart markers; 0: none
	jfif          bool
	adobe         int // the transform of the Adobe segment

	bits  bits
	block [64]int32 // zero between uses
	ended int       // progressive: blocks that follow without new coefficients
	scans int
}

// noAdobe stands for a file without an Adobe segment.
const noAdobe = -1

// component is one channel of the picture.
type component struct {
	id         uint8
	h, v       int // sampling factors
	table      int // of quantisation
	quant      *[64]uint16
	width      int // in samples
	height     int
	blocksWide int // that hold samples
	blocksHigh int
	stride     int // of the plane in samples: whole MCUs
	rows       int
	plane      []uint8
	coef       []int16 // progressive: 64 coefficients a block, in natural order
	bitsLeft   [64]int8
	predicted  int32 // DC of the block before
	scanned    bool
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
