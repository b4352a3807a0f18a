package photo

import (
	"errors"
	"image"
	"image/color"
)

// FromImage takes a picture that is decoded already, without its alpha; errors say that it is empty or beyond o's limit.
func FromImage(m image.Image, o DecodeOptions) (*Image, error) {
	r := m.Bounds()
	if r.Empty() {
		return nil, errors.New("the picture is empty")
	}
	if err := checkSize(format{}, r.Dx(), r.Dy(), 0, o); err != nil {
		return nil, err
	}
	return fromImage(m), nil
}

// fromImage drops alpha and the low byte of 16-bit samples: 65535 is white in
// grey files as well (Pillow's convert("RGB") would clip those at 255).
func fromImage(m image.Image) *Image {
	r := m.Bounds()
	out := NewImage(r.Dx(), r.Dy())
	convert := rowConverter(m)
	for y := range out.H {
		convert(out.row(y), r.Min.Y+y)
	}
	return out
}

// rowConverter returns what writes row y of the image as R, G, B.
func rowConverter(m image.Image) func(dst []uint8, y int) {
	x := m.Bounds().Min.X
	switch m := m.(type) {
	case *image.Gray:
		return func(dst []uint8, y int) { spread(dst, m.Pix[m.PixOffset(x, y):], 1) }
	case *image.Gray16:
		return func(dst []uint8, y int) { spread(dst, m.Pix[m.PixOffset(x, y):], 2) }
	case *image.Paletted:
		p := paletteOf(m.Palette)
		return func(dst []uint8, y int) { p.look(dst, m.Pix[m.PixOffset(x, y):]) }
	case *image.NRGBA:
		return func(dst []uint8, y int) { pick(dst, m.Pix[m.PixOffset(x, y):], 1) }
	case *image.NRGBA64:
		return func(dst []uint8, y int) { pick(dst, m.Pix[m.PixOffset(x, y):], 2) }
	case *image.RGBA:
		return func(dst []uint8, y int) { divide(dst, m.Pix[m.PixOffset(x, y):], 1) }
	case *image.RGBA64:
		return func(dst []uint8, y int) { divide(dst, m.Pix[m.PixOffset(x, y):], 2) }
	}
	return func(dst []uint8, y int) {
		for i := range len(dst) / 3 {
			put(dst[3*i:], m.At(x+i, y))
		}
	}
}

// spread writes grey samples of size bytes each, high byte first, as R, G, B.
func spread(dst, src []uint8, size int) {
	for i := range len(dst) / 3 {
		v := src[i*size]
		dst[3*i], dst[3*i+1], dst[3*i+2] = v, v, v
	}
}

// pick takes R, G and B of four samples of size bytes each, high byte first.
func pick(dst, src []uint8, size int) {
	for i := range len(dst) / 3 {
		s := src[4*i*size:]
		dst[3*i], dst[3*i+1], dst[3*i+2] = s[0], s[size], s[2*size]
	}
}

// divide does what pick does where the fourth sample, alpha, was multiplied into
// the others. It rounds down, as Pillow does; transparent pixels stay black.
func divide(dst, src []uint8, size int) {
	for i := range len(dst) / 3 {
		s := src[4*i*size:]
		switch alpha := int(s[3*size]); alpha {
		case 0:
		case 255:
			dst[3*i], dst[3*i+1], dst[3*i+2] = s[0], s[size], s[2*size]
		default:
			for c := range 3 {
				dst[3*i+c] = uint8(min(int(s[c*size])*255/alpha, 255))
			}
		}
	}
}

// palette holds the colours of indices as R, G and B. Indices beyond the colours
// of a file are black.
type palette [256][3]uint8

// grays is the palette whose indices are grey levels.
var grays = func() (p palette) {
	for i := range p {
		p[i] = [3]uint8{uint8(i), uint8(i), uint8(i)}
	}
	return p
}()

func paletteOf(colors color.Palette) *palette {
	var p palette
	for i, c := range colors[:min(len(colors), len(p))] {
		put(p[i][:], c)
	}
	return &p
}

// look writes the colours of indices as R, G, B.
func (p *palette) look(dst, indices []uint8) {
	for i := range len(dst) / 3 {
		copy(dst[3*i:], p[indices[i]][:])
	}
}

// put writes the colour without its alpha.
func put(dst []uint8, c color.Color) {
	var s color.NRGBA
	switch c := c.(type) {
	case color.NRGBA:
		s = c
	case color.NRGBA64:
		s = color.NRGBA{uint8(c.R >> 8), uint8(c.G >> 8), uint8(c.B >> 8), 0}
	default:
		s = color.NRGBAModel.Convert(c).(color.NRGBA)
	}
	dst[0], dst[1], dst[2] = s.R, s.G, s.B
}
