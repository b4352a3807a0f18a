package kernel

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// TestRules compares assembly with the plain Go forms on lengths around the blocks and the calls.
// (The plain forms are compared with PyTorch in the solver package.)
func TestRules(t *testing.T) {
	k := Constants{
		Rate: 0.01, Decay: 1e-3, Keep: 0.999, Momentum: 0.9, Gain: 0.1, Beta: 0.99, GainSq: 0.01, Root: 0.3, Epsilon: 1e-8,
	}
	for _, rule := range []*Rule{SGD, Momentum, Nesterov, Adam, RMSprop, RMSpropTF} {
		for _, n := range []int{0, 1, 15, 16, 17, 100, updateRun + 37} {
			r := rand.New(rand.NewPCG(41, 42))
			values := [][]float32{reals(r, n, 1), reals(r, n, 1)}
			for range rule.States {
				values = append(values, reals(r, n, 1))
			}
			for i, v := range values[len(values)-1] {
				values[len(values)-1][i] = v * v // where it is a mean of squares
			}
			if rule.States > 1 {
				for i, v := range values[2] {
					values[2][i] = v * v
				}
			}
			sameOnAll(t, func(set *Set) (out [][]float32) {
				var buffers []guarded
				for _, v := range values {
					g := newGuarded(n)
					copy(g.floats, v)
					buffers = append(buffers, g)
					out = append(out, g.floats)
				}
				for range 3 {
					rule.Apply(NewWorker(0), set, k, out[0], out[1], out[2:]...)
				}
				for i, g := range buffers {
					g.check(t, fmt.Sprintf("%s operand %d", rule.name, i))
				}
				sameBits(t, "gradients", out[1], values[1])
				return out
			})
		}
	}
}
