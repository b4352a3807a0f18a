// Package chart draws the two pictures of a training run as PNG: a matrix of counts with shaded cells (heatmap.go) and
// curves over the epochs (curves.go). Both stand on a canvas with text, lines, discs and rectangles (canvas.go,
// path.go, typeface.go). Sizes are in pixels, meant for 144 dots an inch; y grows downwards.
package chart

import (
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"io"

	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/vector"
)

// Sizes of text, in pixels an em: titles and names of axes, labels, labels that stand close.
const (
	titleSize = 24
	labelSize = 20
	smallSize = 16
)

// Distances: around the whole picture, and between a thing and its label.
const (
	margin = 16
	gap    = 10
)

var (
	black  = color.RGBA{A: 0xff}
	white  = color.RGBA{R: 0xff, G: 0xff, B: 0xff, A: 0xff}
	grey   = color.RGBA{R: 0xd8, G: 0xd8, B: 0xd8, A: 0xff}
	faint  = color.RGBA{R: 0xe6, G: 0xe6, B: 0xe6, A: 0xff}
	blue   = color.RGBA{R: 0x1f, G: 0x77, B: 0xb4, A: 0xff}
	orange = color.RGBA{R: 0xe6, G: 0x6a, B: 0x0a, A: 0xff}
)

// canvas is a picture on white ground and the face of its text.
type canvas struct {
	*image.RGBA
	face *typeface
}

func newCanvas(width, height int, face *typeface) *canvas {
	c := &canvas{image.NewRGBA(image.Rect(0, 0, width, height)), face}
	c.rect(c.Bounds(), white)
	return c
}

// rect fills a rectangle.
func (c *canvas) rect(r image.Rectangle, ink color.RGBA) {
	draw.Draw(c.RGBA, r, image.NewUniform(ink), image.Point{}, draw.Src)
}

// fill fills the inside of a path, with smooth edges; what lies outside of the picture is cut off.
func (c *canvas) fill(path sfnt.Segments, ink color.RGBA) {
	b := path.Bounds()
	area := image.Rect(b.Min.X.Floor(), b.Min.Y.Floor(), b.Max.X.Ceil(), b.Max.Y.Ceil()).Intersect(c.Bounds())
	if area.Empty() {
		return
	}
	r := vector.NewRasterizer(area.Dx(), area.Dy())
	for _, s := range path {
		var x, y [3]float32
		for i, p := range s.Args {
			x[i], y[i] = float32(p.X)/64-float32(area.Min.X), float32(p.Y)/64-float32(area.Min.Y)
		}
		switch s.Op {
		case sfnt.SegmentOpMoveTo:
			r.ClosePath()
			r.MoveTo(x[0], y[0])
		case sfnt.SegmentOpLineTo:
			r.LineTo(x[0], y[0])
		case sfnt.SegmentOpQuadTo:
			r.QuadTo(x[0], y[0], x[1], y[1])
		case sfnt.SegmentOpCubeTo:
			r.CubeTo(x[0], y[0], x[1], y[1], x[2], y[2])
		}
	}
	r.ClosePath()
	r.Draw(c.RGBA, area, image.NewUniform(ink), image.Point{})
}

// text writes a line of text beside the point at. The direction is a unit vector; align is the part of the text's
// length that comes before the point: 0 begins there, 0.5 is centred, 1 ends there.
func (c *canvas) text(s string, at, direction point, align float64, size int, ink color.RGBA) {
	const middle = 0.35 // of the size: half the height of a capital
	before := point{-align * float64(c.face.width(s, size)), middle * float64(size)}
	path := c.face.outline(s, size)
	place(path, before, direction, at)
	c.fill(path, ink)
}

// write ends the picture.
func (c *canvas) write(w io.Writer) error {
	if c.face.err != nil {
		return c.face.err
	}
	return png.Encode(w, c.RGBA)
}
