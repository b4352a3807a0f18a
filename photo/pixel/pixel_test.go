package pixel

import (
	"math"
	"slices"
	"testing"

	"regraft/engine/random"
)

// both runs the work with the assembly, where there is any, and without it, and compares what they leave.
func both(t *testing.T, name string, work func() []uint8) {
	t.Helper()
	got := work()
	if !assembly {
		return
	}
	codes := bmi2
	assembly, bmi2 = false, false
	want := work()
	assembly, bmi2 = true, codes
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("%s, byte %d: %d, and %d in plain Go", name, i, got[i], want[i])
		}
	}
}

// samples are n random samples, among them many extreme ones, with nothing behind them.
func samples(r *random.Stream, n int) []uint8 {
	out := make([]uint8, n)
	for i := range out {
		if out[i] = uint8(r.IntN(256)); r.IntN(4) == 0 {
			out[i] = uint8(255 * r.IntN(2))
		}
	}
	return out
}

// TestInverse compares with the transform in float64 (T.81 A.3.3). The integer
// form keeps to IEEE 1180: within one level.
func TestInverse(t *testing.T) {
	r := random.At(2, "inverse")
	for round := range 300 {
		block, extent := someBlock(r, []int{64, 4, 1}[round%3], 160)
		want := inverseFloat64(block)
		var got [64]uint8
		Inverse(&block, extent, got[:], 8)
		for i := range got {
			if d := math.Abs(float64(got[i]) - want[i]); d > 1 {
				t.Fatalf("round %d, sample %d: %d, float64 %.2f", round, i, got[i], want[i])
			}
		}
		if block != [64]int32{} {
			t.Fatal("the block is not left zero")
		}
	}
}

// someBlock has random coefficients in its corner of the given number of places: all over, in 4 x 4, the first alone.
func someBlock(r *random.Stream, places, size int) (block [64]int32, extent uint8) {
	for v := range min(places, 8) {
		for u := range min(places, 8) {
			block[8*v+u] = int32(r.IntN(2*size/(1+u+v)+1) - size/(1+u+v))
			if block[8*v+u] != 0 {
				extent |= uint8(8*v + u)
			}
		}
	}
	return block, extent
}

func inverseFloat64(block [64]int32) (out [64]float64) {
	for y := range 8 {
		for x := range 8 {
			sum := 0.0
			for v := range 8 {
				for u := range 8 {
					term := float64(block[8*v+u]) / 4 *
						math.Cos(float64((2*x+1)*u)*math.Pi/16) * math.Cos(float64((2*y+1)*v)*math.Pi/16)
					if u == 0 {
						term /= math.Sqrt2
					}
					if v == 0 {
						term /= math.Sqrt2
					}
					sum += term
				}
			}
			out[8*y+x] = min(max(sum+128, 0), 255)
		}
	}
	return out
}

// TestFormsOfInverse: the same samples for every block that a file can hold, far beyond those of photos too, and no
// sample outside of the block's.
func TestFormsOfInverse(t *testing.T) {
	r := random.At(3, "inverse")
	for round := range 3000 {
		block, extent := someBlock(r, []int{64, 4, 1}[round%3], 1<<(1+round%31))
		stride := 8 + r.IntN(9)
		for _, size := range []int{1, 2, 4, 8} {
			both(t, "inverse", func() []uint8 {
				b, out := block, make([]uint8, (size-1)*stride+size)
				if size == 8 {
					Inverse(&b, extent, out, stride)
				} else {
					Reduced(size, &b, extent, out, stride)
				}
				if b != [64]int32{} {
					t.Fatal("the block is not left zero")
				}
				return out
			})
		}
	}
}

// TestFormsOfCodes decodes random data with random tables: the same coefficients in the same places, and as many bits taken; and
// without values as many places and bits.
func TestFormsOfCodes(t *testing.T) {
	r := random.At(7, "codes")
	coding := Coding{DC: &Codes{}, AC: &Codes{}}
	for round := range 3000 {
		if coding.Predicted = int32(r.IntN(100)); round%30 == 0 {
			for i := range coding.AC {
				coding.DC[i], coding.AC[i] = someEntry(r), someEntry(r)
			}
			for i := range coding.Steps {
				coding.Steps[i] = Step{int32(r.IntN(1 << 16)), uint32(min(i, 63))}
			}
		}
		data := samples(r, r.IntN(80))
		begin := Bits{Data: data, Pos: min(r.IntN(8), len(data))}
		for range begin.Pos {
			begin.Acc, begin.N = begin.Acc|uint64(data[begin.N/8])<<(56-begin.N), begin.N+8
		}
		start := Block{Next: r.IntN(64)}
		work := func(decode func(*Bits, *Coding, *Block)) func() []uint8 {
			return func() []uint8 {
				b, c, block := begin, coding, start
				decode(&b, &c, &block)
				out := []uint8{uint8(block.Next), uint8(block.Extent), uint8(block.Extent >> 8)}
				for _, v := range append(block.Values[:], int32(8*b.Pos-b.N), c.Predicted, int32(b.Acc>>32)) {
					out = append(out, uint8(v), uint8(v>>8), uint8(v>>16), uint8(v>>24))
				}
				return out
			}
		}
		both(t, "decoding", work((*Bits).Decode))
		both(t, "skipping", work((*Bits).Skip))
		decoded, skipped := work((*Bits).Decode)(), work((*Bits).Skip)()
		if n := len(decoded) - 12; decoded[0] != skipped[0] || !slices.Equal(decoded[n:], skipped[n:]) {
			t.Fatalf("decoded to %d, %v, skipped to %d, %v", decoded[0], decoded[n:], skipped[0], skipped[n:])
		}
	}
}

