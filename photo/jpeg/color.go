package jpeg

import "regraft/photo/pixel"

// conversion chooses the colour space as libjpeg does: by the Adobe
// transform, the JFIF segment, then the components' names.
func (d *decoder) conversion() func(rgb []uint8, lines [][]uint8) {
	switch len(d.components) {
	case 1:
		return fromGray
	case 4:
		if d.adobe == 0 || d.adobe == noAdobe {
			return fromCMYK
		}
		return fromYCCK
	}
	c := d.components
	named := c[0].id == 'R' && c[1].id == 'G' && c[2].id == 'B'
	if !d.jfif && (d.adobe == 0 || d.adobe == noAdobe && named) {
		return fromRGB
	}
	return fromYCbCr
}

func fromGray(rgb []uint8, lines [][]uint8) {
	for x, v := range lines[0] {
		p := rgb[3*x : 3*x+3 : 3*x+3]
		p[0], p[1], p[2] = v, v, v
	}
}

func fromRGB(rgb []uint8, lines [][]uint8) {
	for x := range lines[0] {
		p := rgb[3*x : 3*x+3 : 3*x+3]
		p[0], p[1], p[2] = lines[0][x], lines[1][x], lines[2][x]
	}
}

func fromYCbCr(rgb []uint8, lines [][]uint8) { pixel.FromYCbCr(rgb, lines[0], lines[1], lines[2]) }

// fromCMYK converts inks stored inverted, 255 for none, as Adobe's programs
// store them; Pillow takes all four-component files so.
func fromCMYK(rgb []uint8, lines [][]uint8) {
	for x, k := range lines[3] {
		for c := range 3 {
			rgb[3*x+c] = ink(lines[c][x], k)
		}
	}
}

// ink is k * v / 255 in Pillow's rounding (Convert.c, cmyk2rgb).
func ink(v, k uint8) uint8 {
	t := int32(255-v)*int32(k) + 128
	return uint8(max(int32(k)-(t>>8+t)>>8, 0))
}

// fromYCCK converts CMY stored as YCbCr of their complement.
func fromYCCK(rgb []uint8, lines [][]uint8) {
	fromYCbCr(rgb, lines)
	for x, k := range lines[3] {
		for c := range 3 {
			rgb[3*x+c] = ink(255-rgb[3*x+c], k)
		}
	}
}
