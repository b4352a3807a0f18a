package photo

import (
	"bytes"
	"errors"
	"image"

	"golang.org/x/image/webp"
)

// decodeWebP decodes a still WebP. The planes of lossy files hold video-range
// YCbCr (16 to 235), which the image package would take for JPEG's full range.
func decodeWebP(data []byte) (*Image, error) {
	if isAnimated(data) {
		return nil, errors.New("animations are not supported")
	}
	m, err := webp.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	switch m := m.(type) {
	case *image.YCbCr:
		return fromVideo(m), nil
	case *image.NYCbCrA:
		return fromVideo(&m.YCbCr), nil
	}
	return fromImage(m), nil
}

// isAnimated reads the flags of the extended header.
func isAnimated(data []byte) bool {
	return len(data) > 20 && string(data[12:16]) == "VP8X" && data[20]&2 != 0
}

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
