package scene

import "math"

// stage is a camera that looks down on the ground in front of it, over any backdrop.
func (c *canvas) stage() *view {
	c.backdrop()
	v := c.view(place{0, c.Uniform(0.8, 3), 0}, c.Uniform(-0.2, 0.2), c.Uniform(-0.35, -0.05), c.Uniform(0.9, 1.3))
	if c.chance(0.6) {
		v.floor(c.rough(paint(c.Stream), 8, 0.3), -20, 20, 0, 0, c.Uniform(6, 60))
	}
	return v
}

func crates(c *canvas) {
	v := c.stage()
	var all []box
	for range c.between(3, 9) {
		x, z, s := c.Uniform(-2, 1.5), c.Uniform(2.5, 6), c.Uniform(0.4, 1)
		y := 0.0
		if c.chance(0.3) {
			y = c.Uniform(0.4, 1)
		}
		all = append(all, box{place{x, y, z}, place{x + s, y + s*c.Uniform(0.6, 1.2), z + s}, paint(c.Stream), nil})
	}
	v.solids(all)
}

func stairs(c *canvas) {
	v := c.stage()
	colour, wide, x := paint(c.Stream), c.Uniform(1.5, 4), c.Uniform(-2, 0)
	rise, tread := c.Uniform(0.12, 0.25), c.Uniform(0.25, 0.45)
	var all []box
	for i := range c.between(5, 11) {
		z := 2.5 + tread*float64(i)
		all = append(all, box{place{x, 0, z}, place{x + wide, rise * float64(i+1), z + tread}, colour, nil})
	}
	v.solids(all)
}

func table(c *canvas) {
	v := c.stage()
	var all []box
	for range c.between(1, 3) {
		x, z := c.Uniform(-1.8, 0.6), c.Uniform(2, 4)
		all = append(all, legs(paint(c.Stream), x, x+c.Uniform(0.5, 1.8), z, z+c.Uniform(0.5, 1), c.Uniform(0.4, 1))...)
	}
	v.solids(all)
}

func fence(c *canvas) {
	v := c.stage()
	colour := plain(paint(c.Stream))
	z0, turn, high := c.Uniform(2, 5), c.Uniform(-0.4, 0.4), c.Uniform(0.7, 1.8)
	gap, thick := c.Uniform(0.25, 0.9), c.Uniform(0.05, 0.2)
	at := func(x float64) float64 { return z0 + turn*x }
	for x := -5.0; x < 5; x += gap {
		v.front(colour, x, x+thick, 0, high*c.Uniform(0.95, 1.05), at(x))
	}
	for _, y := range []float64{0.25, 0.8} {
		v.face(colour, place{-5, y * high, at(-5)}, place{5, y * high, at(5)}, place{5, (y + 0.08) * high, at(5)}, place{-5, (y + 0.08) * high, at(-5)})
	}
}

func corridor(c *canvas) {
	wide, high, deep := c.Uniform(1.6, 3), c.Uniform(2.2, 3.5), c.Uniform(8, 25)
	v := c.view(place{wide * c.Uniform(0.3, 0.7), c.Uniform(0.8, 1.8), 0}, c.Uniform(-0.2, 0.2), c.Uniform(-0.1, 0.1), c.Uniform(0.4, 0.8))
	wall := paint(c.Stream)
	v.side(c.rough(wall.times(v.light[0]), 20, 0.2), 0, 0, high, 0, deep)
	v.side(c.rough(wall.times(v.light[0]), 20, 0.2), wide, 0, high, 0, deep)
	v.floor(c.rough(paint(c.Stream), 10, 0.3), 0, wide, 0, 0, deep)
	v.floor(c.rough(white.times(v.light[1]), 20, 0.1), 0, wide, high, 0, deep)
	v.front(c.rough(wall.times(v.light[2]), 20, 0.2), 0, wide, 0, high, deep)
	door := plain(paint(c.Stream))
	for z := 1.0; z < deep-1; z += c.Uniform(1.5, 4) {
		v.side(door, wide*float64(c.IntN(2)), 0, 2, z, z+0.9)
	}
}

