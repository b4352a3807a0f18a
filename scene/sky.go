package scene

// sky paints the sky of some hour and weather down to the horizon and below it.
func (c *canvas) sky(horizon float64) {
	high := near(c.Stream, rgb{0.35, 0.55, 0.85}, 0.3)
	low := near(c.Stream, rgb{0.8, 0.85, 0.9}, 0.2)
	switch c.IntN(4) {
	case 0: // overcast
		high, low = near(c.Stream, rgb{0.65, 0.67, 0.7}, 0.2), near(c.Stream, rgb{0.8, 0.8, 0.8}, 0.15)
	case 1: // evening
		high, low = near(c.Stream, rgb{0.3, 0.3, 0.55}, 0.2), near(c.Stream, rgb{0.95, 0.6, 0.35}, 0.2)
	}
	cloud, cover := near(c.Stream, white, 0.1), c.Uniform(0.35, 0.9)
	size, flat := c.Uniform(30, 90), c.Uniform(1.5, 4)
	air := gradient(high, low, 0, max(horizon, 1))
	c.all(func(x, y float64) rgb {
		thick := limit(4*(c.noise.rough(x/size, y*flat/size)-cover), 0, 0.9)
		return mix(air(x, y), cloud, thick)
	}, 0)
}

// ground paints a plain from the horizon to the bottom, with more detail in front.
func (c *canvas) ground(colour rgb, horizon float64) {
	c.all(func(x, y float64) rgb {
		depth := 1 + (y-horizon)/6
		return colour.times(0.65 + 0.7*c.noise.rough((x-Width/2)/depth/2+40, 40/depth))
	}, horizon)
}

// tree paints one from the foot up, in the round or pointed.
func (c *canvas) tree(foot point, height float64, crown rgb) {
	stem := near(c.Stream, soil, 0.3)
	c.line(plain(stem), foot, point{foot.x + c.Uniform(-0.05, 0.05)*height, foot.y - height/2}, height/12, height/20)
	leaves := c.rough(crown, max(2, height/10), 0.5)
	if c.chance(0.4) {
		for i := range 4 {
			y := foot.y - height*(0.15+0.2*float64(i))
			half := height * (0.26 - 0.055*float64(i))
			c.fill(leaves, point{foot.x - half, y}, point{foot.x, y - 0.35*height}, point{foot.x + half, y})
		}
		return
	}
	for range 4 {
		at := point{foot.x + c.Uniform(-0.2, 0.2)*height, foot.y - height*c.Uniform(0.5, 0.85)}
		c.blob(leaves, at, 0.24*height, 0.2*height, 0.25)
	}
}
