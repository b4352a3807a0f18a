package photo

import (
	"fmt"
	"image"

	"github.com/nfnt/resize"
)

var nfntFilters = map[string]resize.InterpolationFunction{
	NfntBilinear: resize.Bilinear,
	NfntBicubic:  resize.Bicubic,
	NfntLanczos3: resize.Lanczos3,
}

// resizeNfnt scales the region to w x h pixels with a filter of nfnt/resize and
// returns the cw x ch pixels at (x0, y0). On 8-bit images that library drops
// the fraction, which leaves every result about one grey level dark; so it
// gets 16 bits and the result is rounded here.
func (r region) resizeNfnt(filter string, w, h, x0, y0, cw, ch int) (*Image, error) {
	f, ok := nfntFilters[filter]
	if !ok {
		return nil, fmt.Errorf("unknown resampling filter %q", filter)
	}
	if w > DefaultMaxPixels/h {
		return nil, fmt.Errorf("%d x %d pixels are too long a strip for %s; bilinear can", r.w, r.h, filter)
	}
	wide := image.NewRGBA64(image.Rect(0, 0, r.w, r.h))
	for y := range r.h {
		row, out := r.row(y), wide.Pix[y*wide.Stride:]
		for x := range r.w {
			for c := range 3 {
				v := row[3*x+c]
				out[8*x+2*c], out[8*x+2*c+1] = v, v // v * 257
			}
			out[8*x+6], out[8*x+7] = 0xff, 0xff
		}
	}
	scaled := resize.Resize(uint(w), uint(h), wide, f).(*image.RGBA64)
	out := NewImage(cw, ch)
	for y := range ch {
		row, in := out.row(y), scaled.Pix[scaled.PixOffset(x0, y0+y):]
		for x := range cw {
			for c := range 3 {
				v := int(in[8*x+2*c])<<8 | int(in[8*x+2*c+1])
				row[3*x+c] = uint8((v + 128) / 257)
			}
		}
	}
	return out, nil
}

// Thumbnail scales the photo to fit side x side pixels; it never enlarges.
// Made for people to look at, so speed comes before parity with Pillow.
func Thumbnail(m *Image, side int) *Image {
	in := image.NewRGBA(image.Rect(0, 0, m.W, m.H))
	for i := range m.W * m.H {
		copy(in.Pix[4*i:], m.Pix[3*i:3*i+3])
		in.Pix[4*i+3] = 0xff
	}
	return fromImage(resize.Thumbnail(uint(side), uint(side), in, resize.Bilinear))
}
