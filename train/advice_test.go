package train

import (
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"regraft/engine"
	"regraft/engine/random"
	"regraft/featurecache"
	"regraft/photo"
)

// curve makes epochs of (training loss, loss of the photos that select).
func curve(losses ...[2]float64) []Epoch {
	var epochs []Epoch
	for i, l := range losses {
		epochs = append(epochs, Epoch{Epoch: engine.Epoch{Number: i + 1, TrainLoss: l[0], ValLoss: l[1], ValAcc: 0.5}})
	}
	return epochs
}

// rightAt are answers: photo i is right where right[i] is 'y'.
func rightAt(right string) *Evaluation {
	e := &Evaluation{Classes: 2}
	for _, is := range right {
		e.Samples = append(e.Samples, photo.Sample{Label: 0})
		if is == 'y' {
			e.Logits = append(e.Logits, 1, 0)
		} else {
			e.Logits = append(e.Logits, 0, 1)
		}
	}
	return e
}

// repeated are answers of which so many are right.
func repeated(right, wrong int) []bool {
	return append(slices.Repeat([]bool{true}, right), make([]bool, wrong)...)
}

// TestAdvice: every rule speaks where its condition holds, and only there.
func TestAdvice(t *testing.T) {
	stepwise := Config{Optimizer: SGD, LearningRate: 0.1}
	three := []string{"a", "b", "c"}
	confusion := func(rows ...[]int) *Report {
		r := &Report{Confusion: rows}
		for i := range rows {
			r.PerClass = append(r.PerClass, PerClass{Label: three[i]})
		}
		return r
	}
	fine := curve([2]float64{1, 1}, [2]float64{0.5, 0.6}, [2]float64{0.3, 0.5})
	for _, c := range []struct {
		rule, says string // part of the sentence; "" for none
		m          measured
	}{
		{"selected on test", "chose the best of 3 epochs", measured{result: &Result{SelectedOn: SetTest, Epochs: fine}}},
		{"selected on test", "", measured{result: &Result{SelectedOn: SetVal, Epochs: fine}}},
		{"duplicates", "2 of 6 photos of test are in train too, by bytes or looks. Of the others 50.0 % are right instead of 66.7",
			measured{result: &Result{ReportedOn: SetTest}, answers: rightAt("yyyynn"), seen: []bool{true, true, false, false, false, false}}},
		{"duplicates", "all 2 photos of test", measured{result: &Result{ReportedOn: SetTest}, answers: rightAt("yn"), seen: []bool{true, true}}},
		{"duplicates", "", measured{result: &Result{ReportedOn: SetTest}, answers: rightAt("yyyynn"), seen: make([]bool, 6)}},
		{"duplicates", "", measured{result: &Result{ReportedOn: SetTest}, answers: rightAt("nyyy"), seen: []bool{true, false, false, false}}}, // explain nothing
		{"preprocessing", "photos speak for pixels from 0 to 1", measured{result: &Result{Assumption: &Assumption{
			Scaling: "ImageNet's mean and std", Better: "pixels from 0 to 1", Trials: []Trial{{Scaling: "ImageNet's mean and std"}, {Scaling: "pixels from 0 to 1"}},
		}}}},
		{"preprocessing", "", measured{result: &Result{Assumption: &Assumption{Scaling: "ImageNet's mean and std", Trials: []Trial{{}}}}}},
		{"preprocessing", "", measured{result: &Result{}}},
		{"not reached", "ended with 20.0 % of val right", measured{
			config: stepwise, result: &Result{SelectedOn: SetVal}, reached: &Reached{repeated(20, 80), repeated(80, 20)},
		}},
		{"not reached", "", measured{config: stepwise, result: &Result{}, reached: &Reached{repeated(78, 22), repeated(80, 20)}}},   // hardly more
		{"not reached", "", measured{config: stepwise, result: &Result{}, reached: &Reached{repeated(970, 30), repeated(1000, 0)}}}, // surely, and hardly
		{"not reached", "", measured{config: stepwise, result: &Result{}, reached: &Reached{repeated(8, 4), repeated(12, 0)}}},      // may be chance
		{"not reached", "", measured{config: stepwise, result: &Result{}, reached: &Reached{repeated(80, 20), repeated(20, 80)}}},
		{"rate too high", "rose in 2 of 5 epochs. Try a tenth of LearningRate 0.1", measured{config: stepwise, classes: three, result: &Result{
			Epochs: curve([2]float64{0.9, 1}, [2]float64{1, 1}, [2]float64{0.8, 1}, [2]float64{1, 1}, [2]float64{0.7, 1}),
		}}},
		{"rate too high", "after 2 epochs the training loss is 1.20, and guessing has 1.10", measured{config: stepwise, classes: three, result: &Result{
			Epochs: curve([2]float64{3, 1}, [2]float64{1.2, 1}),
		}}},
		{"rate too high", "", measured{config: stepwise, classes: three, result: &Result{Epochs: fine}}},
		{"rate too high", "", measured{config: stepwise, classes: three, result: &Result{
			Epochs: curve([2]float64{1, 1}, [2]float64{0.5, 1}, [2]float64{0.6, 1}, [2]float64{0.4, 1}),
		}}}, // once
		{"rate too high", "", measured{config: Config{Optimizer: LBFGS}, classes: three, result: &Result{Epochs: curve([2]float64{3, 1}, [2]float64{2, 1})}}},
		{"upside down", "98 % of 100 photos are told from their images upside down", measured{upright: &Upright{100, 0.98, 0.7, 0.8}}},
		{"upside down", "Leave vflip out", measured{upright: &Upright{144, 0.7, 0.7, 0.8}}},
		{"upside down", "Make a run without vflip", measured{upright: &Upright{144, 0.7, 0.9, 0.8}}}, // which helps heads
		{"upside down", "", measured{upright: &Upright{144, 0.6, 0.7, 0.8}}},
		{"upside down", "", measured{upright: &Upright{20, 0.7, 0.7, 0.8}}}, // may be chance
		{"upside down", "", measured{}},
		{"overfitting", "since epoch 2 the training loss has fallen from 0.500 to 0.100 and that of val has risen from 0.600 to 0.900", measured{result: &Result{
			SelectedOn: SetVal, Epochs: curve([2]float64{1, 1}, [2]float64{0.5, 0.6}, [2]float64{0.3, 0.7}, [2]float64{0.1, 0.9}),
		}}},
		{"overfitting", "", measured{result: &Result{Epochs: fine}}},
		{"overfitting", "", measured{result: &Result{Epochs: curve([2]float64{1, 1}, [2]float64{0.5, 0.6}, [2]float64{0.3, 0.62})}}}, // hardly
		{"overfitting", "", measured{result: &Result{Epochs: curve([2]float64{1, 1}, [2]float64{0.5, 0.6}, [2]float64{0.9, 0.9})}}},  // both rise
		{"swallowed", "b swallows a (6 of 10 photos, 4 are right)", measured{report: confusion([]int{4, 6, 0}, []int{0, 9, 1}, []int{1, 1, 8})}},
		{"swallowed", "", measured{report: confusion([]int{6, 4, 0}, []int{0, 9, 1}, []int{1, 1, 8})}},
		{"swallowed", "", measured{report: confusion([]int{12, 13, 12}, []int{0, 9, 1}, []int{1, 1, 8})}}, // all over
		{"swallowed", "", measured{report: confusion([]int{4, 4, 3}, []int{0, 4, 0}, []int{3, 0, 1})}},
		{"few photos", "a 9. At least 10", measured{classes: three, trained: []int{9, 20, 30}}},
		{"few photos", "a 20. At least 25", measured{classes: three, trained: []int{20, 100, 90000}}},
		{"few photos", "", measured{classes: three, trained: []int{60, 60, 60}}},
		{"learning curve", "More photos", measured{result: &Result{CurveAdvice: "More photos would help."}}},
		{"learning curve", "", measured{result: &Result{}}},
	} {
		at := slices.IndexFunc(rules, func(r rule) bool { return r.name == c.rule })
		got := strings.Join(rules[at].says(&c.m), "\n")
		if c.says == "" && got != "" || !strings.Contains(got, c.says) {
			t.Errorf("%s: %q, want %q", c.rule, got, c.says)
		}
		if strings.Contains(got, "%!") {
			t.Errorf("%s: %s", c.rule, got)
		}
	}
	for _, r := range rules {
		if says := r.says(&measured{}); len(says) > 0 {
			t.Errorf("%s says %q of nothing", r.name, says)
		}
	}
}

