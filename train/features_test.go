package train

import (
	"math"
	"slices"
	"testing"

	"gorgonia.org/tensor"

	"regraft/engine"
	"regraft/engine/random"
	"regraft/head"
)

// headOf is a linear head with random parameters.
func headOf(classes, f int) *head.Head {
	r := random.At(9, "head of test")
	draw := func(n int) []float32 {
		v := make([]float32, n)
		for i := range v {
			v[i] = float32(r.Normal())
		}
		return v
	}
	return &head.Head{
		Classes: classes, Features: f,
		Weight: &engine.Param{Name: "fc.weight", Shape: tensor.Shape{classes, f}, Value: draw(classes * f)},
		Bias:   &engine.Param{Name: "fc.bias", Shape: tensor.Shape{classes}, Value: draw(classes)},
	}
}

// TestStandardisingFolds: a head on raw features answers as its parameters, changed by into, do on standardised
// ones; outOf takes them back. float32 rounding of 10 features of size 1 leaves about 1e-6.
func TestStandardisingFolds(t *testing.T) {
	x, h := cloud(50, 10, 1, false, 1), headOf(3, 10)
	for i := range x.data {
		x.data[i] = 0.02*x.data[i] + 0.3*float32(i%10)
	}
	raw := &features{data: slices.Clone(x.data), labels: x.labels, positions: 1, f: 10}
	s := standardise(x)
	s.apply(x)
	sum, square := 0.0, 0.0
	for _, v := range x.data {
		sum += float64(v)
		square += float64(v) * float64(v)
	}
	if n := float64(len(x.data)); math.Abs(sum/n) > 1e-6 || math.Abs(square/n-1) > 1e-6 {
		t.Errorf("mean %g, mean square %g", sum/n, square/n)
	}
	plain := standard{mean: make([]float64, 10), scale: 1}
	reg := softmax{classes: 3, threads: 1}
	before, w := reg.predict(raw, plain.into(h)), s.into(h)
	after := reg.predict(x, w)
	s.outOf(w, h)
	back := reg.predict(raw, plain.into(h))
	for i, v := range before {
		if math.Abs(float64(v-after[i])) > 1e-5 || math.Abs(float64(v-back[i])) > 1e-5 {
			t.Fatalf("logit %d: %g, standardised %g, folded back %g", i, v, after[i], back[i])
		}
	}
}

func TestMapsBecomePositions(t *testing.T) {
	x := &features{positions: 3, f: 2, data: make([]float32, 12)}
	x.setMap(0, []float32{1, 2, 3, 10, 20, 30})
	x.setMap(1, []float32{4, 5, 6, 40, 50, 60})
	want := []float32{1, 10, 2, 20, 3, 30, 4, 40, 5, 50, 6, 60}
	if !slices.Equal(x.data, want) {
		t.Errorf("%v, want %v", x.data, want)
	}
}
