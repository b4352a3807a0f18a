package train

import (
	"math"
	"testing"

	"regraft/engine/random"
)

// shapes of heads' inputs for the tests of products: several chunks, odd numbers of classes, more than one block of them, maps.
var productShapes = map[string]struct {
	photos, f, positions, classes int
	rectified                     bool
}{
	"linear":       {photos: 300, f: 37, positions: 1, classes: 3},
	"many classes": {photos: 140, f: 20, positions: 1, classes: 35},
	"convolution":  {photos: 150, f: 19, positions: 4, classes: 3, rectified: true},
	"one photo":    {photos: 1, f: 5, positions: 1, classes: 2},
}

func randomVector(n int, seed uint64) []float64 {
	r := random.At(seed, "vector of test")
	v := make([]float64, n)
	for i := range v {
		v[i] = r.Normal()
	}
	return v
}

// TestObjective compares with the same sums in float64. A chain of n fused multiply-adds in float32 errs by at most n 2^-24 times the
// sum of the products' sizes; with n up to 512 here and sums up to some 40, logits err by less than 1e-4 in the worst case. What
// is measured is 2.6e-7 at most, with the same bits everywhere, and twice that is allowed.
func TestObjective(t *testing.T) {
	for name, c := range productShapes {
		t.Run(name, func(t *testing.T) {
			x := cloud(c.photos, c.f, c.positions, c.rectified, 1)
			for i := range x.labels {
				x.labels[i] %= c.classes
			}
			s := softmax{classes: c.classes, smoothing: 0.1, threads: 2}
			for class := range c.classes {
				s.weights = append(s.weights, 0.5+float64(class%3))
			}
			p, err := newProducts(x, c.classes)
			must(t, err)
			w := randomVector(c.classes*(c.f+1), 2)
			for i := range w {
				w[i] *= 0.5
			}
			roles, learn, hold := make([]role, c.photos), []int{}, []int{}
			for i := range roles {
				if roles[i] = []role{learnt, learnt, judged, unused}[i%4]; roles[i] == learnt {
					learn = append(learn, i)
				} else if roles[i] == judged {
					hold = append(hold, i)
				}
			}
			o := newObjective(p, s, 0, roles)
			got, want, unused := make([]float64, len(w)), make([]float64, len(w)), make([]float64, len(w))
			loss := o.at(w, got)
			sums := s.pass(x, learn, w, want)
			near := func(what string, got, want float64) {
				t.Helper()
				if !(math.Abs(got-want) < 5e-7*(1+math.Abs(want))) {
					t.Errorf("%s: %g, want %g", what, got, want)
				}
			}
			near("loss", loss, sums.mean())
			for i := range got {
				near("gradient", got[i], want[i])
			}
			if len(hold) > 0 {
				held := s.pass(x, hold, w, unused)
				near("loss of what is held out", o.held.mean(), held.mean())
				if o.held.correct != held.correct || o.last.correct != sums.correct {
					t.Errorf("%d and %d right, want %d and %d", o.last.correct, o.held.correct, sums.correct, held.correct)
				}
			}
			logits := s.predict(x, w)
			for _, i := range hold {
				for k := range c.classes {
					near("logit", o.answer(i)[k], float64(logits[i*c.classes+k]))
				}
			}
			decayed := newObjective(p, s, 0.3, roles)
			near("decay", decayed.at(w, unused)-loss, 0.15*dot(w[:c.classes*c.f], w[:c.classes*c.f]))
			for i := range c.classes * c.f {
				near("gradient of decay", unused[i]-got[i], 0.3*w[i])
			}
		})
	}
}

// TestObjectiveBits: threads and instruction sets change no bit.
func TestObjectiveBits(t *testing.T) {
	x := cloud(1000, 33, 1, false, 4)
	w := randomVector(3*34, 5)
	var want []float64
	loss := 0.0
	type variant struct {
		threads int
		isa     string
	}
	variants := []variant{{1, ""}, {3, ""}}
	for _, isa := range otherSets(t) {
		variants = append(variants, variant{2, isa})
	}
	for _, v := range variants {
		if v.isa != "" {
			t.Setenv("REGRAFT_ISA", v.isa)
		}
		p, err := newProducts(x, 3)
		if err != nil {
			t.Fatal(err)
		}
		o := newObjective(p, softmax{classes: 3, threads: v.threads}, 0.01, nil)
		gradient := make([]float64, len(w))
		l := o.at(w, gradient)
		if want == nil {
			want, loss = gradient, l
		}
		if l != loss {
			t.Errorf("%+v: loss %g and %g", v, l, loss)
		}
		for i, g := range gradient {
			if g != want[i] {
				t.Fatalf("%+v: gradient %d: %g and %g", v, i, g, want[i])
			}
		}
	}
}

func BenchmarkObjective(b *testing.B) {
	x := cloud(1080, 2048, 1, false, 1)
	p, err := newProducts(x, 9)
	if err != nil {
		b.Fatal(err)
	}
	w := randomVector(9*2049, 1)
	o := newObjective(p, softmax{classes: 9, threads: 1}, 0.01, nil)
	gradient := make([]float64, len(w))
	for b.Loop() {
		o.at(w, gradient)
	}
}
