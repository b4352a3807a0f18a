package photo

// Image is an upright RGB photo, 8 bits per channel: Pix holds H rows of W
// pixels of three bytes (R, G, B), without padding.
type Image struct {
	W, H int
	Pix  []uint8
}

// NewImage returns a black image of w x h pixels.
func NewImage(w, h int) *Image {
	return &Image{W: w, H: h, Pix: make([]uint8, 3*w*h)}
}

// row returns the pixels of row y.
func (m *Image) row(y int) []uint8 { return m.Pix[3*m.W*y : 3*m.W*(y+1)] }

// region is a rectangle of an image that is read in place, without copying.
type region struct {
	w, h   int
	stride int // bytes from one row to the next
	pix    []uint8
}

// whole returns all of the image as a region.
func (m *Image) whole() region {
	return region{w: m.W, h: m.H, stride: 3 * m.W, pix: m.Pix}
}

// crop returns the w x h pixels whose upper left corner is (x, y).
func (m *Image) crop(x, y, w, h int) region {
	return region{w: w, h: h, stride: 3 * m.W, pix: m.Pix[3*(y*m.W+x):]}
}

// row returns the pixels of row y of the region.
func (r region) row(y int) []uint8 { return r.pix[y*r.stride : y*r.stride+3*r.w] }
