package photo

import "math"

// The operations that move pixels repeat torchvision's affine and rotate on PIL images with the nearest pixel, bit for bit: Pillow 13
// walks over the source in steps of 1/65536 of a pixel (libImaging/Geometry.c). What comes from outside is black.

// affine is where the pixel (x, y) comes from: (ax + by + c, dx + ey + f).
type affine struct{ a, b, c, d, e, f float64 }

// moved is the image with every pixel from where the map says. Photos of less than 32768 pixels a side fit the fixed point.
func (m *Image) moved(by affine) *Image {
	const bits = 16
	fixed := func(v float64) int { return int(math.Floor(float64(v*(1<<bits)) + 0.5)) }
	half := func(p, q, r float64) int { return fixed(r + p/2 + q/2) } // of the first pixel's middle
	right, down := [2]int{fixed(by.a), fixed(by.d)}, [2]int{fixed(by.b), fixed(by.e)}
	start := [2]int{half(by.a, by.b, by.c), half(by.d, by.e, by.f)}
	out := NewImage(m.W, m.H)
	for y := range out.H {
		row, at := out.row(y), start
		for x := range out.W {
			if u, v := at[0]>>bits, at[1]>>bits; u >= 0 && u < m.W && v >= 0 && v < m.H {
				from := m.Pix[3*(v*m.W+u):]
				row[3*x], row[3*x+1], row[3*x+2] = from[0], from[1], from[2]
			}
			at[0], at[1] = at[0]+right[0], at[1]+right[1]
		}
		start[0], start[1] = start[0]+down[0], start[1]+down[1]
	}
	return out
}

// shearX moves rows sideways, the further down the more; shearY columns.
func shearX(m *Image, by float64) *Image { return m.moved(affine{a: 1, b: by, e: 1}) }
func shearY(m *Image, by float64) *Image { return m.moved(affine{a: 1, d: by, e: 1}) }

// translateX moves the image to the right by the whole pixels of a number, translateY down.
func translateX(m *Image, by float64) *Image {
	return m.moved(affine{a: 1, c: -math.Trunc(by), e: 1})
}
func translateY(m *Image, by float64) *Image {
	return m.moved(affine{a: 1, e: 1, f: -math.Trunc(by)})
}

// rotate turns the image about its middle, counterclockwise by so many degrees.
func rotate(m *Image, degrees float64) *Image {
	if degrees == 0 {
		return m
	}
	sin, cos := sinCos(-degrees)
	x, y := float64(m.W)/2, float64(m.H)/2
	return m.moved(affine{
		a: cos, b: sin, c: float64(-cos*x) - float64(sin*y) + x,
		d: -sin, e: cos, f: float64(sin*x) - float64(cos*y) + y,
	})
}

// sinCos are sine and cosine of an angle of at most 180 degrees, within 1e-15: by their series, the same bits on every architecture.
func sinCos(degrees float64) (sin, cos float64) {
	if degrees < 0 {
		sin, cos = sinCos(-degrees)
		return -sin, cos
	}
	if degrees > 90 {
		sin, cos = sinCos(180 - degrees)
		return sin, -cos
	}
	if degrees > 45 {
		sin, cos = sinCos(90 - degrees)
		return cos, sin
	}
	x := float64(degrees * (math.Pi / 180))
	const terms = 9 // of each: x^18/18! is 4e-18 of one
	term := 1.0
	for n := range terms {
		cos += term
		term *= x / float64(2*n+1)
		sin += term
		term *= -x / float64(2*n+2)
	}
	return sin, cos
}
