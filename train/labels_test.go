package train

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"regraft/engine/random"
)

// flip gives n photos another label, by the seed, and says which.
func flip(x *features, n, classes int, seed uint64) []bool {
	photos := len(x.labels)
	flipped := make([]bool, photos)
	r := random.At(seed, "flips of test")
	for _, i := range r.Perm(photos)[:n] {
		flipped[i] = true
		x.labels[i] = (x.labels[i] + 1 + r.IntN(classes-1)) % classes
	}
	return flipped
}

// found are the share of the n worst that were flipped, and the area under ROC.
func found(score []float64, flipped []bool, n int) (precision, area float64) {
	order := make([]int, len(score))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(score[b], score[a]) })
	hits, above, pairs := 0, 0, 0
	for rank, i := range order {
		if flipped[i] {
			above++
			if rank < n {
				hits++
			}
		} else {
			pairs += above
		}
	}
	return float64(hits) / float64(n), float64(pairs) / float64(above*(len(score)-above))
}

// TestFlippedLabelsOnPlaces measures how well flipped labels are found on the features of places9, by one round of 5 folds and by the
// whole way, the mean of five seeds.
func TestFlippedLabelsOnPlaces(t *testing.T) {
	if os.Getenv("REGRAFT_TEST_CACHE") == "" {
		t.Skip("REGRAFT_TEST_CACHE names no cache with the features of places9")
	}
	c := places(t, Heads)
	c.Views = 1
	r, heads, err := beginFolds(t.Context(), c, nil)
	must(t, err)
	main, n := heads.solvers[0], len(r.sets.train)
	x := main.products.x
	labels := slices.Clone(x.labels)
	for _, flips := range []int{27, 54} {
		var precision, area [2]float64
		for seed := range uint64(5) {
			copy(x.labels, labels)
			flipped := flip(x, flips, 9, seed)
			d := &doubter{chooser: chooser{products: main.products, classes: 9, photos: n, views: 1, start: main.start(), softmax: main.softmax}, seed: seed}
			d.samples = labelled(x.labels...)
			d.groups = alone(d.samples)
			p, err := d.scores(t.Context())
			must(t, err)
			whole := make([]float64, n)
			for i := range whole {
				whole[i] = 1 - p[i*9+x.labels[i]]
			}
			d.keep = nil
			d.part, d.folds = folds(d.samples, d.groups, 9, 5, seed)
			one, err := d.try(t.Context(), labelDecay, 1, nil, 0)
			must(t, err)
			e := one.answers(&d.chooser, d.samples)
			single := make([]float64, n)
			for i := range single {
				single[i] = 1 - e.probabilities(i)[x.labels[i]]
			}
			for k, score := range [][]float64{single, whole} {
				a, b := found(score, flipped, flips)
				precision[k] += a / 5
				area[k] += b / 5
			}
		}
		t.Logf("%d flips: 5 folds once: precision %.3f, area %.3f; the whole way: %.3f, %.3f", flips, precision[0], area[0], precision[1], area[1])
		if precision[1] < precision[0] || area[1] < area[0] {
			t.Error("the way is not worth its time")
		}
	}
}

// TestDoubter: labels that were changed come first.
func TestDoubter(t *testing.T) {
	x := cloud(90, 9, 1, false, 8)
	flipped := flip(x, 3, 3, 1)
	p, err := newProducts(x, 3)
	must(t, err)
	samples := labelled(x.labels...)
	d := &doubter{
		chooser: chooser{products: p, classes: 3, photos: 90, views: 1, start: make([]float64, 30), softmax: softmax{classes: 3, threads: 2}},
		samples: samples, groups: alone(samples),
	}
	scores, err := d.scores(t.Context())
	must(t, err)
	doubt := make([]float64, 90)
	for i := range doubt {
		doubt[i] = 1 - scores[i*3+x.labels[i]]
	}
	if precision, _ := found(doubt, flipped, 3); precision != 1 {
		t.Errorf("%g of the flipped labels are the most doubtful", precision)
	}
}

// TestDoubtLabels: every photo of train and val has a score, the worst first.
func TestDoubtLabels(t *testing.T) {
	data := photos(t, map[string]int{"train": 16, "val": 4, "test": 4})
	list, err := DoubtLabels(t.Context(), narrowRun(t, Heads, data), nil)
	must(t, err)
	if len(list) != 60 || !slices.IsSortedFunc(list, func(a, b LabelDoubt) int { return cmp.Compare(b.Score, a.Score) }) {
		t.Errorf("%d photos, or not the worst first", len(list))
	}
	for _, l := range list {
		if class := filepath.Base(filepath.Dir(l.Path)); l.Label != class || l.Likely == "" || !(l.Score > 0 && l.Score < 1) {
			t.Errorf("%+v", l)
		}
	}
}