// TestSeen: photos that are reported on count as learned from by their bytes and by their looks; where folds are reported on, none does.
func TestSeen(t *testing.T) {
	train := []photo.Sample{{Path: "a", Label: 0}, {Path: "b", Label: 1}, {Path: "c", Label: 1}}
	test := []photo.Sample{{Path: "as a", Label: 0}, {Path: "like b", Label: 1}, {Path: "alone", Label: 0}, {Path: "like alone", Label: 0}}
	r := &training{
		sets:   &sets{classes: []string{"x", "y"}, train: train},
		hashes: map[string]photo.Hash{"a": {1}, "b": {2}, "c": {3}, "as a": {1}, "like b": {4}, "alone": {5}, "like alone": {6}},
		alike:  map[string]int{"b": 0, "like b": 0, "alone": 1, "like alone": 1}, answers: &Evaluation{Samples: test},
	}
	m := r.measured(&Result{ReportedOn: SetTest}, nil)
	if !slices.Equal(m.seen, []bool{true, true, false, false}) || !slices.Equal(m.trained, []int{1, 2}) {
		t.Errorf("seen %v, trained %v", m.seen, m.trained)
	}
	if m := r.measured(&Result{ReportedOn: SetFolds}, nil); len(m.seen) > 0 {
		t.Errorf("of folds %v are seen", m.seen)
	}
}

