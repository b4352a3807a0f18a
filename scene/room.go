package scene

// room is the inside of a house: the walls, and a camera that stands in it.
type room struct {
	*view
	wide, high, deep float64
}

// room paints the walls with what hangs on them.
func (c *canvas) room() room {
	r := room{wide: c.Uniform(3.2, 5), high: c.Uniform(2.4, 2.9), deep: c.Uniform(3.2, 4.8)}
	eye := place{r.wide * c.Uniform(0.25, 0.75), c.Uniform(1.2, 1.9), c.Uniform(0.1, 0.6)}
	yaw := c.Uniform(-0.15, 0.15) + 0.5*(0.5-eye.x/r.wide)
	r.view = c.view(eye, yaw, c.Uniform(-0.32, -0.1), c.Uniform(0.6, 0.85))
	wall := near(c.Stream, mix(white, paint(c.Stream), c.Uniform(0.1, 0.7)), 0.1)
	for axis, side := range []func(t texture){
		func(t texture) { r.side(t, 0, 0, r.high, 0, r.deep); r.side(t, r.wide, 0, r.high, 0, r.deep) },
		func(t texture) { r.floor(t, 0, r.wide, r.high, 0, r.deep) },
		func(t texture) { r.front(t, 0, r.wide, 0, r.high, r.deep) },
	} {
		side(c.rough(wall.times(r.light[axis]), 40, 0.1))
	}
	r.floorboards(near(c.Stream, mix(wood, stone, c.Float64()), 0.3))
	return r
}

// floorboards are boards ahead or tiles.
func (r room) floorboards(colour rgb) {
	r.floor(r.rough(colour, 9, 0.25), 0, r.wide, 0, 0, r.deep)
	gap, step := plain(colour.times(0.6)), r.Uniform(0.2, 0.6)
	for x := 0.0; x < r.wide; x += step {
		r.floor(gap, x, x+0.02, 0, 0, r.deep)
	}
	for z := 0.0; r.chance(0.9) && z < r.deep; z += step {
		r.floor(gap, 0, r.wide, 0, z, z+0.03)
	}
}

// window is a bright opening in the far wall.
func (r room) window(x, wide, low, high float64, curtains bool) {
	z := r.deep - 0.01
	r.front(plain(white), x-0.08, x+wide+0.08, low-0.08, high+0.08, z)
	outside := r.rough(near(r.Stream, rgb{0.8, 0.9, 1}, 0.2), 20, 0.3)
	panes := r.between(1, 3)
	for i := range panes {
		a := x + wide*float64(i)/float64(panes)
		r.front(outside, a+0.03, a+wide/float64(panes)-0.03, low, high, z)
	}
	if curtains {
		cloth := paint(r.Stream)
		for _, a := range []float64{x - 0.3, x + wide - 0.1} {
			for i := range 4 {
				fold := a + 0.1*float64(i)
				r.front(plain(cloth.times(r.Uniform(0.7, 1.1))), fold, fold+0.1, 0.1, high+0.2, z)
			}
		}
	}
}

// picture hangs on the far wall.
func (r room) picture(x, y, wide, high float64) {
	r.front(plain(paint(r.Stream).times(0.5)), x, x+wide, y, y+high, r.deep-0.01)
	r.front(r.rough(paint(r.Stream), 6, 0.8), x+0.05, x+wide-0.05, y+0.05, y+high-0.05, r.deep-0.02)
}

// doors divides the front of a box into columns and rows with handles: cupboards and drawers.
func doors(columns, rows int) func(v *view, b box) {
	return func(v *view, b box) {
		panel, handle := plain(b.colour.times(v.light[2]*1.12)), plain(black)
		w, h := (b.high.x-b.low.x)/float64(columns), (b.high.y-b.low.y)/float64(rows)
		for i := range columns {
			for k := range rows {
				x, y := b.low.x+w*float64(i), b.low.y+h*float64(k)
				v.front(panel, x+0.03, x+w-0.03, y+0.03, y+h-0.03, b.low.z)
				v.front(handle, x+w*0.4, x+w*0.6, y+h*0.8, y+h*0.84, b.low.z)
			}
		}
		x, seen := v.seenSide(b)
		deep := (b.high.z - b.low.z) / 2
		if seen && deep > 0.5 {
			for k := range rows {
				y := b.low.y + h*float64(k)
				v.side(plain(b.colour.times(v.light[0]*1.12)), x, y+0.03, y+h-0.03, b.low.z+0.03, b.high.z-0.03)
			}
		}
	}
}

// legs are four thin boxes under a top, with the top.
func legs(colour rgb, x0, x1, z0, z1, height float64) []box {
	const thick = 0.06
	all := []box{{low: place{x0, height - 0.05, z0}, high: place{x1, height, z1}, colour: colour}}
	for _, x := range []float64{x0, x1 - thick} {
		for _, z := range []float64{z0, z1 - thick} {
			all = append(all, box{low: place{x, 0, z}, high: place{x + thick, height - 0.05, z + thick}, colour: colour.times(0.8)})
		}
	}
	return all
}

// things are small boxes that lie about on a surface.
func (r room) things(n int, x0, x1, y, z0, z1 float64) []box {
	var all []box
	for range n {
		x, z, s := r.Uniform(x0, x1), r.Uniform(z0, z1), r.Uniform(0.06, 0.22)
		all = append(all, box{low: place{x, y, z}, high: place{x + s, y + s*r.Uniform(0.3, 2), z + s}, colour: paint(r.Stream)})
	}
	return all
}
