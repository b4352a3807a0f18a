package photo

import "math"

// The resizer repeats Pillow's Image.resize(..., BILINEAR) bit for bit: a
// triangle filter that widens when shrinking, two passes with 22-bit
// fixed-point weights, rounded to 8 bits after each
// (Pillow 13, src/libImaging/Resample.c). torchvision's Resize on PIL images is
// the same code, so these are the pixels that pretrained weights expect.

const (
	weightBits = 22
	half       = 1 << (weightBits - 1)
)

// Resize returns the photo at w x h pixels, equal to Pillow's bilinear resize.
func Resize(m *Image, w, h int) *Image {
	return m.whole().resize(w, h, 0, 0, w, h)
}

// resize scales the region to w x h pixels and returns the part of the result
// that starts at (x0, y0) and measures cw x ch; only that part is computed.
func (r region) resize(w, h, x0, y0, cw, ch int) *Image {
	columns := newTaps(r.w, w, x0, cw)
	rows := newTaps(r.h, h, y0, ch)
	out := NewImage(cw, ch)
	if verticalFirst(r.w, r.h, w, h) {
		r.verticalFirst(out, columns, rows)
	} else {
		r.horizontalFirst(out, columns, rows)
	}
	return out
}

// verticalFirst is Pillow 13's rule for the order of the two passes. Each pass
// rounds to 8 bits, so the order shows in the result.
func verticalFirst(w0, h0, w, h int) bool {
	return h0 > h && h0-h > 2*(w0-w)
}

// taps holds the filter of every output position along one axis: position i
// is the sum of source[first[i]+k] * weights[i*width+k] over k < count[i].
type taps struct {
	first, count []int
	weights      []uint32
	width        int
}

// newTaps computes the triangle filter that scales in samples to out samples,
// for the output positions from..from+n-1.
func newTaps(in, out, from, n int) taps {
	scale := float64(in) / float64(out)
	support := max(scale, 1)
	width := int(math.Ceil(support))*2 + 1
	t := taps{make([]int, n), make([]int, n), make([]uint32, n*width), width}
	exact := make([]float64, width)
	for i := range n {
		centre := float64((float64(from+i) + 0.5) * scale)
		lo := max(int(centre-support+0.5), 0)
		hi := min(int(centre+support+0.5), in)
		sum := 0.0
		for k := range hi - lo {
			d := math.Abs(float64((float64(k+lo) - centre + 0.5) * (1 / support)))
			exact[k] = max(1-d, 0)
			sum += exact[k]
		}
		for k := range hi - lo {
			w := exact[k]
			if sum != 0 {
				w /= sum
			}
			t.weights[i*width+k] = uint32(0.5 + float64(w*(1<<weightBits)))
		}
		t.first[i], t.count[i] = lo, hi-lo
	}
	return t
}

// span returns the first source position used and one past the last.
func (t taps) span() (lo, hi int) {
	last := len(t.first) - 1
	return t.first[0], t.first[last] + t.count[last]
}

// of returns the weights of output position i.
func (t taps) of(i int) []uint32 {
	return t.weights[i*t.width : i*t.width+t.count[i]]
}

// horizontalFirst narrows the source rows one by one, keeps those that the
// current output row needs, and blends them.
func (r region) horizontalFirst(out *Image, columns, rows taps) {
	ring := make([][]uint8, rows.width)
	for i := range ring {
		ring[i] = make([]uint8, 3*out.W)
	}
	sums := make([]uint32, 3*out.W)
	next, _ := rows.span()
	for y := range out.H {
		lo, weights := rows.first[y], rows.of(y)
		for ; next < lo+len(weights); next++ {
			columns.blendColumns(ring[next%len(ring)], r.row(next))
		}
		blendRows(out.row(y), sums, weights, func(k int) []uint8 { return ring[(lo+k)%len(ring)] })
	}
}

// verticalFirst blends the source rows of each output row, over the columns
// that are needed, and then narrows that one row.
func (r region) verticalFirst(out *Image, columns, rows taps) {
	lo, hi := columns.span()
	tall := make([]uint8, 3*r.w)
	sums := make([]uint32, 3*(hi-lo))
	for y := range out.H {
		first := rows.first[y]
		blendRows(tall[3*lo:3*hi], sums, rows.of(y), func(k int) []uint8 { return r.row(first + k)[3*lo : 3*hi] })
		columns.blendColumns(out.row(y), tall)
	}
}

// blendColumns writes the row src, resampled to the taps' positions, to dst.
func (t taps) blendColumns(dst, src []uint8) {
	for i := range t.first {
		var r, g, b uint32 = half, half, half
		weights := t.of(i)
		pixels := src[3*t.first[i]:]
		pixels = pixels[:3*len(weights)]
		for _, w := range weights {
			r += w * uint32(pixels[0])
			g += w * uint32(pixels[1])
			b += w * uint32(pixels[2])
			pixels = pixels[3:]
		}
		d := dst[3*i : 3*i+3]
		d[0], d[1], d[2] = clip(r), clip(g), clip(b)
	}
}

// blendRows writes the weighted sum of the rows to dst; sums is scratch of the
// same length.
func blendRows(dst []uint8, sums, weights []uint32, row func(k int) []uint8) {
	sums = sums[:len(dst)]
	for i := range sums {
		sums[i] = half
	}
	for k, w := range weights {
		for i, v := range row(k)[:len(sums)] {
			sums[i] += w * uint32(v)
		}
	}
	for i, s := range sums {
		dst[i] = clip(s)
	}
}

// clip drops the fraction. Weights of one position may sum to slightly more
// than one after rounding, so the result may pass 255.
func clip(sum uint32) uint8 {
	return uint8(min(sum>>weightBits, 255))
}
