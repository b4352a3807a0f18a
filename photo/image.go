package photo

import (
	"image"
	"image/draw"
)

// Image is an upright RGB photo, 8 bits per channel: Pix holds H rows of W
// pixels of three bytes (R, G, B), without padding.
type Image struct {
	W, H int
	Pix  []uint8
}

// NewImage returns a black image of w x h pixels.
func NewImage(w, h int) *Image {
	return &Image{W: w, H: h, Pix: make([]uint8, 3*w*h)}
}

// row returns the pixels of row y.
func (m *Image) row(y int) []uint8 { return m.Pix[3*m.W*y : 3*m.W*(y+1)] }

// rows hands the rows within the area to sink, from the top.
func (m *Image) rows(area image.Rectangle, sink func(y int, rgb []uint8)) {
	for y := area.Min.Y; y < area.Max.Y; y++ {
		sink(y, m.row(y)[3*area.Min.X:3*area.Max.X])
	}
}

// RGBA is the image in a form of the standard library.
func (m *Image) RGBA() *image.RGBA {
	out := image.NewRGBA(image.Rect(0, 0, m.W, m.H))
	for i := range m.W * m.H {
		copy(out.Pix[4*i:], m.Pix[3*i:3*i+3])
		out.Pix[4*i+3] = 0xff
	}
	return out
}

// Over copies the image into another at a point.
func (m *Image) Over(out *image.RGBA, at image.Point) {
	draw.Draw(out, image.Rect(0, 0, m.W, m.H).Add(at), m.RGBA(), image.Point{}, draw.Src)
}
