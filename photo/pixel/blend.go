package pixel

import "encoding/binary"

// Weights of the resizer are fixed-point numbers, rounded to samples at the end of a pass (Pillow's Resample.c).
const (
	WeightBits = 22
	half       = 1 << (WeightBits - 1)
)

// Taps holds the filter of every output position along one axis: position i
// is the sum of source[First[i]+k] * Weights[i*Width+k] over k < Width. All
// windows have the same width and lie in the source. Negative weights are
// stored as two's complement.
type Taps struct {
	First   []int
	Weights []uint32
	Width   int
	// Overshoots: some weights are negative, so that sums leave the range of 8 bits.
	Overshoots bool

	quads []int16 // Weights for columnsAssembly
}

// Of returns the weights of output position i.
func (t *Taps) Of(i int) []uint32 { return t.Weights[i*t.Width : (i+1)*t.Width] }

// Prepare makes the taps ready for Columns.
func (t *Taps) Prepare() {
	if !assembly {
		return
	}
	per := t.perWindow()
	t.quads = make([]int16, 8*per*len(t.First))
	for i := range t.First {
		for k, w := range t.Of(i) {
			at := 8*(i*per+k/4) + k%4
			t.quads[at], t.quads[at+4] = int16(w&0x7fff), int16(int32(w)>>15)
		}
	}
}

// perWindow is the number of quads of taps in a window.
func (t *Taps) perWindow() int { return (t.Width + 3) / 4 }

// Columns writes the row src of pixels of three bytes, resampled to the taps' positions, to dst.
func (t *Taps) Columns(dst, src []uint8) {
	n := 0
	if per := t.perWindow(); t.quads != nil {
		// The kernel reads whole quads, and 4 bytes behind them.
		for n = len(t.First); n > 0 && 3*(t.First[n-1]+4*per)+4 > len(src); n-- {
		}
		if n > 0 {
			_ = dst[3*n-1]
			columnsAssembly(&dst[0], &src[0], &t.First[0], &t.quads[0], per, n)
		}
	}
	t.columns(dst, src, n)
}

// columns is the plain form, from output position i on.
func (t *Taps) columns(dst, src []uint8, i int) {
	for ; i < len(t.First); i++ {
		r, g, b := dot(src[3*t.First[i]:], t.Of(i))
		d := dst[3*i : 3*i+3]
		if t.Overshoots {
			d[0], d[1], d[2] = clamped(r), clamped(g), clamped(b)
			continue
		}
		d[0], d[1], d[2] = uint8(r>>WeightBits), uint8(g>>WeightBits), uint8(b>>WeightBits)
	}
}

// clamped is a sum of signed weights as a sample.
func clamped(sum uint32) uint8 { return uint8(min(max(int32(sum)>>WeightBits, 0), 255)) }

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

// Rows writes the weighted sum of the rows, by the taps of output position i, to dst.
func (t *Taps) Rows(dst []uint8, rows [][]uint8, i int) {
	const lanes = 32
	weights := t.Of(i)
	if n := len(dst) &^ (lanes - 1); assembly && n > 0 {
		for _, row := range rows {
			_ = row[n-1]
		}
		rowsAssembly(&dst[0], &rows[0], &weights[0], len(rows), n)
		t.rows(dst, rows, weights, n)
		return
	}
	t.rows(dst, rows, weights, 0)
}

// rows is the plain form, from sample i on.
func (t *Taps) rows(dst []uint8, rows [][]uint8, weights []uint32, i int) {
	if !t.Overshoots {
		i = blend(dst, rows, weights, i)
	}
	for ; i < len(dst); i++ {
		sum := uint32(half)
		for k, row := range rows {
			sum += weights[k] * uint32(row[i])
		}
		dst[i] = clamped(sum)
	}
}

// blend adds up eight samples at a time, from sample i on: four words hold two sums each. It returns where it ended.
func blend(dst []uint8, rows [][]uint8, weights []uint32, i int) int {
	const (
		pair   = 1<<32 | 1
		halves = half * pair
		bytes  = 0xff * pair
	)
	for ; i+8 <= len(dst); i += 8 {
		var a, b, c, d uint64 = halves, halves, halves, halves
		for k, row := range rows {
			v, w := binary.LittleEndian.Uint64(row[i:]), uint64(weights[k])
			a += v & bytes * w
			b += v >> 8 & bytes * w
			c += v >> 16 & bytes * w
			d += v >> 24 & bytes * w
		}
		binary.LittleEndian.PutUint64(dst[i:], a>>WeightBits&bytes|b>>WeightBits&bytes<<8|
			c>>WeightBits&bytes<<16|d>>WeightBits&bytes<<24)
	}
	return i
}
