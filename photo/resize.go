package photo

import (
	"image"
	"math"
	"slices"

	"regraft/photo/pixel"
)

// The resizer repeats Pillow's Image.resize bit for bit: a filter that widens
// when shrinking, two passes with 22-bit fixed-point weights, rounded to 8 bits
// after each (Pillow 13, src/libImaging/Resample.c). torchvision's Resize on PIL
// images is the same code, so these are the pixels that pretrained weights expect.

// scaling says which part of an upright picture becomes which pixels: what lies in from is scaled to w x h, and of that the
// part is kept.
type scaling struct {
	from image.Rectangle
	w, h int
	part image.Rectangle
}

// toSize is the scaling of a whole picture of size w0 x h0.
func toSize(w0, h0, w, h int) scaling {
	return scaling{image.Rect(0, 0, w0, h0), w, h, image.Rect(0, 0, w, h)}
}

// reducible is by how much the picture may be reduced before, so that both its sides stay at least twice what they are scaled
// to: the rule of Pillow's Image.draft.
func (s scaling) reducible() int {
	ratio := min(s.from.Dx()/(2*s.w), s.from.Dy()/(2*s.h))
	for _, reduce := range []int{8, 4, 2} {
		if ratio >= reduce {
			return reduce
		}
	}
	return 1
}

// Resize returns the photo at w x h pixels, equal to Pillow's bilinear resize.
func Resize(m *Image, w, h int) *Image {
	return m.resize(pillowFilters[Bilinear], toSize(m.W, m.H, w, h))
}

// resize scales as s says; only the part is computed.
func (m *Image) resize(f filter, s scaling) *Image {
	r := newResizing(f, s, m.W, m.H, 1)
	m.rows(r.area, r.add)
	return r.out
}

// resizing is a resize at work. The rows of the source come in one after the other, from the top, and those that will be needed
// again are kept; so memory does not grow with the height. The source may lie on its side or be mirrored: the result does as
// well.
type resizing struct {
	area          image.Rectangle // of the source that is needed
	columns, rows pixel.Taps      // of its pixels
	rowsFirst     bool
	out           *Image
	next          int       // row of out
	kept          [][]uint8 // row y at y modulo their number
	window        [][]uint8 // those of the next row of out
	blended       []uint8
}

// newResizing prepares the scaling of a picture that is stored as w x h pixels in the orientation o.
func newResizing(f filter, s scaling, w, h, o int) *resizing {
	r := &resizing{
		columns:   newTaps(f, s.from.Dx(), s.w, s.part.Min.X, s.part.Dx()),
		rows:      newTaps(f, s.from.Dy(), s.h, s.part.Min.Y, s.part.Dy()),
		rowsFirst: verticalFirst(s.from.Dx(), s.from.Dy(), s.w, s.h),
	}
	r.area = s.from
	swap, mirrorX, mirrorY := asStored(o)
	if swap {
		r.columns, r.rows, r.rowsFirst = r.rows, r.columns, !r.rowsFirst
		r.area = image.Rect(r.area.Min.Y, r.area.Min.X, r.area.Max.Y, r.area.Max.X)
	}
	if mirrorX {
		mirror(&r.columns, r.area.Dx())
		r.area.Min.X, r.area.Max.X = w-r.area.Max.X, w-r.area.Min.X
	}
	if mirrorY {
		mirror(&r.rows, r.area.Dy())
		r.area.Min.Y, r.area.Max.Y = h-r.area.Max.Y, h-r.area.Min.Y
	}
	left, right := cutToSpan(&r.columns)
	top, bottom := cutToSpan(&r.rows)
	r.area = image.Rect(left, top, right, bottom).Add(r.area.Min)
	r.columns.Prepare()
	r.out = NewImage(len(r.columns.First), len(r.rows.First))
	width := 3 * r.out.W
	if r.rowsFirst {
		width = 3 * r.area.Dx()
		r.blended = make([]uint8, width)
	}
	r.kept, r.window = make([][]uint8, r.rows.Width), make([][]uint8, r.rows.Width)
	for i := range r.kept {
		r.kept[i] = make([]uint8, width)
	}
	return r
}

// add takes row y of the source, the pixels within the area.
func (r *resizing) add(y int, row []uint8) {
	y -= r.area.Min.Y
	kept := r.kept[y%len(r.kept)]
	if r.rowsFirst {
		copy(kept, row)
	} else {
		r.columns.Columns(kept, row)
	}
	for ; r.next < r.out.H && r.rows.First[r.next]+r.rows.Width == y+1; r.next++ {
		for k := range r.window {
			r.window[k] = r.kept[(y+1+k)%len(r.kept)]
		}
		if r.rowsFirst {
			r.rows.Rows(r.blended, r.window, r.next)
			r.columns.Columns(r.out.row(r.next), r.blended)
		} else {
			r.rows.Rows(r.out.row(r.next), r.window, r.next)
		}
	}
}

// verticalFirst is Pillow 13's rule for the order of the two passes. Each pass
// rounds to 8 bits, so the order shows in the result.
func verticalFirst(w0, h0, w, h int) bool {
	return h0 > h && h0-h > 2*(w0-w)
}

// newTaps computes the filter that scales in samples to out samples, for the
// output positions from..from+n-1. Windows are padded with zero weights to one width.
func newTaps(f filter, in, out, from, n int) pixel.Taps {
	scale := float64(in) / float64(out)
	stretch := max(scale, 1)
	support := float64(f.support * stretch)
	centre := func(i int) float64 { return float64((float64(from+i) + 0.5) * scale) }
	window := func(i int) (lo, hi int) {
		return max(int(centre(i)-support+0.5), 0), min(int(centre(i)+support+0.5), in)
	}
	t := pixel.Taps{First: make([]int, n), Overshoots: f.overshoots}
	for i := range n {
		lo, hi := window(i)
		t.Width = max(t.Width, hi-lo)
	}
	t.Weights = make([]uint32, n*t.Width)
	exact := make([]float64, t.Width)
	for i := range n {
		lo, hi := window(i)
		sum := 0.0
		for k := range hi - lo {
			exact[k] = f.weight(math.Abs(float64((float64(k+lo) - centre(i) + 0.5) * (1 / stretch))))
			sum += exact[k]
		}
		t.First[i] = min(lo, in-t.Width)
		weights := t.Of(i)[lo-t.First[i]:]
		for k := range hi - lo {
			w := float64(exact[k] / sum * (1 << pixel.WeightBits))
			weights[k] = uint32(int32(w + math.Copysign(0.5, w)))
		}
	}
	return t
}

// mirror turns the taps of in samples round.
func mirror(t *pixel.Taps, in int) {
	slices.Reverse(t.First)
	slices.Reverse(t.Weights)
	for i := range t.First {
		t.First[i] = in - t.Width - t.First[i]
	}
}

// cutToSpan makes the taps those of the samples that they need, lo to hi-1.
func cutToSpan(t *pixel.Taps) (lo, hi int) {
	lo, hi = t.First[0], t.First[len(t.First)-1]+t.Width
	for i := range t.First {
		t.First[i] -= lo
	}
	return lo, hi
}
