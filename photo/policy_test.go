package photo

import (
	"fmt"
	"image"
	"math"
	"reflect"
	"slices"
	"testing"
)

// likely fails where n of total draws are further than four standard deviations from a share of them.
func likely(t *testing.T, what string, n, total int, share float64) {
	t.Helper()
	if d := math.Abs(float64(n) - share*float64(total)); d > 4*math.Sqrt(share*(1-share)*float64(total)) {
		t.Errorf("%s: %d of %d, want about %.4g", what, n, total, share*float64(total))
	}
}

// evenly fails where numbers are not spread evenly from low to high.
func evenly(t *testing.T, what string, values []float64, low, high float64) {
	t.Helper()
	slices.Sort(values)
	n := float64(len(values))
	most := 0.0 // Kolmogorov's distance: beyond 2/sqrt(n) once in 1500 times
	for i, v := range values {
		if v < low || v > high {
			t.Fatalf("%s: %g is not between %g and %g", what, v, low, high)
		}
		most = max(most, math.Abs((v-low)/(high-low)-(float64(i)+0.5)/n))
	}
	if most > 2/math.Sqrt(n) {
		t.Errorf("%s: %d draws are not spread evenly from %g to %g: %.3f", what, len(values), low, high, most)
	}
}

// TestPolicyDraws: every operation is drawn equally often, with either sign and, by TrivialAugmentWide, at every level; RandAugment keeps to
// its level and number.
func TestPolicyDraws(t *testing.T) {
	const n = 20000
	operations, turns := map[Operation]int{}, map[float64]int{}
	for i := range n {
		d := Augment{Operations: 2, Level: 9}.Draw(Occasion{1, i % 3, i}, 400, 300, Size{200, 331})
		if len(d.Changes) != 2 {
			t.Fatalf("%v", d.Changes)
		}
		for _, c := range d.Changes {
			operations[c.Operation]++
			turns[c.Magnitude]++
			if is := c.Magnitude; c.Operation == TranslateX && math.Abs(is) != 45 || c.Operation == TranslateY && math.Abs(is) != 27 { // 150/331 * side * 9/30, cut
				t.Fatalf("%v", c)
			}
		}
	}
	if len(operations) != 14 {
		t.Errorf("operations: %v", operations)
	}
	for op, times := range operations {
		likely(t, string(op), times, 2*n, 1./14)
	}
	likely(t, "turns to the left", turns[9], 2*n, 1./28)
	likely(t, "turns to the right", turns[-9], 2*n, 1./28)
	levels, total := map[float64]int{}, 0
	for i := range n {
		d := Augment{Trivial: true}.Draw(Occasion{1, i % 3, i}, 400, 300, Square(299))
		if len(d.Changes) != 1 {
			t.Fatalf("%v", d.Changes)
		}
		if c := d.Changes[0]; c.Operation == Rotate {
			levels[math.Abs(c.Magnitude)]++
			total++
		}
	}
	likely(t, "turns", total, n, 1./14)
	for level := range Levels {
		likely(t, fmt.Sprint("turns of level ", level), levels[4.5*float64(level)], total, 1./Levels)
	}
}

// TestJitterDraws: factors and turns are spread evenly, their order is any, and what is zero changes nothing.
func TestJitterDraws(t *testing.T) {
	const n = 5000
	values, orders := map[Operation][]float64{}, map[string]int{}
	for i := range n {
		d := Augment{Jitter: Jitter{0.4, 2, 0.1, 0.25}}.Draw(Occasion{1, 2, i}, 40, 30, Square(10))
		order := ""
		for _, c := range d.Changes {
			values[c.Operation] = append(values[c.Operation], c.Magnitude)
			order += string(c.Operation[:1])
		}
		orders[order]++
	}
	evenly(t, "brightness", values[Brightness], 0.6, 1.4)
	evenly(t, "contrast", values[Contrast], 0, 3)
	evenly(t, "saturation", values[Saturation], 0.9, 1.1)
	evenly(t, "hue", values[Hue], -0.25, 0.25)
	if len(orders) != 24 {
		t.Errorf("%d orders", len(orders))
	}
	for order, times := range orders {
		likely(t, order, times, n, 1./24)
	}
	if c := (Augment{Jitter: Jitter{Contrast: 1}}).Draw(Occasion{}, 4, 3, Square(10)).Changes; len(c) != 1 || c[0].Operation != Contrast {
		t.Errorf("of contrast alone: %v", c)
	}
}

