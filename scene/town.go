package scene

import "math"

// street is a narrow road between two rows of houses.
func street(c *canvas) {
	v := c.view(place{c.Uniform(-4, 4), c.Uniform(1.4, 3.5), 0}, c.Uniform(-0.35, 0.35), c.Uniform(-0.05, 0.15), c.Uniform(0.5, 0.9))
	c.sky(v.horizon())
	c.ground(near(c.Stream, concrete, 0.25), v.horizon())
	half := c.Uniform(2.5, 5)
	v.road(half, near(c.Stream, asphalt, 0.4))
	var all []box
	for _, side := range []float64{-1, 1} {
		for z := -6.0; z < 110; {
			front, deep := half+c.Uniform(2, 4), c.Uniform(8, 18)
			if !c.chance(0.12) { // else a gap
				all = append(all, c.house(side*front, side*(front+10), z, z+deep, c.Uniform(5, 15)))
			}
			z += deep
		}
	}
	v.solids(all)
	v.floor(v.rough(near(c.Stream, concrete, 0.2).times(0.8), 6, 0.2), -half-2, -half, 0.05, -5, 150)
	v.floor(v.rough(near(c.Stream, concrete, 0.2).times(0.8), 6, 0.2), half, half+2, 0.05, -5, 150)
	for z := 60.0; z > 3; z -= c.Uniform(6, 14) {
		x := half + c.Uniform(0.4, 1.2)
		if c.chance(0.5) {
			x = -x
		}
		if c.chance(0.3) {
			v.standingTree(place{x, 0, z}, c.Uniform(3, 7))
		} else if c.chance(0.5) {
			v.lamp(x, z)
		}
	}
	if c.chance(0.4) { // a crossing in front
		for x := -half + 0.3; x < half; x += 1 {
			v.floor(plain(white), x, x+0.5, 0.02, 6, 9)
		}
	}
	var cars []box
	for range c.IntN(6) {
		x := half - 2.1
		if c.chance(0.5) {
			x = -half + 0.3
		}
		cars = append(cars, car(paint(c.Stream), x, c.Uniform(5, 50))...)
	}
	v.solids(cars)
}

// house is a box with windows between two sides across.
func (c *canvas) house(xa, xb, z0, z1, height float64) box {
	storey, bay := c.Uniform(2.8, 3.6), c.Uniform(1.8, 3.5)
	glass, door := near(c.Stream, rgb{0.25, 0.3, 0.36}, 0.4), paint(c.Stream).times(0.7)
	windows := func(v *view, b box) {
		x, seen := v.seenSide(b)
		if !seen {
			return
		}
		for y := 1.0; y+1.8 < b.high.y; y += storey {
			for z := b.low.z + 0.6; z+bay*0.6 < b.high.z; z += bay {
				v.side(plain(glass.times(v.Uniform(0.6, 1.4))), x, y, y+1.6, z, z+bay*0.55)
			}
		}
		v.side(plain(door), x, 0, 2.2, b.low.z+0.4, b.low.z+1.6)
	}
	return box{place{min(xa, xb), 0, z0}, place{max(xa, xb), height, z1}, paint(c.Stream), windows}
}

// lamp is a street lamp.
func (v *view) lamp(x, z float64) {
	foot, top := v.turned(place{x, 0, z}), v.turned(place{x, 5.5, z})
	if foot.z < 1 || top.z < 1 {
		return
	}
	a, b := v.screen(foot), v.screen(top)
	w := max(1, 0.14*v.focal/foot.z)
	metal := plain(near(v.Stream, asphalt, 0.3))
	v.line(metal, a, b, w, w)
	reach := math.Copysign(1.4*v.focal/top.z, Width/2-b.x)
	v.line(metal, b, point{b.x + reach, b.y - w}, w, w)
}

// tallbuilding is one that rises into the sky, seen from below or from afar.
func tallbuilding(c *canvas) {
	far := c.Uniform(28, 70)
	height := c.Uniform(45, 110)
	tilt := math.Atan2(height*c.Uniform(0.3, 0.5), far)
	v := c.view(place{c.Uniform(-22, 22), c.Uniform(1.5, 12), 0}, c.Uniform(-0.15, 0.15), tilt, c.Uniform(0.45, 0.8))
	c.sky(Height * 1.2)
	var all []box
	for range c.IntN(5) { // neighbours
		x, z := c.Uniform(-70, 60), far+c.Uniform(20, 90)
		all = append(all, c.tower(x, z, c.Uniform(12, 25), height*c.Uniform(0.3, 0.9)))
	}
	all = append(all, c.tower(v.eye.x*0.5+c.Uniform(-25, 0), far, c.Uniform(18, 34), height))
	v.solids(all)
	for range c.IntN(4) {
		v.standingTree(place{c.Uniform(-30, 30), 0, c.Uniform(14, 25)}, c.Uniform(5, 10))
	}
}

// tower is a box with a regular facade: single windows, bands or ribs.
func (c *canvas) tower(x, z, wide, height float64) box {
	storey, bay := c.Uniform(2.8, 4.5), c.Uniform(1.6, 4)
	share, tall := c.Uniform(0.45, 0.9), c.Uniform(0.4, 0.85)
	switch c.IntN(3) {
	case 0:
		share = 1 // bands
	case 1:
		tall = 1 // ribs
	}
	glass := near(c.Stream, rgb{0.28, 0.36, 0.44}, 0.5)
	facade := func(v *view, b box) {
		for y := b.low.y + 2; y+storey < b.high.y; y += storey {
			row := glass.times(v.Uniform(0.75, 1.25))
			for x := b.low.x + 0.5; x+bay*share < b.high.x; x += bay {
				v.front(plain(row.times(v.Uniform(0.8, 1.2))), x, x+bay*share, y, y+storey*tall, b.low.z)
			}
			side, seen := v.seenSide(b)
			for z := b.low.z + 0.5; seen && z+bay*share < b.high.z; z += bay {
				v.side(plain(row.times(v.Uniform(0.5, 0.9))), side, y, y+storey*tall, z, z+bay*share)
			}
		}
	}
	return box{place{x, 0, z}, place{x + wide, height, z + wide*c.Uniform(0.6, 1.2)}, near(c.Stream, concrete, 0.4), facade}
}
