package scene

// bedroom has a bed.
func bedroom(c *canvas) {
	r := c.room()
	if c.chance(0.6) {
		r.window(c.Uniform(0.3, r.wide-1.8), c.Uniform(0.9, 1.5), 0.9, 2.1, c.chance(0.8))
	}
	if c.chance(0.5) {
		r.picture(c.Uniform(0.3, r.wide-1.2), 1.4, c.Uniform(0.4, 0.9), c.Uniform(0.3, 0.6))
	}
	if c.chance(0.5) {
		r.floor(c.rough(paint(c.Stream), 7, 0.4), 0.3, r.wide-0.5, 0.01, r.deep-3.2, r.deep-0.8) // a rug
	}
	wide, long := c.Uniform(1, 1.9), c.Uniform(1.9, 2.1)
	x := c.Uniform(0.5, max(0.6, r.wide-wide-0.6))
	r.bed(x, wide, r.deep-long-0.1, long)
	var all []box
	for _, side := range []float64{x - 0.55, x + wide + 0.1} {
		if c.chance(0.7) {
			z := r.deep - 0.5
			all = append(all, box{place{side, 0, z}, place{side + 0.45, 0.5, z + 0.4}, near(c.Stream, wood, 0.4), doors(1, 2)})
			all = append(all, r.bedsideLamp(side+0.22, z+0.2)...)
		}
	}
	if c.chance(0.6) {
		side := 0.0
		if c.chance(0.5) {
			side = r.wide - 0.6
		}
		z := r.deep - c.Uniform(1.6, 3)
		all = append(all, box{place{side, 0, z}, place{side + 0.6, c.Uniform(1, 2.2), z + 1.3}, near(c.Stream, wood, 0.5), doors(1, c.between(1, 4))})
	}
	r.solids(all)
}

// bed has its head at the far wall.
func (r room) bed(x, wide, z, long float64) {
	frame, sheet, cover := near(r.Stream, wood, 0.5), near(r.Stream, white, 0.1), paint(r.Stream)
	r.solid(box{low: place{x - 0.05, 0, z + long - 0.05}, high: place{x + wide + 0.05, r.Uniform(0.8, 1.3), z + long}, colour: frame})
	r.solid(box{low: place{x, 0.1, z}, high: place{x + wide, 0.3, z + long - 0.05}, colour: frame})
	r.solid(box{low: place{x, 0.3, z}, high: place{x + wide, 0.55, z + long - 0.06}, colour: sheet})
	pillows := 1
	if wide > 1.3 {
		pillows = 2
	}
	for i := range pillows {
		w := wide / float64(pillows)
		a := x + w*float64(i) + 0.1
		r.solid(box{low: place{a, 0.55, z + long - 0.55}, high: place{a + w - 0.2, 0.7, z + long - 0.15}, colour: near(r.Stream, white, 0.15)})
	}
	fold := z + long*r.Uniform(0.55, 0.7)
	r.solid(box{low: place{x - 0.03, 0.2, z - 0.03}, high: place{x + wide + 0.03, 0.6, fold}, colour: cover})
	if r.chance(0.5) { // stripes
		for a := z; a < fold; a += 0.3 {
			r.floor(plain(cover.times(0.7)), x-0.03, x+wide+0.03, 0.601, a, a+0.12)
		}
	}
}

func (r room) bedsideLamp(x, z float64) []box {
	shade := near(r.Stream, rgb{0.98, 0.9, 0.7}, 0.1)
	return []box{
		{low: place{x - 0.03, 0.5, z}, high: place{x + 0.03, 0.75, z + 0.05}, colour: black},
		{low: place{x - 0.13, 0.75, z - 0.1}, high: place{x + 0.13, 0.98, z + 0.14}, colour: shade},
	}
}

