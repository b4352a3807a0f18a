package scene

import (
	"math"

	"regraft/engine/random"
)

// rgb is a colour, usually between 0 and 1.
type rgb [3]float64

// times makes a colour brighter or darker.
func (c rgb) times(f float64) rgb { return rgb{c[0] * f, c[1] * f, c[2] * f} }

// mix goes from a (t = 0) to b (t = 1).
func mix(a, b rgb, t float64) rgb {
	for i := range a {
		a[i] += float64((b[i] - a[i]) * t)
	}
	return a
}

// hsv is the colour of a hue (one turn is 1), saturation and value.
func hsv(h, s, v float64) rgb {
	h = 6 * (h - math.Floor(h))
	var c rgb
	for i, shift := range []float64{0, 4, 2} { // red, green, blue
		d := math.Mod(h+shift, 6)
		c[i] = v * (1 - float64(s*(1-limit(math.Abs(d-3)-1, 0, 1))))
	}
	return c
}

func limit(v, low, high float64) float64 { return math.Max(low, math.Min(high, v)) }

// paint draws a colour as things that are painted have it: any hue, often pale.
func paint(r *random.Stream) rgb {
	return hsv(r.Float64(), r.Uniform(0.05, 0.7), r.Uniform(0.25, 0.95))
}

// near draws a colour around c.
func near(r *random.Stream, c rgb, spread float64) rgb {
	light := 1 + r.Uniform(-spread, spread)
	for i := range c {
		c[i] = limit(light*c[i]+r.Uniform(-spread, spread)/3, 0.02, 1)
	}
	return c
}

var (
	wood     = rgb{0.5, 0.34, 0.2}
	leaf     = rgb{0.22, 0.42, 0.15}
	soil     = rgb{0.36, 0.3, 0.22}
	stone    = rgb{0.5, 0.49, 0.47}
	asphalt  = rgb{0.3, 0.3, 0.32}
	sand     = rgb{0.8, 0.7, 0.52}
	water    = rgb{0.16, 0.36, 0.48}
	white    = rgb{0.93, 0.93, 0.91}
	black    = rgb{0.08, 0.08, 0.09}
	concrete = rgb{0.62, 0.6, 0.57}
)