// someEntry is a random entry of Codes.
func someEntry(r *random.Stream) uint64 {
	length, value := uint64(1+r.IntN(CodeBits)), uint64(r.IntN(1<<16))<<48
	run, second := uint64(r.IntN(6)), uint64(r.IntN(6))
	one := length | run<<32 | run<<40 | value
	switch r.IntN(30) {
	case 0:
		return Unknown
	case 1:
		return length | EndOfBlock<<8
	case 2:
		return one | (EndOfBlock+run+1)<<8
	case 3, 4, 5, 6, 7, 8, 9, 10:
		return one | (run+1)<<8
	}
	return length | (run+second+2)<<8 | uint64(r.IntN(1<<16))<<16 | run<<32 | (run+second+1)<<40 | value
}

// TestReduced: the mean of the samples of a smooth block is about the sample in their place.
func TestReduced(t *testing.T) {
	r := random.At(4, "reduced")
	for range 300 {
		block, extent := someBlock(r, 2, 400)
		want := inverseFloat64(block)
		for _, size := range []int{1, 2, 4} {
			b := block
			out := make([]uint8, 64)
			Reduced(size, &b, extent, out, 8)
			if b != [64]int32{} {
				t.Fatal("the block is not left zero")
			}
			for i := range size * size {
				y, x, side := i/size, i%size, 8/size
				sum := 0.0
				for k := range side * side {
					sum += want[8*(y*side+k/side)+x*side+k%side]
				}
				if d := math.Abs(float64(out[8*y+x]) - sum/float64(side*side)); d > 12 {
					t.Fatalf("%d x %d: sample %d, %d is %d, the mean %.1f", size, size, x, y, out[8*y+x], sum/float64(side*side))
				}
			}
		}
	}
}

// TestDoubleWidth compares with the formulas of jdsample.c.
func TestDoubleWidth(t *testing.T) {
	r := random.At(1, "double width")
	for n := 1; n < 100; n++ {
		near, far := samples(r, n), samples(r, n)
		both, across := make([]uint8, 2*n), make([]uint8, 2*n)
		DoubleWidth(both, near, far, 8, 7)
		DoubleWidth(across, near, near, 4, 8)
		for i := range n {
			left, right := max(i-1, 0), min(i+1, n-1)
			sum := func(i int) int { return 3*int(near[i]) + int(far[i]) }
			want := [4]int{
				(3*sum(i) + sum(left) + 8) >> 4, (3*sum(i) + sum(right) + 7) >> 4,
				(3*int(near[i]) + int(near[left]) + 1) >> 2, (3*int(near[i]) + int(near[right]) + 2) >> 2,
			}
			got := [4]int{int(both[2*i]), int(both[2*i+1]), int(across[2*i]), int(across[2*i+1])}
			if got != want {
				t.Fatalf("%d samples, number %d: %v instead of %v", n, i, got, want)
			}
		}
	}
}

func TestForms(t *testing.T) {
	r := random.At(5, "forms")
	for n := 1; n < 200; n++ {
		a, b, c := samples(r, n), samples(r, n), samples(r, n)
		both(t, "double width", func() []uint8 { out := make([]uint8, 2*n); DoubleWidth(out, a, b, 8, 7); return out })
		both(t, "double height", func() []uint8 { out := make([]uint8, n); DoubleHeight(out, a, b, n%3); return out })
		both(t, "colour", func() []uint8 { out := make([]uint8, 3*n); FromYCbCr(out, a, b, c); return out })
	}
}

// TestColors takes all colours.
func TestColors(t *testing.T) {
	var luma, cb, cr [256]uint8
	for i := range 256 {
		cr[i] = uint8(i)
	}
	for i := range 1 << 16 {
		for j := range luma {
			luma[j], cb[j] = uint8(i), uint8(i>>8)
		}
		both(t, "colour", func() []uint8 { out := make([]uint8, 3*256); FromYCbCr(out, luma[:], cb[:], cr[:]); return out })
	}
}

// TestFormsOfTaps blends by weights of both signs, in windows up to the last sample.
func TestFormsOfTaps(t *testing.T) {
	r := random.At(6, "taps")
	for round := range 400 {
		width, n := 1+r.IntN(40), 1+r.IntN(50)
		in := width + r.IntN(60)
		taps := Taps{Width: width, Overshoots: round%2 == 0}
		for range n {
			taps.First = append(taps.First, r.IntN(in-width+1))
			for range width {
				w := int32(r.IntN(1 << WeightBits / width))
				if taps.Overshoots {
					w = int32(r.IntN(1<<23/width)) - 1<<22/int32(width)
				}
				taps.Weights = append(taps.Weights, uint32(w))
			}
		}
		slices.Sort(taps.First)
		src := samples(r, 3*in)
		both(t, "columns", func() []uint8 {
			taps.quads = nil
			taps.Prepare()
			out := make([]uint8, 3*n)
			taps.Columns(out, src)
			return out
		})
		rows := make([][]uint8, width)
		for k := range rows {
			rows[k] = samples(r, in)
		}
		both(t, "rows", func() []uint8 { out := make([]uint8, in); taps.Rows(out, rows, round%n); return out })
	}
}
