package scene

import "math"

// coast is the sea under a wide sky, with a shore in front or to a side.
func coast(c *canvas) {
	horizon := Height * c.Uniform(0.22, 0.6)
	c.sky(horizon)
	if c.chance(0.3) {
		c.blob(plain(rgb{1, 0.97, 0.85}), point{c.Uniform(0, Width), horizon - c.Uniform(0, 60)}, 8, 8, 0)
	}
	deep := near(c.Stream, water, 0.35)
	c.all(func(x, y float64) rgb {
		depth := 1 + (y-horizon)/9
		wave := c.noise.rough(x/depth/5, 30/depth*3)
		return mix(deep.times(0.55+0.8*wave), white, limit(6*(wave-0.68), 0, 0.7))
	}, horizon)
	if c.chance(0.45) {
		c.headland(horizon)
	}
	for range c.IntN(3) {
		c.boat(horizon)
	}
	c.shore(horizon)
}

// headland is land on the horizon that ends in the sea.
func (c *canvas) headland(horizon float64) {
	top := c.ridge(horizon-c.Uniform(5, 25), 10, 0.55)
	end, right := c.Uniform(0.2, 0.7)*Width, c.chance(0.5)
	for i, p := range top {
		along := p.x
		if right {
			along = Width - p.x
		}
		top[i].y = min(horizon, between(p.y, horizon, ease(limit(along/end, 0, 1))))
	}
	c.fill(c.rough(near(c.Stream, mix(leaf, stone, c.Float64()), 0.3), 12, 0.4), append(top, point{Width, horizon}, point{0, horizon})...)
}

func (c *canvas) boat(horizon float64) {
	x, y, s := c.Uniform(10, Width-10), horizon+c.Uniform(1, 14), c.Uniform(3, 10)
	c.fill(plain(paint(c.Stream)), point{x - s, y - s/3}, point{x + s, y - s/3}, point{x + 0.7*s, y}, point{x - 0.7*s, y})
	c.fill(plain(near(c.Stream, white, 0.1)), point{x, y - 2.2*s}, point{x + 0.8*s, y - s/2}, point{x, y - s/2})
}

// shore is the land this side of the water, with surf along its edge.
func (c *canvas) shore(horizon float64) {
	left, right := between(horizon+8, Height+20, c.Float64()), between(horizon+8, Height+20, c.Float64())
	land := c.ridge(0, 6, 0.6)
	for i, p := range land {
		land[i].y = max(horizon+2, p.y+between(left, right, p.x/Width))
	}
	surf := make([]point, len(land))
	for i, p := range land {
		surf[i] = point{p.x, p.y - c.Uniform(2, 6)}
	}
	c.below(plain(near(c.Stream, white, 0.05)), surf)
	c.below(c.rough(near(c.Stream, mix(sand, stone, c.Float64()), 0.25), c.Uniform(4, 20), 0.35), land)
	for range c.IntN(7) {
		p := land[c.IntN(len(land))]
		c.blob(c.rough(near(c.Stream, stone, 0.4).times(0.7), 5, 0.5), point{p.x, p.y + c.Uniform(-4, 25)}, c.Uniform(3, 16), c.Uniform(2, 9), 0.3)
	}
}

// forest is trunks before trunks, under leaves.
func forest(c *canvas) {
	green := near(c.Stream, leaf, 0.4)
	if c.chance(0.25) {
		green = near(c.Stream, rgb{0.6, 0.4, 0.12}, 0.3) // autumn
	}
	horizon := Height * c.Uniform(0.45, 0.8)
	c.all(c.rough(mix(green, rgb{0.75, 0.8, 0.7}, c.Uniform(0, 0.6)), 18, 0.6), 0)
	c.ground(near(c.Stream, mix(soil, green, c.Float64()), 0.25), horizon)
	if c.chance(0.4) { // a path
		x := c.Uniform(0.2, 0.8) * Width
		c.fill(c.rough(near(c.Stream, sand, 0.3).times(0.8), 8, 0.3), point{x - 3, horizon}, point{x + 3, horizon},
			point{x + c.Uniform(10, 90), Height}, point{x - c.Uniform(10, 90), Height})
	}
	bark := near(c.Stream, mix(soil, concrete, c.Float64()), 0.3)
	trunks := c.between(9, 26)
	for i := range trunks {
		nearer := float64(i+1) / float64(trunks)
		c.trunk(nearer, horizon, bark)
		if c.chance(0.5) {
			crown := c.rough(green.times(c.Uniform(0.5, 1.3)), 5, 0.7)
			c.blob(crown, point{c.Uniform(0, Width), c.Uniform(-10, 0.4*Height)}, c.Uniform(15, 40), c.Uniform(8, 22), 0.35)
		}
	}
	for range c.IntN(12) {
		y := c.Uniform(horizon, Height)
		c.blob(c.rough(green.times(c.Uniform(0.5, 1.1)), 4, 0.7), point{c.Uniform(0, Width), y}, c.Uniform(5, 30), c.Uniform(3, 14), 0.4)
	}
}

