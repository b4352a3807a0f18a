package photo

import (
	"bytes"
	"image"
	"image/color"
	"image/gif"
	"io"
)

// decodeAs adapts a decoder of the image package.
func decodeAs(decode func(io.Reader) (image.Image, error)) func([]byte) (*Image, error) {
	return func(data []byte) (*Image, error) {
		m, err := decode(bytes.NewReader(data))
		if err != nil {
			return nil, err
		}
		return fromImage(m), nil
	}
}

// decodeGIF decodes the first frame on its canvas. Decoders put transparency
// in place of the transparent palette entry; the colour is taken back from the
// global palette, as Pillow shows it.
func decodeGIF(data []byte) (*Image, error) {
	c, err := gif.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	decoded, err := gif.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	frame, ok := decoded.(*image.Paletted)
	if !ok {
		return fromImage(decoded), nil
	}
	if global, ok := c.ColorModel.(color.Palette); ok {
		for i, entry := range frame.Palette {
			if _, _, _, a := entry.RGBA(); a == 0 && i < len(global) {
				frame.Palette[i] = global[i]
			}
		}
	}
	canvas := NewImage(c.Width, c.Height)
	paste(canvas, fromImage(frame), frame.Rect.Min.X, frame.Rect.Min.Y)
	return canvas, nil
}

// paste copies the part of src that falls on dst with its corner at (x, y).
func paste(dst, src *Image, x, y int) {
	w, h := min(src.W, dst.W-x), min(src.H, dst.H-y)
	for j := range max(h, 0) {
		copy(dst.row(y + j)[3*x:], src.row(j)[:3*max(w, 0)])
	}
}

// fromImage drops alpha and the low byte of 16-bit samples: 65535 is white in
// grey files as well (Pillow's convert("RGB") would clip those at 255).
func fromImage(m image.Image) *Image {
	r := m.Bounds()
	out := NewImage(r.Dx(), r.Dy())
	for y := range out.H {
		row := out.row(y)
		switch m := m.(type) {
		case *image.Gray:
			spread(row, m.Pix[m.PixOffset(r.Min.X, r.Min.Y+y):], 1)
		case *image.Gray16:
			spread(row, m.Pix[m.PixOffset(r.Min.X, r.Min.Y+y):], 2)
		case *image.NRGBA:
			pick(row, m.Pix[m.PixOffset(r.Min.X, r.Min.Y+y):], 1)
		case *image.NRGBA64:
			pick(row, m.Pix[m.PixOffset(r.Min.X, r.Min.Y+y):], 2)
		default:
			convertRow(row, m, r.Min.X, r.Min.Y+y)
		}
	}
	return out
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

// convertRow converts pixel by pixel, for the formats that are rarely met.
func convertRow(dst []uint8, m image.Image, x, y int) {
	for i := range len(dst) / 3 {
		c := straight(m.At(x+i, y))
		dst[3*i], dst[3*i+1], dst[3*i+2] = c.R, c.G, c.B
	}
}

// straight returns the colour without premultiplied alpha.
func straight(c color.Color) color.NRGBA {
	switch c := c.(type) {
	case color.NRGBA:
		return c
	case color.NRGBA64:
		return color.NRGBA{uint8(c.R >> 8), uint8(c.G >> 8), uint8(c.B >> 8), uint8(c.A >> 8)}
	}
	return color.NRGBAModel.Convert(c).(color.NRGBA)
}
