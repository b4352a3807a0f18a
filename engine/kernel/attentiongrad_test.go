package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// gradientCase is attention whose gradients are tested; joined tokens hold Q, K and V side by side.
type gradientCase struct {
	queries, keys, heads, size, values int
	joined                             bool
	scale                              float32
	biases                             int
}

var gradientCases = []gradientCase{
	{5, 5, 2, 16, 16, true, 0.25, 0},
	{37, 37, 3, 32, 32, true, -0.18, 3},
	{19, 19, 3, 10, 10, true, 0.3, 1},
	{3, 21, 2, 16, 32, false, 0.25, 2},
	{7, 40, 1, 5, 7, false, 1, 0},
	{3, 9, 1, 16, 16, false, -0.5, 0},
}

// TestAttentionGrad compares the gradients with float64, within a bound on the errors of sums of float32 products, and the bits of all
// instruction sets with one another.
func TestAttentionGrad(t *testing.T) {
	const images = 3
	for _, c := range gradientCases {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			r := rand.New(rand.NewPCG(3, 4))
			tokens := [3]int{c.queries, c.keys, c.keys}
			sizes := [3]int{c.size, c.size, c.values}
			var heads [3]Heads
			var data [3][]float32
			for k := range 3 {
				l, first := Blocked(c.heads*sizes[k], 1, tokens[k], 0), 0
				if c.joined {
					l, first = Blocked(3*c.heads*c.size, 1, c.queries, 0), k*c.heads*c.size
				}
				heads[k] = Heads{l, first, sizes[k], sizes[k]}
				if data[k] = data[0]; k == 0 || !c.joined {
					data[k] = reals(r, images*l.C*l.W, 1)
				}
			}
			dy := Heads{Blocked(c.heads*c.values, 1, c.queries, 0), 0, c.values, c.values}
			g := reals(r, images*dy.Layout.C*c.queries, 1)
			bias := reals(r, max(1, c.biases)*c.queries*c.keys, 1)
			for i := range bias {
				if c.biases == 0 {
					bias[i] = 0
				} else if i%c.keys%5 == 2 { // masked
					bias[i] = float32(math.Inf(-1))
				}
			}
			want := attentionGradOracle(c, heads, data, dy, g, bias, images)
			var bits [4][]float32
			for _, set := range sets() {
				p, err := NewAttentionGrad(set, heads[0], heads[1], heads[2], dy, heads[0], heads[1], heads[2], c.heads, c.biases, Masks{}, c.scale)
				if err != nil {
					t.Fatal(err)
				}
				var in, out, over [3]guarded
				for k := range 3 {
					if in[k], out[k], over[k] = in[0], out[0], over[0]; k == 0 || !c.joined {
						in[k], out[k], over[k] = place(heads[k].Layout, images, data[k]), place(heads[k].Layout, images, nil), place(heads[k].Layout, images, data[k])
					}
				}
				gy := place(dy.Layout, images, g)
				run1(p, Args{Images: images, Operand: [8]uintptr{in[0].address(), in[1].address(), in[2].address(), gy.address(), out[0].address(), out[1].address(), out[2].address(), Address(bias)}})
				run1(p, Args{Images: images, Operand: [8]uintptr{over[0].address(), over[1].address(), over[2].address(), gy.address(), over[0].address(), over[1].address(), over[2].address(), Address(bias)}})
				for k := range 3 {
					check(t, set, k, headsOf(heads[k], c.heads, images, take(t, heads[k].Layout, images, out[k])), want[k], &bits[k])
					check(t, set, k, headsOf(heads[k], c.heads, images, take(t, heads[k].Layout, images, over[k])), want[k], &bits[k])
				}
				if c.biases == 0 {
					continue
				}
				if p, err = NewAttentionBiasGrad(set, heads[0], heads[1], heads[2], dy, c.heads, c.biases, Masks{}, c.scale); err != nil {
					t.Fatal(err)
				}
				sums := newGuarded(len(bias))
				run1(p, Args{Images: images, Operand: [8]uintptr{in[0].address(), in[1].address(), in[2].address(), gy.address(), Address(bias), sums.address()}})
				sums.check(t, "gradient of biases")
				check(t, set, 3, sums.floats, want[3], &bits[3])
			}
		})
	}
}

func check(t *testing.T, set *Set, k int, got []float32, want bounded, bits *[]float32) {
	t.Helper()
	what := fmt.Sprint(set.Name, ", gradient ", k)
	closeTo(t, what, got, want.value, want.off)
	if *bits == nil {
		*bits = got
	}
	sameBits(t, what, got, *bits)
}