// trunk stands the nearer the larger; one in the haze is pale.
func (c *canvas) trunk(nearer, horizon float64, bark rgb) {
	width := 2 + 18*nearer*nearer*c.Uniform(0.5, 1.3)
	foot := point{c.Uniform(-10, Width+10), horizon + (Height-horizon)*nearer*c.Uniform(0.5, 1)}
	top := point{foot.x + c.Uniform(-14, 14), -10}
	colour := mix(rgb{0.6, 0.64, 0.58}, bark.times(c.Uniform(0.6, 1.1)), 0.3+0.7*nearer)
	dx, dy := c.Uniform(0, 99), c.Uniform(0, 99)
	c.line(func(x, y float64) rgb {
		round := 1 - 0.5*math.Abs(x-foot.x)/width
		return colour.times(round * (0.6 + 0.7*c.noise.rough((x+dx)/2.5, (y+dy)/14)))
	}, foot, top, width, width*0.6)
	for range c.IntN(4) {
		at := point{between(foot.x, top.x, 0.6), foot.y * c.Uniform(0.05, 0.6)}
		reach := c.Uniform(-60, 60)
		c.line(plain(colour.times(0.8)), at, point{at.x + reach, at.y - math.Abs(reach)*c.Uniform(0.1, 0.8)}, width/4, 1)
	}
}

// mountain is ridge before ridge, with snow or rock, and a foreground.
func mountain(c *canvas) {
	c.sky(Height * 0.7)
	rock := near(c.Stream, mix(stone, leaf, c.Uniform(0, 0.5)), 0.3)
	haze := near(c.Stream, rgb{0.7, 0.76, 0.84}, 0.12)
	snow, ridges := c.Uniform(-0.3, 1), c.between(2, 4)
	peak := Height * c.Uniform(0.12, 0.35)
	for i := range ridges {
		nearer := float64(i+1) / float64(ridges)
		top := peak + (Height*0.85-peak)*float64(i)/float64(ridges)
		line := c.ridge(top+20, c.Uniform(20, 42)*(1.2-nearer/2), c.Uniform(0.5, 0.62))
		c.below(c.slope(line, mix(haze, rock.times(1.1-0.4*nearer), 0.35+0.65*nearer), snow*(1-nearer)), line)
	}
	front := Height * c.Uniform(0.75, 1)
	switch c.IntN(3) {
	case 0: // a lake
		deep := near(c.Stream, water, 0.3)
		c.all(func(x, y float64) rgb { return deep.times(0.7 + 0.6*c.noise.rough(x/30, y/2)) }, front)
	default:
		c.ground(near(c.Stream, mix(leaf, soil, c.Float64()), 0.3), front)
	}
	for range c.IntN(14) {
		c.tree(point{c.Uniform(0, Width), front + c.Uniform(-4, 20)}, c.Uniform(8, 45), near(c.Stream, leaf.times(0.7), 0.3))
	}
}

// slope is a mountainside: gullies that run down from the ridge, snow as far down as given.
func (c *canvas) slope(line []point, rock rgb, snow float64) texture {
	dx, lean, size := c.Uniform(0, 500), c.Uniform(-1, 1), c.Uniform(7, 16)
	return func(x, y float64) rgb {
		i := min(int(x/Width*float64(len(line))), len(line)-1)
		down := y - line[i].y
		gully := c.noise.rough((x+dx+lean*down)/size, down/45)
		if down/Height+0.6*(gully-0.5) < 0.45*snow {
			return white.times(0.65 + 0.5*gully)
		}
		return rock.times(0.35 + 1.3*gully)
	}
}