// has tells whether a sentence of a run's advice begins so.
func has(r *Result, beginning string) bool {
	return slices.ContainsFunc(r.Advice, func(a string) bool { return strings.HasPrefix(a, beginning) })
}

// TestAdviceOfMistakes: the three mistakes of a course report, each in a run that makes it and one that does not: the test photos choose,
// heads do not learn what the features hold, photos are turned upside down.
func TestAdviceOfMistakes(t *testing.T) {
	data := upPhotos(t, map[string]int{"train": 30, "test": 8}, 100)
	cache := featurecache.Open(t.TempDir(), featurecache.DefaultLimit)
	run := func(mode Mode, mistake func(*Config)) *Result {
		c := narrowRun(t, mode, data)
		if mode == Heads {
			d := Defaults(Heads, SGD)
			d.Net, d.Data, d.Out, d.Seed, d.Epochs, d.LearningRate, d.NoReport, d.Cache = c.Net, c.Data, c.Out, 7, 40, 0.05, true, cache
			c = d
		} else {
			c.Epochs, c.WarmupEpochs = 1, 0
		}
		if mistake != nil {
			mistake(&c)
		}
		return fit(t, c)
	}
	sound := map[Mode]*Result{Heads: run(Heads, nil), Full: run(Full, nil)}
	for _, m := range []struct {
		beginning string
		mode      Mode
		make      func(*Config)
	}{
		{"The accuracy may be too good", Heads, func(c *Config) { c.SelectOn = SetTest }},
		{"The features hold more", Heads, func(c *Config) { c.LearningRate = 1e-6 }},
		{"These photos have an up", Full, func(c *Config) { c.Augment = Flip + UpsideDown }},
	} {
		if r := sound[m.mode]; has(r, m.beginning) {
			t.Errorf("%s: not made, advice %q, %+v", m.beginning, r.Advice, r.Upright)
		}
		if r := run(m.mode, m.make); !has(r, m.beginning) {
			t.Errorf("%s: made, advice %q, %+v", m.beginning, r.Advice, r.Upright)
		}
	}
}

// TestAdviceWithoutUp: photos that look the same upside down may be turned.
func TestAdviceWithoutUp(t *testing.T) {
	c := narrowRun(t, Full, photos(t, map[string]int{"train": 24, "test": 4}))
	c.Augment, c.Epochs, c.WarmupEpochs = Flip+UpsideDown, 1, 0
	if r := fit(t, c); has(r, "These photos have an up") || r.Upright == nil || r.Upright.Photos < 40 || r.Upright.Told > 0.75 {
		t.Errorf("%q, %+v", r.Advice, r.Upright)
	}
}

// TestAdviceOfDuplicates: photos of test that are in train as well, which the run is right about.
func TestAdviceOfDuplicates(t *testing.T) {
	data := photos(t, map[string]int{"train": 12, "test": 4})
	train, err := filepath.Glob(filepath.Join(data, "train", "*", "*.png"))
	if err != nil {
		t.Fatal(err)
	}
	noise := random.At(3, "labels")
	for i, path := range train { // and three of each class whose answers cannot be known
		class := filepath.Base(filepath.Dir(path))
		if i%12 < 8 {
			content, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(data, "test", class, fmt.Sprintf("copy%d.png", i)), content, 0o666); err != nil {
				t.Fatal(err)
			}
		}
		if i%12 == 0 {
			for k := range 3 {
				writePhoto(t, filepath.Join(data, "test", class, fmt.Sprintf("noise%d.png", k)), noise.IntN(3), noise)
			}
		}
	}
	c := narrowRun(t, Heads, data)
	c.Epochs = 60
	r := fit(t, c)
	if !has(r, "Duplicates explain a part of the accuracy: 24 of") {
		t.Errorf("%q, accuracy %.2f", r.Advice, r.Report.Accuracy)
	}
}

// upPhotos are photos that are brighter at the top, by so much.
func upPhotos(t *testing.T, sets map[string]int, brighter int) string {
	t.Helper()
	data := photos(t, sets)
	all, err := filepath.Glob(filepath.Join(data, "*", "*", "*.png"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range all {
		f, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		m, err := png.Decode(f)
		f.Close()
		if err != nil {
			t.Fatal(err)
		}
		out := image.NewGray(m.Bounds())
		for y := range side {
			for x := range side {
				v := color.GrayModel.Convert(m.At(x, y)).(color.Gray).Y
				out.SetGray(x, y, color.Gray{uint8((int(v) + brighter*(side-y)/side) / 2)})
			}
		}
		if f, err = os.Create(path); err == nil {
			err = png.Encode(f, out)
			f.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return data
}
