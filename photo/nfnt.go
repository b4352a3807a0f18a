package photo

import (
	"fmt"
	"image"

	"github.com/nfnt/resize"
)

var nfntFilters = map[Resampling]resize.InterpolationFunction{
	NfntBilinear: resize.Bilinear,
	NfntBicubic:  resize.Bicubic,
	NfntLanczos3: resize.Lanczos3,
}

// resizeNfnt scales with a filter of nfnt/resize. On 8-bit images that library
// drops the fraction, which leaves every result about one grey level dark; so it
// gets 16 bits and the result is rounded here.
func (m *Image) resizeNfnt(filter Resampling, s scaling) (*Image, error) {
	f, ok := nfntFilters[filter]
	if !ok {
		return nil, fmt.Errorf("unknown resampling filter %q", filter)
	}
	if s.w > DefaultMaxPixels/s.h {
		return nil, fmt.Errorf("%d x %d pixels are too long a strip for %s; bilinear can", m.W, m.H, filter)
	}
	wide := image.NewRGBA64(image.Rect(0, 0, s.from.Dx(), s.from.Dy()))
	m.rows(s.from, func(y int, row []uint8) {
		out := wide.Pix[(y-s.from.Min.Y)*wide.Stride:]
		for i, v := range row {
			at := 8*(i/3) + 2*(i%3)
			out[at], out[at+1] = v, v // v * 257
		}
		for x := range s.from.Dx() {
			out[8*x+6], out[8*x+7] = 0xff, 0xff
		}
	})
	scaled := resize.Resize(uint(s.w), uint(s.h), wide, f).(*image.RGBA64)
	out := NewImage(s.part.Dx(), s.part.Dy())
	for y := range out.H {
		row, in := out.row(y), scaled.Pix[scaled.PixOffset(s.part.Min.X, s.part.Min.Y+y):]
		for x := range out.W {
			for c := range 3 {
				v := int(in[8*x+2*c])<<8 | int(in[8*x+2*c+1])
				row[3*x+c] = uint8((v + 128) / 257)
			}
		}
	}
	return out, nil
}
