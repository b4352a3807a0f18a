package kernel

import (
	"math/rand/v2"
	"testing"
)

// follower is a convolution that takes an activation.
type follower interface {
	Primitive
	Followed(f Activation) (Primitive, error)
}

// TestFollowed: an activation fused into a convolution gives the bits of a step of its own, on every instruction set.
func TestFollowed(t *testing.T) {
	const images = 2
	for i, tc := range convCases {
		s := tc.s
		activations := []Activation{SiLU(), Sigmoid(), HardSwish(), LeakyReLU(0.1), Elu(0.5, 1, 1), Softplus(), Mish()}
		if testing.Short() { // two of them with every shape
			activations = []Activation{activations[i%7], activations[(i+3)%7]}
		}
		t.Run(shapeName(s), func(t *testing.T) {
			in, out := Blocked(s.Cin, s.H, s.W, s.Halo()), Blocked(s.Cout+16, s.OH, s.OW, 1).Slice(16, s.Cout)
			packed := func(w []float32) []float32 {
				p := make([]float32, PackedLen(s))
				PackWeights(s, p, w)
				return p
			}
			checkFollowed(t, activations, s, in, out, images, s.Cin, packed, func(set *Set) (follower, error) { return NewConv(set, s, in, out, 0) })
			if s.Cin != s.Cout {
				return
			}
			packed = func(w []float32) []float32 {
				p := make([]float32, DepthwiseLen(s))
				PackDepthwise(s, p, w)
				return p
			}
			checkFollowed(t, activations, s, in, out, images, 1, packed, func(set *Set) (follower, error) { return NewDepthwise(set, s, in, out, 0) })
		})
	}
}

func checkFollowed(t *testing.T, activations []Activation, s ConvShape, in, out Layout, images, cin int, pack func([]float32) []float32, conv func(set *Set) (follower, error)) {
	t.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	x, bias := reals(r, images*s.Cin*s.H*s.W, 1), reals(r, s.Cout, 1)
	weights := pack(reals(r, s.Cout*cin*s.KH*s.KW, 1))
	for _, f := range activations {
		sameOnAll(t, func(set *Set) [][]float32 {
			p, err := conv(set)
			y := outcome(t, p, err, images, tensorIn(in, x), vectorIn(weights), vectorIn(bias), tensorOut(out))[0]
			step, err := NewActivation(set, f, out, out)
			want := outcome(t, step, err, images, tensorIn(out, y), tensorOut(out))[0]
			fused, err := p.Followed(f)
			got := outcome(t, fused, err, images, tensorIn(in, x), vectorIn(weights), vectorIn(bias), tensorOut(out))
			sameBits(t, p.Name()+" followed", got[0], want)
			return got
		})
	}
}
