package kernel

import (
	"math/rand/v2"
	"testing"
)

// winogradCases cover every algorithm, with tiles that reach over the image's edges.
var winogradCases = []ConvShape{
	shape(32, 48, 12, 12, 3, 3, 1, 1, 1),
	shape(16, 32, 11, 13, 3, 3, 1, 1, 0),
	shape(20, 18, 9, 6, 3, 3, 1, 1, 2),
	shape(48, 80, 17, 19, 5, 5, 1, 1, 2),
	shape(16, 16, 9, 9, 5, 5, 1, 1, 0),
	shape(32, 48, 17, 17, 1, 7, 1, 1, 0, 3),
	shape(32, 48, 17, 17, 7, 1, 1, 1, 3, 0),
	shape(48, 16, 8, 9, 1, 3, 1, 1, 0, 1),
	shape(48, 16, 8, 9, 3, 1, 1, 1, 1, 0),
	shape(16, 16, 3, 3, 3, 3, 1, 1, 1),
}

// amplification bounds how much an algorithm's rounding errors exceed those of a chain of the same length: the products of the row
// sums of |A|, |G| and |B| bound every intermediate result by that many times the sum of absolute terms.
func winogradBound(s ConvShape, want sums) []float64 {
	b := want.bounds(s.Cin*s.KH*s.KW + 20)
	for i := range b {
		b[i] *= 30
	}
	return b
}

func TestWinograd(t *testing.T) {
	const images = 3
	for _, s := range winogradCases {
		t.Run(shapeName(s), func(t *testing.T) {
			in := Blocked(s.Cin, s.H, s.W, s.Halo())
			out := Blocked(s.Cout+16, s.OH, s.OW, 1).Slice(16, s.Cout)
			for _, flags := range []int{0, ReLU, Acc, Acc | ReLU} {
				r := rand.New(rand.NewPCG(11, 12))
				x, w := reals(r, images*s.Cin*s.H*s.W, 1), reals(r, s.Cout*s.Cin*s.KH*s.KW, 1)
				bias, y0 := reals(r, s.Cout, 1), reals(r, images*s.Cout*s.OH*s.OW, 1)
				want := referenceForward(s, x, w, bias, y0, flags, images)
				var first []float32
				for _, isa := range isas() {
					c, err := NewWinograd(isa, s, in, out, flags)
					if err != nil {
						t.Fatal(err)
					}
					got := forward(t, c, in, out, s, x, w, bias, y0, flags, images)
					if first == nil {
						first = got
					}
					sameBits(t, c.Name(), got, first)
					closeTo(t, c.Name(), got, want.value, winogradBound(s, want))
				}
			}
		})
	}
}
