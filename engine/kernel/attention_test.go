package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestAttention compares with attention in float64, within a bound on the errors of sums of float32 products, and the bits of all
// instruction sets with one another.
func TestAttention(t *testing.T) {
	for _, c := range []struct {
		queries, keys, heads, size, values int
		joined                             bool // Q, K and V are channels of the same tokens
		scale                              float32
		biases                             int
	}{
		{5, 5, 2, 16, 16, true, 0.25, 0},
		{37, 37, 3, 32, 32, true, -0.18, 3},
		{19, 19, 3, 10, 10, true, 0.3, 1},
		{3, 21, 2, 16, 32, false, 0.25, 2},
		{7, 40, 1, 5, 7, false, 1, 0},
		{3, 9, 1, 16, 16, false, -0.5, 0},
		{9, 9, 2, 16, 16, true, 50, 0}, // e**score overflows
	} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			const images = 2
			r := rand.New(rand.NewPCG(1, 2))
			tokens := func(n, channels int) (Layout, []float32) {
				return Blocked(channels, 1, n, 0), reals(r, images*n*channels, 1)
			}
			var layouts [3]Layout
			var data [3][]float32
			var first [3]int
			if c.joined {
				l, x := tokens(c.queries, 3*c.heads*c.size)
				for k := range 3 {
					layouts[k], data[k], first[k] = l, x, k*c.heads*c.size
				}
			} else {
				layouts[0], data[0] = tokens(c.queries, c.heads*c.size)
				layouts[1], data[1] = tokens(c.keys, c.heads*c.size)
				layouts[2], data[2] = tokens(c.keys, c.heads*c.values)
			}
			bias := reals(r, max(1, c.biases)*c.queries*c.keys, 1)
			for i := range bias {
				if c.biases == 0 {
					bias[i] = 0
				} else if i%c.keys%5 == 2 { // masked
					bias[i] = float32(math.Inf(-1))
				}
			}
			heads := func(k, size int) Heads { return Heads{layouts[k], first[k], size, size} }
			q, k, v := heads(0, c.size), heads(1, c.size), heads(2, c.values)
			y := Heads{Blocked(c.heads*c.values, 1, c.queries, 0), 0, c.values, c.values}
			want, bound := attentionOracle(q, k, v, data, bias, images, c.heads, float64(c.scale))
			var bits []float32
			for _, set := range sets() {
				p, err := NewAttention(set, q, k, v, y, c.heads, c.biases, Masks{}, c.scale)
				if err != nil {
					t.Fatal(err)
				}
				var args Args
				args.Images = images
				for i := range 3 {
					args.Operand[i] = place(layouts[i], images, data[i]).address()
				}
				out := place(y.Layout, images, nil)
				args.Operand[3], args.Operand[4] = out.address(), Address(bias)
				run1(p, args)
				got := take(t, y.Layout, images, out)
				closeTo(t, set.Name, got, want, bound)
				if bits == nil {
					bits = got
				}
				sameBits(t, set.Name, got, bits)
			}
		})
	}
	l := Blocked(48, 1, 5, 0)
	whole := Heads{l, 0, 16, 16}
	for _, wrong := range []Heads{
		{l, 16, 16, 16}, {l, -16, 16, 16}, {l, 0, 8, 16}, {l, 0, 8, 8}, {l, 0, 16, 0}, {Layout{}, 0, 16, 16}, {Pixels(48, 1, 5, 0), 0, 16, 16},
		{Blocked(48, 2, 5, 0), 0, 16, 16}, {Blocked(48, 1, 6, 0), 0, 16, 16}, {Blocked(48, 1, 0, 0), 0, 16, 16}, {Blocked(48, 1, 5, 1), 0, 16, 16},
	} {
		for i := range 4 {
			h := [4]Heads{whole, whole, whole, whole}
			h[i] = wrong
			if _, err := NewAttention(Go, h[0], h[1], h[2], h[3], 3, 0, Masks{}, 1); err == nil {
				t.Errorf("operand %d in %v is taken", i, wrong)
			}
		}
	}
	none := Heads{Blocked(48, 1, 0, 0), 0, 16, 16}
	if _, err := NewAttention(Go, none, none, none, none, 3, 0, Masks{}, 1); err == nil {
		t.Error("no tokens at all are taken")
	}
	if _, err := NewAttention(Go, whole, whole, whole, Heads{Blocked(64, 1, 5, 0), 0, 16, 16}, 3, 0, Masks{}, 1); err == nil {
		t.Error("channels that no head writes are taken")
	}
	for biases, heads := range map[int]int{2: 3, -1: 3, 0: 0} {
		if _, err := NewAttention(Go, whole, whole, whole, whole, heads, biases, Masks{}, 1); err == nil {
			t.Errorf("%d biases for %d heads are taken", biases, heads)
		}
	}
}

// TestAttentionKeepsNaN: NaN in a query is in that token's results of that head, and in no other.
func TestAttentionKeepsNaN(t *testing.T) {
	const tokens, bad = 6, 2
	for _, size := range []int{16, 10} {
		l := Blocked(2*size, 1, tokens, 0)
		h := Heads{l, 0, size, size}
		q := reals(rand.New(rand.NewPCG(5, 6)), 2*size*tokens, 1)
		k := slices.Clone(q)
		q[(size+3)*tokens+bad] = guardValue
		for _, set := range sets() {
			p, err := NewAttention(set, h, h, h, h, 2, 0, Masks{}, 1)
			y := outcome(t, p, err, 1, tensorIn(l, q), tensorIn(l, k), tensorIn(l, k), tensorOut(l))[0]
			for i, v := range y {
				if want := i/tokens >= size && i%tokens == bad; (v != v) != want {
					t.Fatalf("%s, heads of %d channels: channel %d of token %d is %v", set, size, i/tokens, i%tokens, v)
				}
			}
		}
	}
}

// attentionOracle is attention in float64, as (N, C, 1, T), and what float32 may be off.
func attentionOracle(q, k, v Heads, data [3][]float32, bias []float32, images, heads int, scale float64) (want, bound []float64) {
	at := func(h Heads, x []float32, image, head, token, c int) float64 {
		return float64(x[(image*h.Layout.C+h.First+head*h.Step+c)*h.tokens()+token])
	}
	channels := heads * v.Size
	want, bound = make([]float64, images*channels*q.tokens()), make([]float64, images*channels*q.tokens())
	const epsilon = 0x1p-24 // one rounding
	for image := range images {
		for head := range heads {
			for i := range q.tokens() {
				e, total, off := make([]float64, k.tokens()), 0.0, 0.0
				best := math.Inf(-1)
				for j := range e {
					sum, size := 0.0, 0.0
					for c := range q.Size {
						p := at(q, data[0], image, head, i, c) * at(k, data[1], image, head, j, c)
						sum, size = sum+p, size+math.Abs(p)
					}
					e[j] = scale*sum + float64(bias[(head*q.tokens()+i)*k.tokens()%len(bias)+j])
					best = max(best, e[j])
					off = max(off, math.Abs(scale)*size*float64(q.Size+2)*epsilon)
				}
				for j, s := range e {
					e[j] = math.Exp(s - best)
					total += e[j]
				}
				for c := range v.Size {
					o := (image*channels+head*v.Size+c)*q.tokens() + i
					for j := range e {
						p := e[j] / total * at(v, data[2], image, head, j, c)
						want[o] += p
						bound[o] += math.Abs(p)
					}
					bound[o] *= 2*off + float64(len(e)+4)*epsilon
				}
			}
		}
	}
	return want, bound
}
