package scene

import "math"

// pattern paints a repeating texture over a backdrop, in full or on a part of it: from gives its place
// in the pattern's own unit, which is turned, scaled and seen at a slant.
func (c *canvas) pattern(low, high float64, shade func(u, v float64) float64) {
	c.backdrop()
	a, b := paint(c.Stream).times(c.Uniform(0.2, 0.6)), mix(paint(c.Stream), white, c.Uniform(0.2, 0.7))
	sin, cos := math.Sincos(c.Uniform(-0.7, 0.7))
	size, slant, wobble := c.Uniform(low, high), c.Uniform(0, 0.5), c.Uniform(0, 1)
	surface := func(x, y float64) rgb {
		far := 1 + slant*(Height-y)/Height
		x = (x - Width/2) * far
		uneven := wobble * c.noise.at(x/40, y/40)
		u, v := (cos*x+sin*y)/size+uneven, (cos*y-sin*x)*far/size
		return mix(a, b, limit(shade(u, v), 0, 1)).times(0.8 + 0.4*c.noise.rough(x/9, y/9))
	}
	if c.chance(0.5) {
		c.all(surface, 0)
		return
	}
	x, y := c.Uniform(-20, 90), c.Uniform(-20, 70)
	c.fill(surface, point{x, y}, point{x + c.Uniform(90, 180), y + c.Uniform(-20, 20)},
		point{x + c.Uniform(90, 180), y + c.Uniform(80, 140)}, point{x + c.Uniform(-20, 20), y + c.Uniform(80, 140)})
}

// backdrop is anything: open country, a wall, a blur.
func (c *canvas) backdrop() {
	horizon := Height * c.Uniform(0.2, 0.8)
	switch c.IntN(3) {
	case 0:
		c.sky(horizon)
		c.ground(paint(c.Stream), horizon)
	case 1:
		c.all(c.rough(paint(c.Stream), c.Uniform(4, 60), 0.5), 0)
	default:
		c.all(gradient(paint(c.Stream), paint(c.Stream), 0, Height), 0)
		c.all(c.rough(paint(c.Stream), 12, 0.2), horizon)
	}
}

// part is the fraction of a number.
func part(x float64) float64 { return x - math.Floor(x) }

// sharp is 1 where v is above the threshold, with a soft edge.
func sharp(v, threshold float64) float64 { return 0.5 + 8*(v-threshold) }

func stripes(c *canvas) {
	share := c.Uniform(0.3, 0.7)
	c.pattern(9, 40, func(u, _ float64) float64 { return sharp(math.Abs(2*part(u)-1), share) })
}

func checks(c *canvas) {
	c.pattern(10, 35, func(u, v float64) float64 {
		return sharp((math.Abs(2*part(u/2)-1)-0.5)*(math.Abs(2*part(v/2)-1)-0.5), 0)
	})
}

func bricks(c *canvas) {
	joint := c.Uniform(0.06, 0.14)
	c.pattern(14, 40, func(u, v float64) float64 {
		v *= 2
		u += 0.5 * math.Floor(v)
		return sharp(min(part(u), part(v)/2, 1-part(u), (1-part(v))/2), joint/2)
	})
}

func dots(c *canvas) {
	radius := c.Uniform(0.22, 0.4)
	c.pattern(12, 40, func(u, v float64) float64 { return sharp(radius, math.Hypot(part(u)-0.5, part(v)-0.5)) })
}

func rings(c *canvas) {
	share := c.Uniform(0.3, 0.7)
	c.pattern(8, 26, func(u, v float64) float64 { return sharp(math.Abs(2*part(math.Hypot(u, v-3))-1), share) })
}

func rays(c *canvas) {
	n, y := float64(c.between(6, 18)), c.Uniform(-1, 3)
	c.pattern(20, 50, func(u, v float64) float64 { return sharp(math.Abs(2*part(n*math.Atan2(v-y, u)/(2*math.Pi))-1), 0.5) })
}

func waves(c *canvas) {
	high, share := c.Uniform(0.2, 0.5), c.Uniform(0.3, 0.7)
	zigzag := c.chance(0.5)
	c.pattern(12, 35, func(u, v float64) float64 {
		swing := math.Sin(2 * math.Pi * u / 2)
		if zigzag {
			swing = 4*math.Abs(part(u/2)-0.5) - 1
		}
		return sharp(math.Abs(2*part(v+high*swing)-1), share)
	})
}
