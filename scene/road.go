package scene

// highway is a wide road with lanes across open country.
func highway(c *canvas) {
	v := c.view(place{c.Uniform(-5, 5), c.Uniform(1.3, 7), 0}, c.Uniform(-0.25, 0.25), c.Uniform(-0.12, 0.08), c.Uniform(0.6, 1.1))
	horizon := v.horizon()
	c.sky(horizon)
	c.ground(near(c.Stream, mix(leaf, sand, c.Float64()), 0.25), horizon)
	if c.chance(0.6) {
		c.below(c.rough(near(c.Stream, mix(leaf, stone, 0.5), 0.3), 8, 0.4), append(c.ridge(horizon-6, 8, 0.5), point{Width, horizon + 4}, point{0, horizon + 4}))
		c.ground(near(c.Stream, mix(leaf, sand, c.Float64()), 0.25), horizon+2)
	}
	lanes := c.between(2, 4)
	half := 1.8 * float64(lanes)
	v.road(half, near(c.Stream, asphalt, 0.35))
	for lane := 1; lane < lanes; lane++ {
		x := -half + 3.6*float64(lane)
		for z := -c.Uniform(0, 9); z < 150; z += 9 {
			v.floor(plain(white), x-0.12, x+0.12, 0.01, z, z+4)
		}
	}
	for _, x := range []float64{-half + 0.5, half - 0.7} {
		v.floor(plain(white), x, x+0.2, 0.01, -5, 300)
	}
	for z := 120.0; z > 6; z -= c.Uniform(8, 40) {
		for _, x := range []float64{-half - c.Uniform(5, 40), half + c.Uniform(5, 40)} {
			v.standingTree(place{x, 0, z}, c.Uniform(4, 9))
		}
	}
	v.rails(half)
	if c.chance(0.5) {
		v.gantry(half, c.Uniform(18, 70))
	}
	v.solids(v.traffic(c.IntN(7), half, 10, 90))
}

// horizon is the height of the horizon on the canvas.
func (v *view) horizon() float64 { return Height/2 + v.focal*v.sinPitch/v.cosPitch }

// road is the surface, to both sides of the middle.
func (v *view) road(half float64, colour rgb) {
	v.floor(v.rough(colour, 5, 0.2), -half, half, 0, -5, 400)
}

// standingTree is a tree in space.
func (v *view) standingTree(foot place, height float64) {
	if at := v.turned(foot); at.z > 2 {
		v.tree(v.screen(at), height*v.focal/at.z, near(v.Stream, leaf, 0.35))
	}
}

// rails run along the road.
func (v *view) rails(half float64) {
	steel := v.rough(near(v.Stream, concrete, 0.2), 9, 0.2)
	for _, x := range []float64{-half - 0.8, half + 0.8} {
		if v.chance(0.6) {
			v.side(steel, x, 0.45, 0.85, -3, 200)
			for z := 2.0; z < 60; z += 4 {
				v.front(steel, x-0.06, x+0.06, 0, 0.6, z)
			}
		}
	}
}

// gantry carries signs over the road.
func (v *view) gantry(half, z float64) {
	steel := near(v.Stream, concrete, 0.2).times(0.7)
	for _, x := range []float64{-half - 1, half + 1} {
		v.front(plain(steel), x-0.2, x+0.2, 0, 7, z)
	}
	v.front(plain(steel), -half-1, half+1, 6.4, 7, z)
	for x := -half; x < half-3; x += v.Uniform(4, 7) {
		sign := hsv(v.Uniform(0.35, 0.65), 0.7, 0.5)
		v.front(plain(sign), x, x+3.4, 5, 7.6, z-0.1)
		v.front(plain(white), x+0.4, x+2.6, 6.2, 6.6, z-0.2)
		v.front(plain(white), x+0.4, x+2, 5.5, 5.8, z-0.2)
	}
}

// traffic is some cars.
func (v *view) traffic(cars int, half, from, to float64) []box {
	var all []box
	for range cars {
		z, lane := v.Uniform(from, to), v.Uniform(-half+0.3, half-2.2)
		all = append(all, car(paint(v.Stream), lane, z)...)
	}
	return all
}

func car(colour rgb, x, z float64) []box {
	lamps := func(v *view, b box) {
		v.front(plain(rgb{0.8, 0.15, 0.1}), b.low.x+0.1, b.low.x+0.4, 0.6, 0.8, b.low.z)
		v.front(plain(rgb{0.8, 0.15, 0.1}), b.high.x-0.4, b.high.x-0.1, 0.6, 0.8, b.low.z)
		v.front(plain(black), b.low.x+0.1, b.low.x+0.4, 0, 0.35, b.low.z)
		v.front(plain(black), b.high.x-0.4, b.high.x-0.1, 0, 0.35, b.low.z)
	}
	glass := func(v *view, b box) {
		v.front(plain(rgb{0.2, 0.25, 0.3}), b.low.x+0.15, b.high.x-0.15, b.low.y+0.1, b.high.y-0.1, b.low.z)
		if x, seen := v.seenSide(b); seen {
			v.side(plain(rgb{0.2, 0.25, 0.3}), x, b.low.y+0.1, b.high.y-0.1, b.low.z+0.2, b.high.z-0.2)
		}
	}
	return []box{
		{place{x, 0.25, z}, place{x + 1.8, 0.95, z + 4.2}, colour, lamps},
		{place{x + 0.1, 0.95, z + 0.9}, place{x + 1.7, 1.5, z + 3.2}, colour, glass},
	}
}
