package scene

import (
	"image"
	"math"

	"golang.org/x/image/vector"

	"regraft/engine/random"
)

// Width and Height of a photo in pixels.
const Width, Height = 240, 180

// canvas is what a scene is painted on, back to front.
type canvas struct {
	*random.Stream
	noise  *noise
	pixels [Height][Width]rgb
	raster vector.Rasterizer
	mask   *image.Alpha
}

func newCanvas(r *random.Stream) *canvas {
	return &canvas{Stream: r, noise: newNoise(r), mask: image.NewAlpha(image.Rect(0, 0, Width, Height))}
}

// point is a place on the canvas: pixels from the left and from the top.
type point struct{ x, y float64 }

// texture is the colour of a surface at a pixel.
type texture func(x, y float64) rgb

// plain is one colour.
func plain(c rgb) texture { return func(float64, float64) rgb { return c } }

// rough is a colour with noise of the given size in pixels and strength.
func (c *canvas) rough(colour rgb, size, strength float64) texture {
	dx, dy := c.Uniform(0, 900), c.Uniform(0, 900)
	return func(x, y float64) rgb {
		return colour.times(1 + strength*(2*c.noise.rough((x+dx)/size, (y+dy)/size)-1))
	}
}

// gradient goes from one colour at the height top to another at bottom.
func gradient(from, to rgb, top, bottom float64) texture {
	return func(_, y float64) rgb { return mix(from, to, limit((y-top)/(bottom-top), 0, 1)) }
}

// fill paints the inside of a polygon.
func (c *canvas) fill(t texture, corners ...point) {
	if len(corners) < 3 {
		return
	}
	left, top, right, bottom := float64(Width), float64(Height), 0.0, 0.0
	for _, p := range corners {
		left, right = math.Min(left, p.x), math.Max(right, p.x)
		top, bottom = math.Min(top, p.y), math.Max(bottom, p.y)
	}
	x0, y0 := int(limit(left, 0, Width)), int(limit(top, 0, Height))
	w, h := int(math.Ceil(limit(right, 0, Width)))-x0, int(math.Ceil(limit(bottom, 0, Height)))-y0
	if w <= 0 || h <= 0 {
		return
	}
	c.raster.Reset(w, h)
	for i, p := range corners {
		// What lies far outside is brought near: the rasterizer computes in fixed point.
		x, y := float32(limit(p.x-float64(x0), -4*Width, 5*Width)), float32(limit(p.y-float64(y0), -4*Height, 5*Height))
		if i == 0 {
			c.raster.MoveTo(x, y)
		} else {
			c.raster.LineTo(x, y)
		}
	}
	c.raster.ClosePath()
	area := image.Rect(0, 0, w, h)
	clear(c.mask.Pix)
	c.raster.Draw(c.mask, area, image.Opaque, image.Point{})
	for y := range h {
		for x := range w {
			if a := c.mask.Pix[y*c.mask.Stride+x]; a > 0 {
				at := &c.pixels[y0+y][x0+x]
				*at = mix(*at, t(float64(x0+x), float64(y0+y)), float64(a)/255)
			}
		}
	}
}

// all paints everything below a height.
func (c *canvas) all(t texture, top float64) {
	c.fill(t, point{0, top}, point{Width, top}, point{Width, Height}, point{0, Height})
}

// line is a straight bar of a width at either end.
func (c *canvas) line(t texture, a, b point, from, to float64) {
	dx, dy := b.x-a.x, b.y-a.y
	length := math.Hypot(dx, dy)
	if length == 0 {
		return
	}
	nx, ny := -dy/length/2, dx/length/2
	c.fill(t, point{a.x + nx*from, a.y + ny*from}, point{b.x + nx*to, b.y + ny*to},
		point{b.x - nx*to, b.y - ny*to}, point{a.x - nx*from, a.y - ny*from})
}

// blob is an ellipse whose edge is uneven by a share of its radii.
func (c *canvas) blob(t texture, centre point, rx, ry, uneven float64) {
	const corners = 20
	around := make([]point, corners)
	for i := range around {
		sin, cos := math.Sincos(2 * math.Pi * float64(i) / corners)
		f := 1 + c.Uniform(-uneven, uneven)
		around[i] = point{centre.x + cos*rx*f, centre.y + sin*ry*f}
	}
	c.fill(t, around...)
}

// ridge is a jagged line across the canvas, from left to right: midpoint displacement (Fournier and others, "Computer
// Rendering of Stochastic Models", 1982), which each halving makes smoother by the given factor.
func (c *canvas) ridge(height, relief, smoother float64) []point {
	y := []float64{height + c.Uniform(-relief, relief), height + c.Uniform(-relief, relief)}
	for len(y) < 64 {
		finer := make([]float64, 0, 2*len(y))
		for i := range len(y) - 1 {
			finer = append(finer, y[i], (y[i]+y[i+1])/2+c.Uniform(-relief, relief))
		}
		y = append(finer, y[len(y)-1])
		relief *= smoother
	}
	points := make([]point, len(y))
	for i := range y {
		points[i] = point{Width * float64(i) / float64(len(y)-1), y[i]}
	}
	return points
}

// below fills what lies under a line across the canvas.
func (c *canvas) below(t texture, line []point) {
	c.fill(t, append(append([]point{{0, Height}}, line...), point{Width, Height})...)
}

// chance is true with a probability.
func (c *canvas) chance(p float64) bool { return c.Float64() < p }

// between draws a whole number from low to high, both included.
func (c *canvas) between(low, high int) int { return low + c.IntN(high-low+1) }
