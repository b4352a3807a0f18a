package jpeg

// pixels upsamples the planes and converts them to RGB.
func (d *decoder) pixels() []uint8 {
	pix := make([]uint8, 3*d.width*d.height)
	rows := make([]upsampler, len(d.components))
	for i := range d.components {
		rows[i] = d.upsampler(&d.components[i])
	}
	convert := d.conversion()
	lines := make([][]uint8, len(rows))
	for y := range d.height {
		for i, row := range rows {
			lines[i] = row(y)
		}
		convert(pix[3*d.width*y:3*d.width*(y+1)], lines)
	}
	return pix
}

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

// The conversion of YCbCr to RGB in 16-bit fixed point, as in libjpeg's
// jdcolor.c. All three colours are summed at once, as lanes of one word, each
// raised by 256 to stay positive: green with its fraction from bit 0, blue from
// bit 26, red from bit 36.
const (
	greenLane = 16 // above the fraction
	blueLane  = 26
	redLane   = 36
	lumaLanes = 1<<greenLane | 1<<blueLane | 1<<redLane
	laneMask  = 1<<10 - 1
)

var lanesOfCb, lanesOfCr = func() (cb, cr [256]uint64) {
	const half, raised = 1 << 15, 256 * lumaLanes
	for i := range cb {
		x := int64(i) - 128
		cb[i] = uint64((116130*x+half)>>16<<blueLane - 22554*x + half + raised)
		cr[i] = uint64((91881*x+half)>>16<<redLane - 46802*x)
	}
	return
}()

// lowered takes the 256 off again and clamps to 0 to 255.
var lowered = func() (t [laneMask + 1]uint8) {
	for i := range t {
		t[i] = uint8(min(max(i-256, 0), 255))
	}
	return
}()

func fromYCbCr(rgb []uint8, lines [][]uint8) {
	luma := lines[0]
	blue, red := lines[1][:len(luma)], lines[2][:len(luma)]
	for x, l := range luma {
		v := uint64(l)*lumaLanes + lanesOfCb[blue[x]] + lanesOfCr[red[x]]
		p := rgb[3*x : 3*x+3 : 3*x+3]
		p[0] = lowered[v>>redLane&laneMask]
		p[1] = lowered[v>>greenLane&laneMask]
		p[2] = lowered[v>>blueLane&laneMask]
	}
}

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
	return clamp(int32(k) - (t>>8+t)>>8)
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
