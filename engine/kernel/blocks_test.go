package kernel

import (
	"math/rand/v2"
	"testing"
)

// TestWithBlocks: every number of output blocks that a tile can have gives the bits of the tiler's choice.
func TestWithBlocks(t *testing.T) {
	const images = 2
	for _, set := range sets() {
		for _, s := range []ConvShape{shape(48, 80, 17, 17, 3, 3, 2, 2, 1), shape(32, 64, 9, 9, 1, 1, 1, 1, 0), shape(3, 32, 29, 31, 3, 3, 2, 2, 0)} {
			in, out := Blocked(s.Cin, s.H, s.W, s.Halo()), Blocked(s.Cout, s.OH, s.OW, 0)
			if s.Cin == 3 {
				in = Pixels(3, s.H, s.W, s.Halo())
			}
			r := rand.New(rand.NewPCG(7, 8))
			x, w, bias := reals(r, images*s.Cin*s.H*s.W, 1), reals(r, s.Cout*s.Cin*s.KH*s.KW, 1), reals(r, s.Cout, 1)
			c, err := NewConv(set, s, in, out, ReLU)
			if err != nil {
				t.Fatal(err)
			}
			want, k := forward(t, c, in, out, s, x, w, bias, nil, ReLU, images), 1
			for ; c.WithBlocks(k) != nil; k++ {
				other := c.WithBlocks(k)
				sameBits(t, other.Name(), forward(t, other, in, out, s, x, w, bias, nil, ReLU, images), want)
			}
			if most := min(newTiler(set, in, out).maxBlocks(), out.Blocks()); k != most+1 {
				t.Errorf("%s on %s: tiles of up to %d output blocks, want %d", s, set, k-1, most)
			}
		}
	}
}