// TestErase: so many photos lose a rectangle, whose share of the area is spread evenly and which lies anywhere.
func TestErase(t *testing.T) {
	const n = 8000
	size, erased := Size{300, 400}, 0
	var all image.Rectangle
	var areas, ratios []float64
	var left, top int
	for i := range n {
		r := Augment{Erase: 0.3}.Draw(Occasion{1, 2, i}, 40, 30, size).Erased
		if r.Empty() {
			continue
		}
		erased++
		all = all.Union(r)
		if !r.In(image.Rect(0, 0, size.W, size.H)) {
			t.Fatalf("%v", r)
		}
		areas = append(areas, float64(r.Dx()*r.Dy())/float64(size.W*size.H))
		ratios = append(ratios, math.Log(float64(r.Dy())/float64(r.Dx()))/math.Log(3.3))
		if r.Min.X < size.W-r.Max.X {
			left++
		}
		if r.Min.Y < size.H-r.Max.Y {
			top++
		}
	}
	likely(t, "erased", erased, n, 0.3)
	likely(t, "on the left", left, erased, 0.5)
	likely(t, "on top", top, erased, 0.5)
	if all != image.Rect(0, 0, size.W, size.H) {
		t.Errorf("all lie in %v", all)
	}
	// Sides are whole pixels.
	if least, most := slices.Min(areas), slices.Max(areas); least < 0.019 || least > 0.021 || most > 0.335 || most < 0.325 {
		t.Errorf("shares of the area from %g to %g", least, most)
	}
	if least, most := slices.Min(ratios), slices.Max(ratios); least < -1.025 || least > -0.99 || most > 1.015 || most < 0.98 {
		t.Errorf("logarithms of ratios from %g to %g of 3.3's", least, most)
	}
	likely(t, "large ones", above(areas, 0.175), erased, 0.5) // rectangles that are too long to fit are drawn again: a few of the largest
	likely(t, "high ones", above(ratios, 0), erased, 0.5)
	if d := (Augment{Erase: 1}).Draw(Occasion{}, 1, 1, Square(1)); !d.Erased.Empty() {
		t.Errorf("of one pixel %v is erased", d.Erased)
	}
}

func above(values []float64, bound float64) (n int) {
	for _, v := range values {
		if v > bound {
			n++
		}
	}
	return n
}

// TestSwitches: what is asked for beside it changes no number of a policy.
func TestSwitches(t *testing.T) {
	all := Augment{FlipX: true, Crop: true, Scale: 0.08, Jitter: Jitter{0.4, 0.4, 0.4, 0.1}, Operations: 2, Level: 9, Erase: 1}
	for i := range 20 {
		o := Occasion{1, 2, i}
		d := all.Draw(o, 300, 200, Square(99))
		jitter, rand, erase := Augment{Jitter: all.Jitter}.Draw(o, 300, 200, Square(99)), Augment{Operations: 2, Level: 9}.Draw(o, 300, 200, Square(99)),
			Augment{Erase: 1}.Draw(o, 300, 200, Square(99))
		if !reflect.DeepEqual(d.Changes, slices.Concat(jitter.Changes, rand.Changes)) || d.Erased != erase.Erased {
			t.Errorf("%+v", d)
		}
		if crop := (Augment{FlipX: true, Crop: true, Scale: 0.08}).Draw(o, 300, 200, Square(99)); crop.W != d.W || crop.X != d.X || crop.FlipX != d.FlipX {
			t.Errorf("%+v beside %+v", d, crop)
		}
	}
}
