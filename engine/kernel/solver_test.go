package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// ruleOracles are one step of every rule for one parameter: what it becomes, and its states.
var ruleOracles = map[*Rule]func(k map[string]approx, p, g, a, b approx) [3]approx{
	SGD: func(k map[string]approx, p, g, a, b approx) [3]approx {
		return [3]approx{descended(k, p, g)}
	},
	Momentum: func(k map[string]approx, p, g, a, b approx) [3]approx {
		a = k["momentum"].times(a).plus(g)
		return [3]approx{descended(k, p, a), a}
	},
	Nesterov: func(k map[string]approx, p, g, a, b approx) [3]approx {
		a = k["momentum"].times(a).plus(g)
		return [3]approx{descended(k, p, k["momentum"].fused(a, g)), a}
	},
	Adam: func(k map[string]approx, p, g, a, b approx) [3]approx {
		a = a.plus(k["gain"].times(g.minus(a)))
		b = k["beta"].times(b).plus(k["gainSq"].times(g).times(g))
		step := k["rate"].times(a).over(b.root().over(k["root"]).plus(k["epsilon"]))
		return [3]approx{k["keep"].times(p).minus(step), a, b}
	},
	RMSprop: func(k map[string]approx, p, g, a, b approx) [3]approx {
		a = k["beta"].times(a).plus(k["gainSq"].times(g).times(g))
		b = k["momentum"].times(b).plus(g.over(a.root().plus(k["epsilon"])))
		return [3]approx{descended(k, p, b), a, b}
	},
	RMSpropTF: func(k map[string]approx, p, g, a, b approx) [3]approx {
		a = a.plus(k["gainSq"].times(g.times(g).minus(a)))
		b = k["momentum"].times(b).plus(k["rate"].times(g).over(a.plus(k["epsilon"]).root()))
		return [3]approx{p.minus(b), a, b}
	},
}

// descended is p - rate v, rounded once.
func descended(k map[string]approx, p, v approx) approx { return k["rate"].negated().fused(v, p) }

// TestRuleOracles compares a step of every rule with its formula, in all instruction sets, for parameters and gradients of all sizes,
// zeros, infinities and NaN.
func TestRuleOracles(t *testing.T) {
	k := Constants{
		Rate: 0.01, Decay: 1e-3, Keep: 0.999, Momentum: 0.9, Gain: 0.1, Beta: 0.99, GainSq: 0.01, Root: 0.3, Epsilon: 1e-8,
	}
	constants := map[string]approx{"rate": exact(k.Rate), "keep": exact(k.Keep), "momentum": exact(k.Momentum), "gain": exact(k.Gain),
		"beta": exact(k.Beta), "gainSq": exact(k.GainSq), "root": exact(k.Root), "epsilon": exact(k.Epsilon)}
	for rule, oracle := range ruleOracles {
		r, s := rand.New(rand.NewPCG(43, 44)), special()
		n := 3000
		values := make([][]float32, 2+rule.States)
		for j := range values {
			values[j] = make([]float32, n)
			for i := range values[j] {
				v := float32(r.NormFloat64())
				if r.IntN(4) == 0 {
					v = s[r.IntN(len(s))]
				}
				if j >= 2 && rule != Momentum && rule != Nesterov {
					v = float32(math.Abs(float64(v))) // means of squares are among the states
				}
				values[j][i] = v
			}
		}
		for _, set := range sets() {
			var out [][]float32
			for _, v := range values {
				out = append(out, append([]float32(nil), v...))
			}
			rule.Apply(NewWorker(0), set, k, out[0], out[1], out[2:]...)
			for i := range n {
				var v [4]approx
				for j := range values {
					v[j] = exact(values[j][i])
				}
				want := oracle(constants, v[0], exact(k.Decay).fused(v[0], v[1]), v[2], v[3])
				for j, got := range append(out[:1:1], out[2:]...) {
					if !want[j].near(got[i]) {
						t.Fatalf("%s on %s: result %d of %v, %v, %v, %v is %v, want %v +- %v",
							rule.name, set, j, values[0][i], values[1][i], v[2].v, v[3].v, got[i], want[j].v, want[j].e)
					}
				}
			}
		}
	}
}

// TestRules compares assembly with the plain Go forms on lengths around the blocks and the calls.
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
