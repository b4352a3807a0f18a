package photo

import "math"

// turnHue goes round the circle of hues by a share of it from -0.5 to 0.5: torchvision's adjust_hue, on the hue of 8 bits that Pillow's
// convert("HSV") makes, and back (Pillow 13, libImaging/Convert.c), bit for bit.
func turnHue(m *Image, share float64) *Image {
	shift := uint8(int(share * 255))
	for i := 0; i+2 < len(m.Pix); i += 3 {
		p := m.Pix[i : i+3 : i+3]
		h, s, v := hsv(p[0], p[1], p[2])
		p[0], p[1], p[2] = rgb(h+shift, s, v)
	}
	return m
}

// hsv is hue, saturation and value of a colour, of 8 bits each.
func hsv(r, g, b uint8) (h, s, v uint8) {
	most, least := max(r, g, b), min(r, g, b)
	if most == least {
		return 0, 0, most
	}
	span := float32(most - least)
	from := func(c uint8) float32 { return float32(most-c) / span }
	rc, gc, bc := from(r), from(g), from(b)
	var hue float32
	switch most {
	case r:
		hue = bc - gc
	case g:
		hue = float32(2 + float64(rc) - float64(bc))
	default:
		hue = float32(4 + float64(gc) - float64(rc))
	}
	turns := float64(hue)/6 + 1
	hue = float32(turns - math.Floor(turns))
	return uint8(float64(hue) * 255), uint8(float64(span/float32(most)) * 255), most
}

// rgb is the colour of hue, saturation and value.
func rgb(h, s, v uint8) (r, g, b uint8) {
	if s == 0 {
		return v, v, v
	}
	sixths := float64(h) * 6 / 255
	sector := math.Floor(sixths)
	part := float32(sixths - sector)
	saturation := float32(float64(s) / 255)
	dimmed := func(by float64) uint8 { return uint8(math.Round(float64(v) * (1 - by))) }
	p, q := dimmed(float64(saturation)), dimmed(float64(saturation*part))
	t := dimmed(float64(float64(saturation) * (1 - float64(part))))
	switch int(sector) % 6 {
	case 0:
		return v, t, p
	case 1:
		return q, v, p
	case 2:
		return p, v, t
	case 3:
		return p, q, v
	case 4:
		return t, p, v
	}
	return v, p, q
}