func arch(c *canvas) {
	v := c.stage()
	front, z, x := c.rough(paint(c.Stream), 9, 0.3), c.Uniform(3, 6), c.Uniform(-2.5, -0.5)
	for range c.between(1, 3) {
		half, high, thick := c.Uniform(0.5, 1.1), c.Uniform(0.8, 2), c.Uniform(0.2, 0.5)
		const steps = 12
		outer, inner := []place{{x, 0, z}}, []place{{x + thick, 0, z}}
		for i := range steps + 1 {
			sin, cos := math.Sincos(math.Pi * float64(i) / steps)
			outer = append(outer, place{x + thick + half - cos*(half+thick), high + sin*(half+thick), z})
			inner = append(inner, place{x + thick + half - cos*half, high + sin*half, z})
		}
		for i := range steps + 1 {
			v.face(front, outer[i], outer[i+1], inner[i+1], inner[i])
		}
		end := x + 2*(half+thick)
		v.front(front, end-thick, end, 0, high, z)
		x = end + c.Uniform(0, 0.6)
	}
}

func tent(c *canvas) {
	v := c.stage()
	for range c.between(1, 3) {
		x, z, w, h := c.Uniform(-2.5, 1), c.Uniform(3, 6), c.Uniform(1, 2.5), c.Uniform(0.8, 2)
		cloth := paint(c.Stream)
		v.face(c.rough(cloth.times(0.75), 9, 0.2), place{x + w/2, h, z}, place{x + w, 0, z}, place{x + w, 0, z + 2}, place{x + w/2, h, z + 2})
		v.face(c.rough(cloth, 9, 0.2), place{x, 0, z}, place{x + w/2, h, z}, place{x + w, 0, z})
		v.face(plain(black), place{x + w*0.4, 0, z}, place{x + w/2, h * 0.7, z}, place{x + w*0.6, 0, z})
	}
}

func loneTree(c *canvas) {
	c.backdrop()
	for range c.between(1, 3) {
		c.tree(point{c.Uniform(40, Width-40), Height * c.Uniform(0.75, 1)}, c.Uniform(60, 150), near(c.Stream, leaf, 0.6))
	}
}

func boulders(c *canvas) {
	c.backdrop()
	for range c.between(4, 14) {
		s := c.Uniform(10, 45)
		c.blob(c.rough(near(c.Stream, stone, 0.5), s/2, 0.7), point{c.Uniform(0, Width), c.Uniform(0.4, 1) * Height}, s, s*c.Uniform(0.5, 0.9), 0.25)
	}
}

func dunes(c *canvas) {
	c.sky(Height * c.Uniform(0.4, 0.7))
	colour := paint(c.Stream)
	for i := range c.between(3, 6) {
		line := c.ridge(Height*(0.35+0.13*float64(i)), c.Uniform(10, 30), 0.25)
		c.below(c.rough(colour.times(c.Uniform(0.6, 1.2)), 30, 0.3), line)
	}
}

func flower(c *canvas) {
	c.backdrop()
	for range c.between(1, 5) {
		at, size := point{c.Uniform(30, Width-30), c.Uniform(30, Height-30)}, c.Uniform(15, 55)
		petals, colour, turn := c.between(5, 9), paint(c.Stream), c.Float64()
		c.line(plain(leaf), at, point{at.x + c.Uniform(-20, 20), Height}, 3, 4)
		for i := range petals {
			sin, cos := math.Sincos(2 * math.Pi * (float64(i) + turn) / float64(petals))
			c.line(c.rough(colour, 6, 0.3), point{at.x + cos*size*0.2, at.y + sin*size*0.2}, point{at.x + cos*size, at.y + sin*size}, size*0.2, size*0.5)
		}
		c.blob(plain(paint(c.Stream)), at, size*0.3, size*0.3, 0.05)
	}
}