// headsOf picks heads out of (N, C, 1, T): (N, heads, size, T).
func headsOf(h Heads, heads, images int, x []float32) (part []float32) {
	for image := range images {
		for k := range heads {
			at := (image*h.Layout.C + h.First + k*h.Step) * h.tokens()
			part = append(part, x[at:at+h.Size*h.tokens()]...)
		}
	}
	return part
}

// bounded are numbers and what float32 may be off.
type bounded struct{ value, off []float64 }

func newBounded(n int) bounded { return bounded{make([]float64, n), make([]float64, n)} }

// attentionGradOracle is the gradients in Q, K and V, heads by heads as headsOf has them, and in the biases.
func attentionGradOracle(c gradientCase, heads [3]Heads, data [3][]float32, dy Heads, g, bias []float32, images int) (grads [4]bounded) {
	const epsilon = 0x1p-24 // one rounding
	at := func(h Heads, x []float32, image, head, token, c int) float64 {
		return float64(x[(image*h.Layout.C+h.First+head*h.Step+c)*h.tokens()+token])
	}
	for k, h := range heads {
		grads[k] = newBounded(images * c.heads * h.Size * h.tokens())
	}
	grads[3] = newBounded(len(bias))
	scale := math.Abs(float64(c.scale))
	for image := range images {
		for head := range c.heads {
			add := func(k, token, channel int, v, off float64) {
				h := heads[k]
				i := ((image*c.heads+head)*h.Size+channel)*h.tokens() + token
				grads[k].value[i] += v
				grads[k].off[i] += off + float64(c.queries+c.keys+4)*epsilon*math.Abs(v)
			}
			for i := range c.queries {
				p, d, dOff := make([]float64, c.keys), make([]float64, c.keys), make([]float64, c.keys)
				best, total, off := math.Inf(-1), 0.0, 0.0
				for j := range p {
					sum, size := 0.0, 0.0
					for s := range c.size {
						v := at(heads[0], data[0], image, head, i, s) * at(heads[1], data[1], image, head, j, s)
						sum, size = sum+v, size+math.Abs(v)
					}
					p[j] = float64(c.scale)*sum + float64(bias[(head*c.queries+i)*c.keys%len(bias)+j])
					best = max(best, p[j])
					off = max(off, scale*size*float64(c.size+2)*epsilon)
					for s := range c.values {
						v := at(dy, g, image, head, i, s) * at(heads[2], data[2], image, head, j, s)
						d[j] += v
						dOff[j] += math.Abs(v) * float64(c.values+2) * epsilon
					}
				}
				for j := range p {
					p[j] = math.Exp(p[j] - best)
					total += p[j]
				}
				relative := 2*off + float64(c.keys+4)*epsilon
				sum, sumOff := 0.0, 0.0
				for j := range p {
					p[j] /= total
					sum += p[j] * d[j]
					sumOff += p[j] * (dOff[j] + relative*math.Abs(d[j]))
				}
				for j := range p {
					ds := p[j] * (d[j] - sum)
					dsOff := p[j]*(dOff[j]+sumOff) + (relative+4*epsilon)*math.Abs(ds)
					if c.biases > 0 {
						b := (head*c.queries+i)*c.keys%len(bias) + j
						grads[3].value[b] += ds
						grads[3].off[b] += dsOff + float64(images*c.heads)*epsilon*math.Abs(ds)
					}
					for s := range c.size {
						q, k := at(heads[0], data[0], image, head, i, s), at(heads[1], data[1], image, head, j, s)
						add(0, i, s, float64(c.scale)*ds*k, scale*dsOff*math.Abs(k))
						add(1, j, s, float64(c.scale)*ds*q, scale*dsOff*math.Abs(q))
					}
					for s := range c.values {
						y := at(dy, g, image, head, i, s)
						add(2, j, s, p[j]*y, p[j]*relative*math.Abs(y))
					}
				}
			}
		}
	}
	return grads
}

// TestAttentionGradIsRefused: gradients that do not lie as what they are of, and biases that are none.
func TestAttentionGradIsRefused(t *testing.T) {
	h := Heads{Blocked(48, 1, 5, 0), 0, 16, 16}
	for _, wrong := range []Heads{{Blocked(48, 1, 6, 0), 0, 16, 16}, {h.Layout, 0, 16, 8}, {h.Layout, 16, 16, 16}, {Layout{}, 0, 16, 16}} {
		for k := range 3 {
			d := [3]Heads{h, h, h}
			d[k] = wrong
			if _, err := NewAttentionGrad(Go, h, h, h, h, d[0], d[1], d[2], 3, 0, Masks{}, 1); err == nil {
				t.Errorf("gradient %d in %v is taken", k, wrong)
			}
		}
	}
	if _, err := NewAttentionBiasGrad(Go, h, h, h, h, 3, 0, Masks{}, 1); err == nil {
		t.Error("the gradient of no bias is taken")
	}
}
