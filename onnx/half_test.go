package onnx

import (
	"math"
	"testing"
)

// TestNarrow: every half comes back, and what lies between two goes to the nearer, halfway to the even one.
func TestNarrow(t *testing.T) {
	for h := range 1 << 15 {
		v := widen(typeFloat16, uint16(h))
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			continue
		}
		for _, sign := range []uint16{0, 0x8000} {
			if got := narrow(widen(typeFloat16, uint16(h)|sign)); got != uint16(h)|sign {
				t.Fatalf("%#04x became %#04x", uint16(h)|sign, got)
			}
		}
		next := widen(typeFloat16, uint16(h+1))
		if math.IsInf(float64(next), 0) {
			continue
		}
		middle := (v + next) / 2 // exact: float32 has more digits
		even := uint16(h + h&1)
		for x, want := range map[float32]uint16{
			middle: even, math.Nextafter32(middle, v): uint16(h), math.Nextafter32(middle, next): uint16(h + 1),
		} {
			if got := narrow(x); got != want {
				t.Fatalf("%v between %v and %v became %#04x, want %#04x", x, v, next, got, want)
			}
		}
	}
}

func TestFitsHalf(t *testing.T) {
	for v, want := range map[float32]bool{65504: true, -65504: true, 65536: false, float32(math.Inf(1)): false, float32(math.NaN()): false, 1e-30: true} {
		if fitsHalf([]float32{0, v}) != want {
			t.Errorf("%v: %v", v, !want)
		}
	}
}
