package photo

import (
	"encoding/binary"
	"math"
)

// The resizer repeats Pillow's Image.resize bit for bit: a filter that widens
// when shrinking, two passes with 22-bit fixed-point weights, rounded to 8 bits
// after each (Pillow 13, src/libImaging/Resample.c). torchvision's Resize on PIL
// images is the same code, so these are the pixels that pretrained weights expect.

const (
	weightBits = 22
	half       = 1 << (weightBits - 1)
)

// Resize returns the photo at w x h pixels, equal to Pillow's bilinear resize.
func Resize(m *Image, w, h int) *Image {
	return m.whole().resize(pillowFilters[Bilinear], w, h, 0, 0, w, h)
}

// resize scales the region to w x h pixels and returns the part of the result
// that starts at (x0, y0) and measures cw x ch; only that part is computed.
func (r region) resize(f filter, w, h, x0, y0, cw, ch int) *Image {
	columns := newTaps(f, r.w, w, x0, cw)
	rows := newTaps(f, r.h, h, y0, ch)
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
// is the sum of source[first[i]+k] * weights[i*width+k] over k < width. All
// windows have the same width, padded with zero weights, and lie in the source.
// Negative weights are stored as two's complement.
type taps struct {
	first      []int
	weights    []uint32
	width      int
	overshoots bool
}

// newTaps computes the filter that scales in samples to out samples, for the
// output positions from..from+n-1.
func newTaps(f filter, in, out, from, n int) taps {
	scale := float64(in) / float64(out)
	stretch := max(scale, 1)
	support := float64(f.support * stretch)
	centre := func(i int) float64 { return float64((float64(from+i) + 0.5) * scale) }
	window := func(i int) (lo, hi int) {
		return max(int(centre(i)-support+0.5), 0), min(int(centre(i)+support+0.5), in)
	}
	t := taps{first: make([]int, n), overshoots: f.overshoots}
	for i := range n {
		lo, hi := window(i)
		t.width = max(t.width, hi-lo)
	}
	t.weights = make([]uint32, n*t.width)
	exact := make([]float64, t.width)
	for i := range n {
		lo, hi := window(i)
		sum := 0.0
		for k := range hi - lo {
			exact[k] = f.weight(math.Abs(float64((float64(k+lo) - centre(i) + 0.5) * (1 / stretch))))
			sum += exact[k]
		}
		t.first[i] = min(lo, in-t.width)
		weights := t.of(i)[lo-t.first[i]:]
		for k := range hi - lo {
			w := float64(exact[k] / sum * (1 << weightBits))
			weights[k] = uint32(int32(w + math.Copysign(0.5, w)))
		}
	}
	return t
}

// span returns the first source position used and one past the last.
func (t taps) span() (lo, hi int) {
	return t.first[0], t.first[len(t.first)-1] + t.width
}

// of returns the weights of output position i.
func (t taps) of(i int) []uint32 { return t.weights[i*t.width : (i+1)*t.width] }

// horizontalFirst narrows the source rows one by one, keeps those that the
// current output row needs, and blends them.
func (r region) horizontalFirst(out *Image, columns, rows taps) {
	kept := make([][]uint8, rows.width) // row y at y modulo width
	for i := range kept {
		kept[i] = make([]uint8, 3*out.W)
	}
	window := make([][]uint8, rows.width)
	next, _ := rows.span()
	for y := range out.H {
		first := rows.first[y]
		for ; next < first+rows.width; next++ {
			columns.blendColumns(kept[next%rows.width], r.row(next))
		}
		for k := range window {
			window[k] = kept[(first+k)%rows.width]
		}
		rows.blendRows(out.row(y), window, y)
	}
}

// verticalFirst blends the source rows of each output row, over the columns
// that are needed, and then narrows that one row.
func (r region) verticalFirst(out *Image, columns, rows taps) {
	lo, hi := columns.span()
	blended := make([]uint8, 3*r.w)
	window := make([][]uint8, rows.width)
	for y := range out.H {
		for k := range window {
			window[k] = r.row(rows.first[y] + k)[3*lo : 3*hi]
		}
		rows.blendRows(blended[3*lo:3*hi], window, y)
		columns.blendColumns(out.row(y), blended)
	}
}

// blendColumns writes the row src, resampled to the taps' positions, to dst.
func (t taps) blendColumns(dst, src []uint8) {
	weights := t.weights
	for i, first := range t.first {
		r, g, b := dot(src[3*first:], weights[:t.width])
		weights = weights[t.width:]
		d := dst[3*i : 3*i+3]
		if t.overshoots {
			d[0], d[1], d[2] = clamped(r), clamped(g), clamped(b)
			continue
		}
		d[0], d[1], d[2] = uint8(r>>weightBits), uint8(g>>weightBits), uint8(b>>weightBits)
	}
}

// clamped is a sum of signed weights as a sample.
func clamped(sum uint32) uint8 { return uint8(min(max(int32(sum)>>weightBits, 0), 255)) }

// dot is the weighted sum of pixels, raised by a half. It is a function of its
// own so that the sums stay in registers.
//
//go:noinline
func dot(pixels []uint8, weights []uint32) (r, g, b uint32) {
	r, g, b = half, half, half
	at := 0
	for _, w := range weights {
		p := pixels[at : at+3 : at+3]
		r += w * uint32(p[0])
		g += w * uint32(p[1])
		b += w * uint32(p[2])
		at += 3
	}
	return r, g, b
}

// blendRows writes the weighted sum of the rows, by the taps of output position
// i, to dst.
func (t taps) blendRows(dst []uint8, rows [][]uint8, i int) {
	if t.overshoots {
		blendSigned(dst, rows, t.of(i))
		return
	}
	blend(dst, rows, t.of(i))
}

// blendSigned is blend for weights of both signs.
func blendSigned(dst []uint8, rows [][]uint8, weights []uint32) {
	for i := range dst {
		sum := uint32(half)
		for k, row := range rows {
			sum += weights[k] * uint32(row[i])
		}
		dst[i] = clamped(sum)
	}
}

// blend adds up eight samples at a time: four words hold two sums each.
func blend(dst []uint8, rows [][]uint8, weights []uint32) {
	const (
		pair   = 1<<32 | 1
		halves = half * pair
		bytes  = 0xff * pair
	)
	i := 0
	for ; i+8 <= len(dst); i += 8 {
		var a, b, c, d uint64 = halves, halves, halves, halves
		for k, row := range rows {
			v, w := binary.LittleEndian.Uint64(row[i:]), uint64(weights[k])
			a += v & bytes * w
			b += v >> 8 & bytes * w
			c += v >> 16 & bytes * w
			d += v >> 24 & bytes * w
		}
		binary.LittleEndian.PutUint64(dst[i:], a>>weightBits&bytes|b>>weightBits&bytes<<8|
			c>>weightBits&bytes<<16|d>>weightBits&bytes<<24)
	}
	for ; i < len(dst); i++ {
		sum := uint32(half)
		for k, row := range rows {
			sum += weights[k] * uint32(row[i])
		}
		dst[i] = uint8(sum >> weightBits)
	}
}
