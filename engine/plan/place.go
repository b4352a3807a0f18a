package plan

import "regraft/engine/kernel"

// place is how a value that steps of plain Go read or write row by row lies in memory.
type place struct {
	Type
	layout kernel.Layout // of values in blocks of channels
	packed bool
	length int // of the memory that holds it
	images int
	param  []float32 // constant operands come from here
}

func placeOf(v *value) place {
	root, _ := v.base()
	p := place{Type: v.Type, images: 1, length: root.length}
	if v.param == nil && (root.form == blocked || root.form == matrix) {
		p.packed, p.layout, p.images = true, v.images(), v.shape[0]
	}
	return p
}

// read copies the value at address to row-major memory.
func (p *place) read(address uintptr) []float32 {
	data := make([]float32, max(p.Shape.TotalSize(), 1))
	if !p.packed {
		copy(data, kernel.Floats(address, len(data)))
		return data
	}
	p.walk(kernel.Floats(address, p.length), data, func(at, element *float32) { *element = *at })
	return data
}

// write copies row-major data to the value at address.
func (p *place) write(address uintptr, data []float32) {
	if !p.packed {
		copy(kernel.Floats(address, len(data)), data)
		return
	}
	memory := kernel.Floats(address, p.length)
	p.walk(memory, data, func(at, element *float32) { *at = *element })
	for image := range p.images {
		p.clearPadding(memory[image*p.layout.Image:])
	}
}

// walk visits the elements of all images in row-major order.
func (p *place) walk(memory, data []float32, visit func(at, element *float32)) {
	offsets := p.offsets()
	for k := range data {
		visit(&memory[k/len(offsets)*p.layout.Image+offsets[k%len(offsets)]], &data[k])
	}
}

// offsets is where the elements of one image lie, in row-major order of the type's shape, from the address of the image on.
func (p *place) offsets() []int {
	l, s := p.layout, p.Shape[1:]
	offsets := make([]int, l.C*l.H*l.W)
	after := 1
	for _, size := range s[p.Channel:] {
		after *= size
	}
	for k := range offsets {
		c, pixel := k/after%l.C, k/(after*l.C)*after+k%after
		offsets[k] = l.Base + c/kernel.Lanes*l.Plane + pixel/l.W*l.Row + pixel%l.W*l.Pixel + c%kernel.Lanes
	}
	return offsets
}

// image is the memory of one image of the value at address.
func (p *place) image(address uintptr, image int) []float32 {
	l := p.layout
	return kernel.Floats(address+uintptr(4*image*l.Image), l.Base+l.Blocks()*l.Plane)
}

// clearPadding zeroes the lanes past the last channel of an image.
func (p *place) clearPadding(image []float32) {
	l := p.layout
	used := l.C % kernel.Lanes
	if used == 0 || l.Pixel != kernel.Lanes {
		return
	}
	last := l.Base + (l.Blocks()-1)*l.Plane
	for row := range l.H {
		for column := range l.W {
			at := last + row*l.Row + column*l.Pixel
			clear(image[at+used : at+kernel.Lanes])
		}
	}
}
