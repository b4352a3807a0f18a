package scene

import (
	"image"
	"image/color"
)

// photograph turns the canvas into a photo as some camera takes it in some light: haze, colours
// that are off or gone, over- or underexposed, darker at the edges, unsharp, grainy, with a thing in front.
func (c *canvas) photograph() image.Image {
	if c.chance(0.35) {
		c.obstruct()
	}
	c.light()
	for range c.IntN(3) {
		c.blur()
	}
	return c.expose()
}

// obstruct puts something out of focus in front of the camera.
func (c *canvas) obstruct() {
	thing := c.rough(paint(c.Stream).times(0.6), 20, 0.3)
	if c.chance(0.5) {
		x := c.Uniform(0, Width)
		c.line(thing, point{x, 0}, point{x + c.Uniform(-60, 60), Height}, c.Uniform(3, 16), c.Uniform(3, 16))
		return
	}
	c.blob(thing, point{c.Uniform(0, Width), Height * c.Uniform(0.7, 1.1)}, c.Uniform(15, 45), c.Uniform(15, 55), 0.2)
}

// light changes the colours of the whole.
func (c *canvas) light() {
	saturation, turn := c.Uniform(0.1, 1.1), c.Uniform(-0.5, 0.5)
	gain := c.Uniform(0.7, 1.3)
	cast := rgb{gain * c.Uniform(0.8, 1.2), gain * c.Uniform(0.85, 1.15), gain * c.Uniform(0.8, 1.2)}
	haze, veil := near(c.Stream, rgb{0.7, 0.72, 0.75}, 0.2), c.Uniform(0, 0.3)
	edge, shade := c.Uniform(0, 0.5), c.Uniform(40, 120)
	strength := c.Uniform(0, 0.35)
	for y := range c.pixels {
		for x := range c.pixels[y] {
			p := c.pixels[y][x]
			grey := 0.3*p[0] + 0.6*p[1] + 0.1*p[2]
			p = mix(rgb{grey, grey, grey}, p, saturation)
			p = mix(p, rgb{p[1], p[2], p[0]}, max(turn, 0))
			p = mix(p, rgb{p[2], p[0], p[1]}, max(-turn, 0))
			p = mix(p, haze, veil)
			u, v := 2*float64(x)/Width-1, 2*float64(y)/Height-1
			dim := (1 - edge*(u*u+v*v)/2) * (1 - strength*c.noise.at(float64(x)/shade, float64(y)/shade))
			for i := range p {
				p[i] *= dim * cast[i]
			}
			c.pixels[y][x] = p
		}
	}
}

// blur averages each pixel with its neighbours.
func (c *canvas) blur() {
	sharp := c.pixels
	for y := range Height {
		for x := range Width {
			var sum rgb
			for _, v := range []int{max(y-1, 0), y, min(y+1, Height-1)} {
				for _, u := range []int{max(x-1, 0), x, min(x+1, Width-1)} {
					for i := range sum {
						sum[i] += sharp[v][u][i]
					}
				}
			}
			c.pixels[y][x] = sum.times(1.0 / 9)
		}
	}
}

// expose adds the sensor's noise and rounds.
func (c *canvas) expose() image.Image {
	photo := image.NewRGBA(image.Rect(0, 0, Width, Height))
	grain := c.Uniform(0.01, 0.08)
	for y := range Height {
		for x := range Width {
			word := c.Uint64()
			speck := grain * (float64(word&0xffff)/0x8000 - 1)
			var v [3]uint8
			for i, p := range c.pixels[y][x] {
				own := grain * (float64(word>>(16+16*i)&0xffff)/0x8000 - 1)
				v[i] = uint8(255 * limit(p+(speck+own)/2, 0, 1))
			}
			photo.SetRGBA(x, y, color.RGBA{v[0], v[1], v[2], 255})
		}
	}
	return photo
}
