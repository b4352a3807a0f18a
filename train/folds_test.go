package train

import (
	"fmt"
	"math"
	"os"
	"reflect"
	"slices"
	"strings"
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

// inGroups are the groups of photos that have the same name; "" is that of a photo alone.
func inGroups(samples []photo.Sample, name func(i int) string) [][]int {
	var groups [][]int
	at := map[string]int{}
	for i := range samples {
		n := name(i)
		if _, seen := at[n]; n == "" || !seen {
			at[n] = len(groups)
			groups = append(groups, nil)
		}
		groups[at[n]] = append(groups[at[n]], i)
	}
	return groups
}

// alone are groups of one photo.
func alone(samples []photo.Sample) [][]int {
	return inGroups(samples, func(int) string { return "" })
}

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
	part, k := folds(samples, inGroups(samples, group), 4, 5, 1)
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
	again, _ := folds(samples, inGroups(samples, group), 4, 5, 1)
	other, _ := folds(samples, inGroups(samples, group), 4, 5, 2)
	if !slices.Equal(part, again) || slices.Equal(part, other) {
		t.Error("the seed does not decide")
	}
	for _, few := range [][]int{{0, 1, 2}, {0}} {
		if part, k := folds(labelled(few...), alone(labelled(few...)), 3, 5, 1); part != nil || k != 0 {
			t.Errorf("%v: %d folds", few, k)
		}
	}
	if _, k := folds(labelled(0, 0, 1, 1, 1), alone(labelled(0, 0, 1, 1, 1)), 2, 5, 1); k != 3 {
		t.Errorf("%d folds of 3 photos", k)
	}
	if part, _ := folds(labelled(0, 0, 1, 1), [][]int{{0, 1}, {2, 3}}, 2, 5, 1); part != nil {
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
		c.part, c.folds = folds(labelled(x.labels[:n]...), alone(labelled(x.labels[:n]...)), 2, 5, 1)
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

// TestGroups: photos with equal bytes and with names that the pattern makes equal belong together, also by way of a third.
func TestGroups(t *testing.T) {
	samples := []photo.Sample{{Path: "d/a/s1_x.jpg"}, {Path: "d/a/s2_x.jpg"}, {Path: "d/b/s1_y.jpg"}, {Path: "d/b/s3.jpg"}, {Path: "d/b/other.jpg"}}
	hashes := map[string]photo.Hash{samples[1].Path: {1}, samples[2].Path: {1}, samples[3].Path: {2}, samples[4].Path: {3}}
	for pattern, want := range map[string]string{
		"":        "[[0] [1 2] [3] [4]]",
		`s\d+`:    "[[0 1 2] [3] [4]]",
		`/(s)\d`:  "[[0 1 2 3] [4]]",
		`^a/|^b/`: "[[0 1 2 3 4]]",
		`nowhere`: "[[0] [1 2] [3] [4]]",
	} {
		g := newGrouping(&Config{Data: "d", GroupBy: pattern}, hashes, nil)
		if got := fmt.Sprint(g.groups(samples)); got != want {
			t.Errorf("%q: %s, want %s", pattern, got, want)
		}
	}
	g := newGrouping(&Config{Data: "d"}, hashes, map[string]int{samples[0].Path: 0, samples[2].Path: 0, samples[3].Path: 1})
	if got := fmt.Sprint(g.groups(samples)); got != "[[0 1 2] [3] [4]]" {
		t.Errorf("with photos that look the same: %s", got)
	}
}

// TestAlikeInFolds: photos that look the same are in one fold, in a run that is resumed too.
func TestAlikeInFolds(t *testing.T) {
	r := &training{sets: &sets{Dataset: &photo.Dataset{Train: labelled(0, 0, 1), Test: labelled(0, 1)}}}
	for i := range r.sets.Test {
		r.sets.Test[i].Path = fmt.Sprint("test", i)
	}
	groups := [][]int{{0, 3}, {1, 2, 4}}
	must(t, r.takeAlike(groups))
	if got := r.lookalikes(); !reflect.DeepEqual(got, groups) {
		t.Errorf("%v", got)
	}
	g := newGrouping(&Config{}, nil, r.alike)
	if got := fmt.Sprint(g.groups(r.sets.Train)); got != "[[0] [1 2]]" {
		t.Errorf("groups of train: %s", got)
	}
	for _, bad := range [][][]int{{{0, 5}}, {{-1, 0}}} {
		if r.takeAlike(bad) == nil {
			t.Errorf("%v: taken", bad)
		}
	}
}

// TestGroupsInSplits: no group is on both sides, of folds or of a split, and an expression that does not compile is refused.
func TestGroupsInSplits(t *testing.T) {
	data := photos(t, map[string]int{"train": 12})
	c := narrowRun(t, Full, data)
	c.GroupBy, c.ValSplit = `(\d)\.png`, 0.3 // 000 and 010, 001 and 011 of all classes
	s, err := scan(&c)
	must(t, err)
	g := newGrouping(&c, nil, nil)
	side := map[string]string{}
	for name, samples := range map[string][]photo.Sample{"train": s.train, "val": s.val} {
		for _, p := range samples {
			if was := side[g.name(p.Path)]; was != "" && was != name {
				t.Errorf("group %s is in %s and %s", g.name(p.Path), was, name)
			}
			side[g.name(p.Path)] = name
		}
	}
	if len(s.train)+len(s.val) != 36 || len(s.val) == 0 {
		t.Errorf("%d and %d photos", len(s.train), len(s.val))
	}
	c.GroupBy = "("
	fails(t, c, "GroupBy")
	c = narrowRun(t, Heads, data)
	c.GroupBy, c.Folds = `(\d)\.png`, 4
	r := fit(t, c)
	if r.Choice.Groups != 10 || r.Choice.Folds != 4 || len(r.Curve) != 4 || r.CurveAdvice == "" || !slices.Contains(r.Advice, r.CurveAdvice) || r.OutOfFold.Images != 36 {
		t.Errorf("%+v, %d points, %q", r.Choice, len(r.Curve), r.Advice)
	}
}

// TestInterval compares with Wilson's formula in Python.
func TestInterval(t *testing.T) {
	for _, c := range []struct {
		right, n  int
		low, high float64
	}{{83, 100, 0.7445199523239887, 0.8910643388594006}, {0, 10, 0, 0.2775327998628892}, {447, 540, 0.7936449817271314, 0.8572800153623505}} {
		got := Interval(c.right, c.n)
		if d, e := got[0]-c.low, got[1]-c.high; math.Abs(d) > 1e-12 || math.Abs(e) > 1e-12 {
			t.Errorf("%d of %d: %v, want %g to %g: %g and %g away", c.right, c.n, got, c.low, c.high, d, e)
		}
	}
}

// TestCurveAdvice: the sentence follows from what twice as many photos brought.
func TestCurveAdvice(t *testing.T) {
	rights := func(n int) []bool {
		r := make([]bool, 100)
		for i := range n {
			r[i] = true
		}
		return r
	}
	report := &Report{PerClass: []PerClass{{Label: "nobody"}, {Label: "a", N: 9, F1: 0.9}, {Label: "b", N: 9, F1: 0.5}, {Label: "c", N: 9, F1: 0.7}}}
	for half, says := range map[int]string{60: "The weakest class is b (F1 0.50)", 61: "would help", 78: "may help", 80: "would hardly help"} {
		points := []CurvePoint{{}, {Photos: 50, right: rights(half)}, {}, {Photos: 100, right: rights(80)}}
		if got := curveAdvice(points, report); !strings.Contains(got, says) {
			t.Errorf("%d of 100 with half of the photos, 80 with all: %s", half, got)
		}
	}
}

// TestCrossValidate: no files, and the figures of a run with the same settings.
func TestCrossValidate(t *testing.T) {
	c := narrowRun(t, Heads, photos(t, map[string]int{"train": 10, "test": 2}))
	c.Epochs, c.Views = 0, 0
	v, err := CrossValidate(t.Context(), c, nil)
	must(t, err)
	if _, err := os.Stat(c.Out); err == nil {
		t.Error("something was written")
	}
	r := fit(t, c)
	if v.Choice.Loss != r.Choice.Loss || v.Report.Images != 30 || len(v.Right) != 30 || v.Features != 20 {
		t.Errorf("%+v, want %+v", v.Choice, r.Choice)
	}
}
