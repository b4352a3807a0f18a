package photo

import (
	"image"

	"regraft/photo/jpeg"
)

// source is a photo whose pixels are still to be decoded.
type source struct {
	w, h        int // as it is stored
	orientation int
	// rows decodes the picture, as it is stored, and hands the rows within the area to sink, from the top. They are valid until
	// sink returns. Where reducible, it decodes at 1/reduce of the size; else reduce is 1.
	rows      func(reduce int, area image.Rectangle, sink func(y int, rgb []uint8)) error
	reducible bool
	memory    int64 // that rows needs, in bytes
}

// source is the image as a source.
func (m *Image) source() *source {
	return &source{w: m.W, h: m.H, orientation: 1, rows: func(_ int, area image.Rectangle, sink func(y int, rgb []uint8)) error {
		m.rows(area, sink)
		return nil
	}}
}

// open reads the header of a photo and judges its size.
func open(data []byte, o DecodeOptions) (*source, error) {
	f, err := formatOf(data, o)
	if err != nil {
		return nil, err
	}
	w, h, err := f.size(data)
	if err != nil {
		return nil, damaged(f, err)
	}
	if err := checkSize(f, w, h, len(data), o); err != nil {
		return nil, err
	}
	s := &source{w: w, h: h, orientation: 1, reducible: f.rows != nil}
	if f.metadata != nil {
		s.orientation = f.metadata(data).orientation()
	}
	if f.rows != nil {
		s.memory = int64(len(data)) + jpeg.Memory(data)
		s.rows = func(reduce int, area image.Rectangle, sink func(y int, rgb []uint8)) error {
			if err := f.rows(data, reduce, area, sink); err != nil {
				return damaged(f, err)
			}
			return nil
		}
		return s, nil
	}
	s.memory = int64(len(data)) + perPixel*int64(w)*int64(h)
	s.rows = func(_ int, area image.Rectangle, sink func(y int, rgb []uint8)) error {
		m, err := f.decode(data)
		if err != nil {
			return damaged(f, err)
		}
		m.rows(area, sink)
		return nil
	}
	return s, nil
}

// perPixel is about what the decoders of whole images need: their own form of it, and ours.
const perPixel = 8

// upright is the size of the photo as people see it, at 1/reduce.
func (s *source) upright(reduce int) (w, h int) {
	w, h = jpeg.Reduced(s.w, reduce), jpeg.Reduced(s.h, reduce)
	if swap, _, _ := asStored(s.orientation); swap {
		w, h = h, w
	}
	return w, h
}

// decode is the whole photo, upright, at 1/reduce of its size.
func (s *source) decode(reduce int) (*Image, error) {
	m := &Image{W: jpeg.Reduced(s.w, reduce), H: jpeg.Reduced(s.h, reduce)}
	defer decodeMemory.take(s.memory + 3*int64(m.W)*int64(m.H))()
	err := s.rows(reduce, image.Rect(0, 0, m.W, m.H), func(_ int, rgb []uint8) {
		if m.Pix == nil {
			m.Pix = make([]uint8, 0, 3*m.W*m.H)
		}
		m.Pix = append(m.Pix, rgb...)
	})
	if err != nil {
		return nil, err
	}
	return upright(m, s.orientation), nil
}

// resize scales the upright photo, decoded at 1/reduce of its size, as c says; each row of it passes through change first.
func (s *source) resize(f filter, reduce int, c scaling, change func(row []uint8) []uint8) (*Image, error) {
	defer decodeMemory.take(s.memory)()
	r := newResizing(f, c, jpeg.Reduced(s.w, reduce), jpeg.Reduced(s.h, reduce), s.orientation)
	if err := s.rows(reduce, r.area, func(y int, row []uint8) { r.add(y, change(row)) }); err != nil {
		return nil, err
	}
	return upright(r.out, s.orientation), nil
}