// kitchen has a counter with cupboards under and over it, a stove and a fridge.
func kitchen(c *canvas) {
	r := c.room()
	front, top := near(c.Stream, mix(wood, white, c.Float64()), 0.4), near(c.Stream, stone, 0.5)
	r.tiles(0.95, 1.5)
	z := r.deep - 0.65
	var all []box
	fridge, stove := 0.7, c.Uniform(1.5, r.wide-1.4)
	metal := near(c.Stream, concrete, 0.35)
	if c.chance(0.75) {
		all = append(all, box{place{0.02, 0, z}, place{fridge, c.Uniform(1.6, 2), r.deep}, metal, doors(1, 2)})
	} else {
		fridge = 0
	}
	columns := c.between(3, 7)
	all = append(all,
		box{place{fridge, 0, z}, place{r.wide, 0.87, r.deep}, front, doors(columns, c.between(1, 3))},
		box{place{fridge, 0.87, z - 0.03}, place{r.wide, 0.92, r.deep}, top, nil},
		box{place{stove, 0.1, z - 0.04}, place{stove + 0.6, 0.88, z}, metal.times(0.6), oven})
	if c.chance(0.8) {
		all = append(all, box{place{fridge + 0.1, 1.5, r.deep - 0.35}, place{stove - 0.1, 2.15, r.deep}, front, doors(max(1, columns/2), 1)})
		all = append(all, box{place{stove + 0.75, 1.5, r.deep - 0.35}, place{r.wide, 2.15, r.deep}, front, doors(max(1, columns/2), 1)})
		all = append(all, box{place{stove, 1.6, r.deep - 0.45}, place{stove + 0.6, 1.75, r.deep}, metal, nil}) // a hood
	} else {
		r.window(c.Uniform(fridge+0.2, r.wide-1.4), 1, 1.2, 2.1, false)
	}
	r.solids(all)
	r.solids(r.things(c.between(2, 9), fridge+0.1, r.wide-0.3, 0.92, z+0.1, r.deep-0.3))
	r.kitchenSide(front, top)
}

// oven is what stands out of a stove.
func oven(v *view, b box) {
	v.front(plain(black), b.low.x+0.08, b.high.x-0.08, 0.2, 0.55, b.low.z)
	for i := range 4 {
		x := b.low.x + 0.1 + 0.11*float64(i)
		v.front(plain(white), x, x+0.05, 0.73, 0.79, b.low.z)
	}
}

// tiles cover the far wall between two heights.
func (r room) tiles(low, high float64) {
	colour, step := near(r.Stream, mix(white, paint(r.Stream), 0.4), 0.15), r.Uniform(0.1, 0.22)
	z := r.deep - 0.005
	r.front(plain(colour.times(0.75)), 0, r.wide, low, high, z)
	for y := low; y < high; y += step {
		for x := 0.0; x < r.wide; x += step {
			r.front(plain(colour.times(r.Uniform(0.92, 1.08))), x+0.01, x+step-0.01, y+0.01, y+step-0.01, z)
		}
	}
}

// kitchenSide is a second counter along a wall, or a table.
func (r room) kitchenSide(front, top rgb) {
	z0, z1 := r.deep-r.Uniform(2.2, 3.5), r.deep-0.7
	switch r.IntN(3) {
	case 0:
		x := r.wide - 0.6
		r.solids([]box{
			{place{x, 0, z0}, place{r.wide, 0.87, z1}, front, doors(1, 3)},
			{place{x - 0.03, 0.87, z0}, place{r.wide, 0.92, z1}, top, nil},
		})
	case 1:
		x := r.Uniform(0.5, r.wide-1.5)
		r.solids(legs(near(r.Stream, wood, 0.4), x, x+r.Uniform(0.7, 1.2), z0, z0+0.8, 0.75))
	}
}

