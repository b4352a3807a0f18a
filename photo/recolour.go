package photo

// The operations on colours repeat Pillow's on 8 bits, bit for bit (Pillow 13: ImageEnhance, ImageOps, libImaging/Blend.c and
// Filter.c). Each changes the pixels of m in place and returns it.

// lookup says what becomes of every value of R, G and B.
type lookup [3][256]uint8

// lookUp replaces every value.
func (m *Image) lookUp(t *lookup) *Image {
	for i := 0; i+2 < len(m.Pix); i += 3 {
		p := m.Pix[i : i+3 : i+3]
		p[0], p[1], p[2] = t[0][p[0]], t[1][p[1]], t[2][p[2]]
	}
	return m
}

// lookUpAll replaces every value by what f makes of it.
func (m *Image) lookUpAll(f func(v int) uint8) *Image {
	var t lookup
	for v := range 256 {
		n := f(v)
		t[0][v], t[1][v], t[2][v] = n, n, n
	}
	return m.lookUp(&t)
}

// blender goes from plain values towards others by a factor, beyond them where that is above 1, as Pillow's Image.blend does. It holds what
// every difference adds.
type blender [511]float32

func newBlender(factor float64) *blender {
	var b blender
	for i := range b {
		b[i] = float32(factor) * float32(i-255)
	}
	return &b
}

func (b *blender) blend(plain, value uint8) uint8 {
	v := float32(plain) + b[int(value)-int(plain)+255]
	if v <= 0 {
		return 0
	}
	if v >= 255 {
		return 255
	}
	return uint8(int32(v))
}

// brighten is ImageEnhance.Brightness: 0 is black, 1 the photo.
func brighten(m *Image, factor float64) *Image {
	b := newBlender(factor)
	return m.lookUpAll(func(v int) uint8 { return b.blend(0, uint8(v)) })
}

// contrast is ImageEnhance.Contrast: 0 is the mean grey everywhere, 1 the photo.
func contrast(m *Image, factor float64) *Image {
	sum := 0
	for i := 0; i < len(m.Pix); i += 3 {
		sum += int(luma(m.Pix[i:]))
	}
	pixels := m.W * m.H
	mean := uint8((2*sum + pixels) / (2 * pixels))
	b := newBlender(factor)
	return m.lookUpAll(func(v int) uint8 { return b.blend(mean, uint8(v)) })
}

// saturate is ImageEnhance.Color: 0 is grey, 1 the photo.
func saturate(m *Image, factor float64) *Image {
	b := newBlender(factor)
	for i := 0; i+2 < len(m.Pix); i += 3 {
		p := m.Pix[i : i+3 : i+3]
		grey := luma(p)
		p[0], p[1], p[2] = b.blend(grey, p[0]), b.blend(grey, p[1]), b.blend(grey, p[2])
	}
	return m
}

// sharpen is ImageEnhance.Sharpness: 0 is smoothed, 1 the photo. Pillow's ImageFilter.SMOOTH weighs a pixel 5 and its neighbours 1 of 13,
// rounds, and leaves the pixels at the edges alone.
func sharpen(m *Image, factor float64) *Image {
	b, above, here := newBlender(factor), make([]uint8, 3*m.W), make([]uint8, 3*m.W) // as they were
	for y := 1; y+1 < m.H; y++ {
		if y == 1 {
			copy(above, m.row(0))
		}
		row, below := m.row(y), m.row(y+1)
		copy(here, row)
		for i := 3; i+3 < len(row); i++ {
			sum := int(above[i-3]) + int(above[i]) + int(above[i+3]) + int(here[i-3]) + 5*int(here[i]) + int(here[i+3]) +
				int(below[i-3]) + int(below[i]) + int(below[i+3])
			row[i] = b.blend(uint8((2*sum+13)/26), here[i])
		}
		above, here = here, above
	}
	return m
}

// posterize keeps so many high bits of every value: ImageOps.posterize.
func posterize(m *Image, bits float64) *Image {
	mask := uint8(0xff) << (8 - int(bits))
	return m.lookUpAll(func(v int) uint8 { return uint8(v) & mask })
}

// solarize inverts the values from a threshold on: ImageOps.solarize.
func solarize(m *Image, threshold float64) *Image {
	return m.lookUpAll(func(v int) uint8 {
		if float64(v) < threshold {
			return uint8(v)
		}
		return uint8(255 - v)
	})
}

// histograms count the values of R, G and B.
func (m *Image) histograms() (h [3][256]int) {
	for i := 0; i+2 < len(m.Pix); i += 3 {
		h[0][m.Pix[i]]++
		h[1][m.Pix[i+1]]++
		h[2][m.Pix[i+2]]++
	}
	return h
}

// autocontrast stretches every channel from 0 to 255: ImageOps.autocontrast.
func autocontrast(m *Image, _ float64) *Image {
	var t lookup
	for c, h := range m.histograms() {
		low, high := 0, 255
		for low < 255 && h[low] == 0 {
			low++
		}
		for high > 0 && h[high] == 0 {
			high--
		}
		scale, offset := 1.0, 0.0
		if high > low {
			scale = 255 / float64(high-low)
			offset = float64(float64(-low) * scale)
		}
		for v := range t[c] {
			t[c][v] = uint8(min(max(float64(float64(v)*scale)+offset, 0), 255))
		}
	}
	return m.lookUp(&t)
}

// equalize makes all values of a channel about equally frequent: ImageOps.equalize.
func equalize(m *Image, _ float64) *Image {
	var t lookup
	for c, h := range m.histograms() {
		last, values := 0, 0
		for v, n := range h {
			if n > 0 {
				last, values = v, values+1
			}
		}
		step := (m.W*m.H - h[last]) / 255
		n := step / 2
		for v := range t[c] {
			if values <= 1 || step == 0 {
				t[c][v] = uint8(v)
				continue
			}
			t[c][v] = uint8(min(n/step, 255))
			n += h[v]
		}
	}
	return m.lookUp(&t)
}
