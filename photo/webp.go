package photo

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"io"

	"golang.org/x/image/vp8"
	"golang.org/x/image/vp8l"
)

// webpFrame is the first picture of a WebP (the container specification of
// WebP) and its place on the canvas: that of a still one covers it. Alpha is
// not read.
type webpFrame struct {
	w, h int    // the canvas
	x, y int    // the frame's upper left corner
	kind string // "VP8 ", lossy, or "VP8L", lossless
	data []byte
}

func sizeOfWebP(data []byte) (w, h int, err error) {
	f, err := parseWebP(data)
	return f.w, f.h, err
}

// decodeWebP decodes a still WebP, or the first frame of an animation on a
// black canvas, as libwebp's animation decoder begins.
func decodeWebP(data []byte) (*Image, error) {
	f, err := parseWebP(data)
	if err != nil {
		return nil, err
	}
	w, h, err := f.size()
	if err != nil {
		return nil, err
	}
	if f.x+w > f.w || f.y+h > f.h {
		return nil, errors.New("a frame leaves the canvas")
	}
	m, err := f.decode()
	if err != nil || w == f.w && h == f.h {
		return m, err
	}
	canvas := NewImage(f.w, f.h)
	for y := range h {
		copy(canvas.row(f.y + y)[3*f.x:], m.row(y))
	}
	return canvas, nil
}

// size reads the size of the frame from its own header.
func (f *webpFrame) size() (w, h int, err error) {
	if f.kind == "VP8L" {
		c, err := vp8l.DecodeConfig(bytes.NewReader(f.data))
		return c.Width, c.Height, err
	}
	d := vp8.NewDecoder()
	d.Init(bytes.NewReader(f.data), len(f.data))
	header, err := d.DecodeFrameHeader()
	// The modes of a block of 256 pixels take 3.4 bits or more (RFC 6386, section 11):
	// a header that declares more is refused before memory is asked for.
	if err == nil && header.Width*header.Height/1024 > len(f.data) {
		err = io.ErrUnexpectedEOF
	}
	return header.Width, header.Height, err
}

// decode decodes the frame. The planes of lossy ones hold video-range YCbCr (16
// to 235), which the image package would take for JPEG's full range.
func (f *webpFrame) decode() (*Image, error) {
	if f.kind == "VP8L" {
		m, err := vp8l.Decode(bytes.NewReader(f.data))
		if err != nil {
			return nil, err
		}
		return fromImage(m), nil
	}
	d := vp8.NewDecoder()
	d.Init(bytes.NewReader(f.data), len(f.data))
	if _, err := d.DecodeFrameHeader(); err != nil {
		return nil, err
	}
	m, err := d.DecodeFrame()
	if err != nil {
		return nil, err
	}
	return fromVideo(m), nil
}

// parseWebP finds the first picture. Chunks that it does not need may be
// anything, and whether flags and chunks agree on alpha does not count.
func parseWebP(data []byte) (f webpFrame, err error) {
	const animation = 1 << 1
	if len(data) < 12 || len(data) < 8+int(binary.LittleEndian.Uint32(data[4:])) {
		return f, io.ErrUnexpectedEOF
	}
	animated := false
	for kind, body := range riffChunks(data) {
		switch {
		case kind == "VP8X":
			if len(body) != 10 {
				return f, errors.New("its header has a wrong size")
			}
			f.w, f.h = 1+uint24(body[4:]), 1+uint24(body[7:])
			animated = body[0]&animation != 0
		case kind == "ANMF" && animated:
			if len(body) < 16 {
				return f, io.ErrUnexpectedEOF
			}
			f.x, f.y = 2*uint24(body), 2*uint24(body[3:])
			for kind, body := range chunksIn(body[16:]) {
				if isPicture(kind) {
					f.kind, f.data = kind, body
					return f, nil
				}
			}
		case isPicture(kind) && !animated:
			f.kind, f.data = kind, body
			w, h, err := f.size()
			if f.w == 0 {
				f.w, f.h = w, h
			}
			if err == nil && (w != f.w || h != f.h) {
				err = fmt.Errorf("a picture of %d x %d pixels for a canvas of %d x %d", w, h, f.w, f.h)
			}
			return f, err
		case f.w == 0:
			return f, fmt.Errorf("it begins with a chunk %q", kind)
		}
	}
	return f, errors.New("it holds no picture")
}

func isPicture(kind string) bool { return kind == "VP8 " || kind == "VP8L" }

func uint24(b []byte) int { return int(b[0]) | int(b[1])<<8 | int(b[2])<<16 }

// fromVideo upsamples 4:2:0 chroma and converts to RGB in the integers of
// libwebp (src/dsp/upsampling.c and yuv.h), bit for bit.
func fromVideo(m *image.YCbCr) *Image {
	out := NewImage(m.Rect.Dx(), m.Rect.Dy())
	cw, ch := (out.W+1)/2, (out.H+1)/2
	for y := range out.H {
		near := m.CStride * (y / 2)
		far := m.CStride * min(max(y/2+2*(y%2)-1, 0), ch-1)
		row, luma := out.row(y), m.Y[m.YStride*y:]
		for x := range out.W {
			i, j := x/2, min(max(x/2+2*(x%2)-1, 0), cw-1)
			u := blendChroma(m.Cb[near+i], m.Cb[near+j], m.Cb[far+i], m.Cb[far+j])
			v := blendChroma(m.Cr[near+i], m.Cr[near+j], m.Cr[far+i], m.Cr[far+j])
			lum := int(luma[x]) * 19077 >> 8
			row[3*x] = clipVideo(lum + v*26149>>8 - 14234)
			row[3*x+1] = clipVideo(lum - u*6419>>8 - v*13320>>8 + 8708)
			row[3*x+2] = clipVideo(lum + u*33050>>8 - 17685)
		}
	}
	return out
}

// blendChroma weighs the four chroma samples around a pixel by 9, 3, 3 and 1
// sixteenths, rounded in two steps.
func blendChroma(near, beside, above, across uint8) int {
	n, b, a, x := int(near), int(beside), int(above), int(across)
	return ((n+x+3*(a+b)+8)>>3 + n) >> 1
}

// clipVideo drops six bits of fraction.
func clipVideo(v int) uint8 { return uint8(min(max(v>>6, 0), 255)) }