// office has desks with screens, chairs, shelves and lights in the ceiling.
func office(c *canvas) {
	r := c.room()
	lamp := plain(near(c.Stream, white, 0.05).times(1.1))
	for z := 0.8; c.chance(0.8) && z < r.deep-0.4; z += 1.4 {
		for x := 0.5; x < r.wide-0.7; x += 1.8 {
			r.floor(lamp, x, x+0.9, r.high-0.01, z, z+0.35)
		}
	}
	switch c.IntN(3) {
	case 0:
		r.window(0.3, r.wide-0.6, 0.9, 2.2, false)
		r.blinds(0.3, r.wide-0.3, 1.1, 2.2)
	case 1:
		r.picture(c.Uniform(0.2, 1), 1, c.Uniform(1.2, 2.2), 1)
	}
	var all []box
	if c.chance(0.7) {
		all = append(all, r.shelf()...)
	}
	for z := r.deep - 0.9; z > 1.6; z -= c.Uniform(1.3, 2.2) {
		for x := c.Uniform(0.1, 0.6); x < r.wide-1.3; x += c.Uniform(1.5, 2.4) {
			if c.chance(0.85) {
				all = append(all, r.desk(x, z)...)
			}
		}
	}
	r.solids(all)
}

// blinds hang before a window.
func (r room) blinds(x0, x1, low, high float64) {
	for y := low; y < high; y += 0.09 {
		r.front(plain(near(r.Stream, concrete, 0.1)), x0, x1, y, y+0.045, r.deep-0.03)
	}
}

// desk comes with a screen and a chair.
func (r room) desk(x, z float64) []box {
	wide := r.Uniform(1.1, 1.5)
	all := legs(near(r.Stream, mix(wood, white, r.Float64()), 0.25), x, x+wide, z, z+0.7, 0.74)
	at := x + r.Uniform(0.1, wide-0.6)
	glow := func(v *view, b box) {
		v.front(plain(near(v.Stream, rgb{0.5, 0.65, 0.8}, 0.5)), b.low.x+0.03, b.high.x-0.03, b.low.y+0.04, b.high.y-0.03, b.low.z)
	}
	all = append(all,
		box{place{at + 0.2, 0.74, z + 0.45}, place{at + 0.3, 0.9, z + 0.5}, black, nil},
		box{place{at, 0.86, z + 0.4}, place{at + 0.52, 1.22, z + 0.44}, black, glow},
		box{place{at, 0.74, z + 0.1}, place{at + 0.42, 0.76, z + 0.25}, near(r.Stream, asphalt, 0.5), nil})
	if r.chance(0.7) {
		seat := mix(black, paint(r.Stream), r.Float64())
		c := x + r.Uniform(0.2, wide-0.6)
		all = append(all,
			box{place{c, 0.42, z - 0.5}, place{c + 0.45, 0.5, z - 0.05}, seat, nil},
			box{place{c + 0.02, 0.55, z - 0.52}, place{c + 0.43, 1, z - 0.46}, seat, nil},
			box{place{c + 0.2, 0, z - 0.3}, place{c + 0.26, 0.42, z - 0.24}, black, nil})
	}
	return append(all, r.things(r.IntN(4), x, x+wide-0.2, 0.74, z+0.05, z+0.5)...)
}

// shelf stands at the far wall, full of folders.
func (r room) shelf() []box {
	x := r.Uniform(0.1, r.wide-1.2)
	folders := func(v *view, b box) {
		for y := b.low.y + 0.05; y < b.high.y-0.3; y += 0.4 {
			v.front(plain(black), b.low.x+0.03, b.high.x-0.03, y, y+0.35, b.low.z)
			for a := b.low.x + 0.04; a < b.high.x-0.1; a += 0.08 {
				v.front(plain(paint(v.Stream)), a, a+0.07, y, y+v.Uniform(0.22, 0.33), b.low.z)
			}
		}
	}
	return []box{{place{x, 0, r.deep - 0.35}, place{x + r.Uniform(0.8, 1.1), r.Uniform(1.3, 2.1), r.deep}, near(r.Stream, mix(wood, concrete, 0.5), 0.3), folders}}
}
