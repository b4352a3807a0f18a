package train

import (
	"fmt"
	"slices"
	"testing"

	"regraft/photo"
)

// labelled are photos with these labels.
func labelled(labels ...int) []photo.Sample {
	var s []photo.Sample
	for i, l := range labels {
		s = append(s, photo.Sample{Path: fmt.Sprint(i), Label: l})
	}
	return s
}

func alone(int) string { return "" }

// TestFolds: every class is spread evenly, groups stay together, the seed decides, and classes with one group are never held out.
func TestFolds(t *testing.T) {
	var labels []int
	for class, n := range []int{23, 10, 3, 1} {
		labels = append(labels, slices.Repeat([]int{class}, n)...)
	}
	samples := labelled(labels...)
	group := func(i int) string {
		if i < 6 || i >= 33 && i < 35 { // 6 of class 0, 2 of class 2
			return fmt.Sprint("g", samples[i].Label)
		}
		return ""
	}
	part, k := folds(samples, group, 4, 5, 1)
	if k != 5 {
		t.Fatalf("%d folds", k)
	}
	count := map[[2]int]int{}
	for i, p := range part {
		count[[2]int{p, samples[i].Label}]++
		if group(i) != "" && part[slices.IndexFunc(samples, func(s photo.Sample) bool { return s.Label == samples[i].Label })] != p && samples[i].Label == 0 {
			t.Errorf("photo %d is apart from its group", i)
		}
	}
	if part[33] != part[34] || part[36] != -1 {
		t.Errorf("the pair in %d and %d, the only one of its class in %d", part[33], part[34], part[36])
	}
	for fold := range k {
		if n := count[[2]int{fold, 1}]; n != 2 {
			t.Errorf("fold %d has %d of 10 photos", fold, n)
		}
		if n := count[[2]int{fold, 0}]; n < 4 || n > 6 {
			t.Errorf("fold %d has %d of 23 photos", fold, n)
		}
	}
	again, _ := folds(samples, group, 4, 5, 1)
	other, _ := folds(samples, group, 4, 5, 2)
	if !slices.Equal(part, again) || slices.Equal(part, other) {
		t.Error("the seed does not decide")
	}
	for _, few := range [][]int{{0, 1, 2}, {0}} {
		if part, k := folds(labelled(few...), alone, 3, 5, 1); part != nil || k != 0 {
			t.Errorf("%v: %d folds", few, k)
		}
	}
	if _, k := folds(labelled(0, 0, 1, 1, 1), alone, 2, 5, 1); k != 3 {
		t.Errorf("%d folds of 3 photos", k)
	}
	if part, _ := folds(labelled(0, 0, 1, 1), func(i int) string { return fmt.Sprint(i / 2) }, 2, 5, 1); part != nil {
		t.Error("one group in each class can be held out")
	}
}

// TestMirrorsThatHurt: folds keep the mirror images where they help, and leave them out where a class is another's mirror image.
func TestMirrorsThatHurt(t *testing.T) {
	for hurts, views := range map[bool]int{false: 2, true: 1} {
		const n = 30
		x := &features{positions: 1, f: 6}
		x.data, x.labels = make([]float32, 2*n*6), make([]int, 2*n)
		noise := cloud(n, 6, 1, false, 3)
		for i := range n {
			label := i % 2
			x.labels[i], x.labels[n+i] = label, label
			for view := range 2 {
				row := x.of(view*n + i)
				for f := range row {
					row[f] = 0.8 * noise.of(i)[(f+3*view)%6]
				}
				side := label
				if hurts && view == 1 {
					side = 1 - label
				}
				row[side] += 0.7
			}
		}
		p, err := newProducts(x, 2)
		must(t, err)
		c := &chooser{products: p, classes: 2, photos: n, views: 2, start: make([]float64, 14), softmax: softmax{classes: 2, threads: 2}}
		c.part, c.folds = folds(labelled(x.labels[:n]...), alone, 2, 5, 1)
		best, err := c.choose(t.Context(), ByFolds, 0, 0)
		must(t, err)
		if best.views != views {
			t.Errorf("mirror images hurt: %v; %d views were chosen: %+v", hurts, best.views, c.trials)
		}
	}
}

// TestTestChoosesNothing: what the photos to test show decides nothing, unless that is asked for, and then the summary says so.
func TestTestChoosesNothing(t *testing.T) {
	data := photos(t, map[string]int{"train": 8, "test": 4})
	other := photos(t, map[string]int{"train": 8, "test": 2})
	for _, mode := range []Mode{Heads, Full} {
		var sums []string
		for _, d := range []string{data, other} {
			c := narrowRun(t, mode, d)
			c.Views = 0
			r := fit(t, c)
			if r.ReportedOn != SetTest || r.SelectedOn == SetTest || r.Note != "" || (r.Choice != nil) != (mode == Heads) {
				t.Errorf("%s: reported on %s, selected on %s, %q", mode, r.ReportedOn, r.SelectedOn, r.Note)
			}
			sums = append(sums, sum(t, r.Model))
		}
		if sums[0] != sums[1] {
			t.Errorf("%s: other photos to test give another model", mode)
		}
		c := narrowRun(t, mode, data)
		c.SelectOn = SetTest
		if r := fit(t, c); r.SelectedOn != SetTest || r.ReportedOn != SetTest || r.Note == "" || r.Report.Images != 12 {
			t.Errorf("%s: selected on %s, %q", mode, r.SelectedOn, r.Note)
		}
	}
}

// TestOutOfFold: where there is nothing to test on, the report is about photos that were held out.
func TestOutOfFold(t *testing.T) {
	c := narrowRun(t, Heads, photos(t, map[string]int{"train": 10}))
	c.Epochs, c.Views = 0, 0
	r := fit(t, c)
	if r.ReportedOn != SetFolds || r.Report.Images != 30 || r.Choice.Photos != 30 || r.Choice.Folds != 5 || len(r.Epochs) != r.Choice.Iterations {
		t.Errorf("%d photos of %s; %+v", r.Report.Images, r.ReportedOn, r.Choice)
	}
	if d := r.Report.Loss - r.Choice.Loss; d > 1e-5 || d < -1e-5 || r.Report.Accuracy != r.Choice.Accuracy {
		t.Errorf("report %g, %g; choice %g, %g", r.Report.Loss, r.Report.Accuracy, r.Choice.Loss, r.Choice.Accuracy)
	}
	c.Resume, c.Epochs = true, r.Choice.Iterations+2
	if again := fit(t, c); len(again.Epochs) != c.Epochs {
		t.Errorf("%d epochs after resuming, want %d", len(again.Epochs), c.Epochs)
	}
}
