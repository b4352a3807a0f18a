package cli

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"regraft"
	"regraft/engine"
	"regraft/golden"
	"regraft/head"
	"regraft/measure"
	"regraft/photo"
	"regraft/train"
	"regraft/weights"
)

// printed compares what is printed with a text in testdata/printed: results, then what goes to standard error, then the error.
func printed(t *testing.T, name string, print func(con *console) error) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	con := newConsole(nil, &stdout, &stderr)
	err := print(con)
	con.out.Flush()
	text := stdout.String() + "-- standard error --\n" + stderr.String()
	if err != nil {
		text += "-- error --\n" + err.Error() + "\n"
	}
	golden.Text(t, filepath.Join("testdata", "printed", name+".txt"), text)
}

// asText calls print for text and for JSON.
func asText(t *testing.T, name string, print func(con *console, asJSON bool) error) {
	t.Helper()
	printed(t, name, func(con *console) error { return print(con, false) })
	printed(t, name+"-json", func(con *console) error { return print(con, true) })
}

func TestPrintedBenchmarks(t *testing.T) {
	b := &benchJSON{Schema: "regraft/bench/1", What: "infer", Model: "m.onnx", Batch: 8, Threads: 1, ISA: "avx2", Min: 12.34, Median: 13.5, GFLOPS: 99.5, PercentOfPeak: 49.6, PeakGFLOPS: 200, PeakRSS: 123.4}
	asText(t, "bench", b.print)
	layers := func(better []betterJSON) *layersJSON {
		return &layersJSON{
			Schema: "regraft/bench-layers/1", Model: "m.onnx", What: "train", Batch: 2, Threads: 2, ISA: "neon", PeakGFLOPS: 50, Better: better, Layers: []layerJSON{
				{"stem\x1b", "Conv", "3->8 3x3", "1x3x9x9", "direct", "it fits", 1.25, 40, 80}, {"fc", "Linear", "64->7", "1x64", "patches", "one pixel", 0.75, 4, 8},
			},
		}
	}
	printed(t, "layers", func(con *console) error { return layers(nil).print(con, false) })
	printed(t, "layers-none-better", func(con *console) error { return layers([]betterJSON{}).print(con, false) })
	asText(t, "layers-better", layers([]betterJSON{{"Conv", "3->8 3x3", 1, "direct", 2, "winograd", 1.5}, {"Conv", "8->8 1x1", 3, "direct", 4, "patches", 3}}).print)
}

func TestPrintedParity(t *testing.T) {
	far := outputParity{Name: "logits", MaxAbsError: 0.5, MaxAbs: 4, Relative: 0.125, Top1: 0.75, WorstInput: 3}
	near := outputParity{Name: "aux", MaxAbsError: 1e-6, MaxAbs: 4, Relative: 2.5e-7, Top1: 1}
	departs := &layersParity{Compared: 3, Departs: &layerParity{"Conv", far}}
	for name, r := range map[string]verifyJSON{
		"parity-not":     {Schema: "regraft/verify/1", Outputs: []outputParity{far, near}, Tolerance: 1e-4},
		"parity":         {Schema: "regraft/verify/1", Outputs: []outputParity{near}, Tolerance: 1e-4, OK: true, Layers: &layersParity{Compared: 3}},
		"parity-departs": {Schema: "regraft/verify/1", Outputs: []outputParity{near}, Tolerance: 1e-4, OK: true, Layers: departs},
	} {
		asText(t, name, func(con *console, asJSON bool) error { return printVerify(con, asJSON, &r) })
	}
}

// madeReport is a report of so many classes, each of which has photos that were taken for the next.
func madeReport(classes int) ([]string, *train.Report) {
	r := &train.Report{Images: 10 * classes, Loss: 0.12345, Accuracy: 0.9, Confusion: make(train.Confusion, classes)}
	var labels []string
	for i := range classes {
		labels = append(labels, string(rune('a'+i%26))+strings.Repeat("'", i/26))
		r.Confusion[i] = make([]int, classes)
		r.Confusion[i][i] = 9
		r.Confusion[i][(i+1)%classes]++
		r.PerClass = append(r.PerClass, train.PerClass{Label: labels[i], N: 10, Precision: 0.5 + 0.25/float64(i+1), Recall: 0.9, F1: 1 / float64(i+2)})
	}
	for i := range classes {
		r.Confused = append(r.Confused, train.Confused{True: labels[i], Answer: labels[(i+1)%classes], N: 1})
	}
	return labels, r
}

// TestPrintedReports: few classes have a matrix, more only the pairs that are confused most, and many the worst classes only.
func TestPrintedReports(t *testing.T) {
	for name, classes := range map[string]int{"report": 3, "report-30": 30, "report-31": 31, "report-101": 101} {
		labels, r := madeReport(classes)
		printed(t, name, func(con *console) error { return printReport(con, labels, r, "all: there") })
	}
	labels, one := madeReport(31)
	one.Images, one.Confused = 1, nil
	printed(t, "report-no-mistake", func(con *console) error { return printReport(con, labels, one, "all: there") })
	for name, classes := range map[string]int{"example": 3, "example-21": 31} {
		labels, _ := madeReport(classes)
		x := &train.Example{Path: "test/b/1.jpg", Label: "b", P: make([]float64, classes)}
		for i := range x.P {
			x.P[i] = float64((7*i)%classes) / 1000
		}
		printed(t, name, func(con *console) error { printExample(con, x, labels); return nil })
	}
	printed(t, "advice", func(con *console) error {
		printAdvice(con, nil)
		printAdvice(con, []string{"Short.", strings.Repeat("A sentence that is long. ", 6)})
		return nil
	})
}

func TestPrintedChecks(t *testing.T) {
	group := func(names ...string) [][]string { return [][]string{names} }
	full := &photo.Report{
		Dataset: &photo.Dataset{Root: "data", Classes: []string{"sea", "street\n"}, Train: make([]photo.Sample, 3), Val: make([]photo.Sample, 1), Test: make([]photo.Sample, 2), Doubts: []string{"a doubt"},
			LeftOut: []photo.LeftOut{{Path: "data/film.mp4", Why: photo.NotAPhoto}, {Path: "data/@eaDir", Why: photo.NotAPart, Photos: 1}}, Split: true},
		PerClass: []photo.ClassCount{{Train: 2, Val: 1, Test: 2}, {Train: 1}},
		Leaks:    group("train/a", "test/a"), NearLeaks: group("train/b", "test/b"), NearContradictions: group("c", "d"), Duplicates: group("e", "f\x1b"), NearDuplicates: group("g", "h"),
		Odd: []photo.Oddity{{Path: "i", Why: photo.OddBlank}, {Path: "j", Why: photo.OddDark}}, Tiny: []string{"k"}, Huge: []string{"l"},
	}
	printed(t, "check", func(con *console) error { return printCheck(con, full) })
	printed(t, "check-strict", func(con *console) error { return leaks(full) })
	long := &photo.Report{Dataset: &photo.Dataset{Classes: []string{"a"}}, PerClass: []photo.ClassCount{{Train: 1}}}
	for i := range 21 {
		name := string(rune('a' + i))
		long.Unreadable = append(long.Unreadable, photo.File{Path: name, Err: errors.New(name + ": damaged")})
		if i <= listed {
			long.Duplicates, long.Tiny = append(long.Duplicates, []string{name, name}), append(long.Tiny, name)
		}
	}
	printed(t, "check-long", func(con *console) error {
		if err := leaks(long); err != nil {
			return err
		}
		return printCheck(con, long)
	})
	printed(t, "doubts", func(con *console) error {
		printDoubts(con, nil)
		printDoubts(con, []train.LabelDoubt{})
		var doubts []train.LabelDoubt
		for i := range 20 {
			doubts = append(doubts, train.LabelDoubt{Path: "x\t.jpg", Label: "sea", Likely: "sky\x1b", Score: 0.99 - 0.045*float64(i)})
		}
		printDoubts(con, doubts)
		return nil
	})
}

// TestPrintedTrainings: what a training says from its start to its end, in both modes.
func TestPrintedTrainings(t *testing.T) {
	labels, report := madeReport(3)
	start := train.Start{Classes: labels, Train: 30, Val: 1, Test: 5, Selection: train.SetVal, Heads: []train.HeadInfo{{Kind: head.Main, Name: "fc", Features: 64, Classes: 3}, {Kind: head.Aux, Name: "aux.fc", Features: 24, Classes: 1}},
		HeadsKept: true, Parameters: 1234, Frozen: "2 of 5 blocks, up to layer2", Mixes: true, LeftOut: []string{"left out, not a photo: a.txt"}, FirstEpoch: 3}
	result := &train.Result{
		Start: start, Best: train.Epoch{Epoch: engine.Epoch{Number: 2}}, SelectedOn: train.SetVal, ReportedOn: train.SetTest, Report: report, TrunkBefore: "12ab", TrunkAfter: "12ab",
		OutOfFold: report, Curve: []train.CurvePoint{{Share: 0.5, Photos: 15, Accuracy: 0.8, Interval: [2]float64{0.7, 0.9}}}, Advice: []string{"Take more photos."},
		Calibration: &train.Calibration{Temperature: 1.5, FittedOn: "val", Photos: 60, ReportedOn: "test", Before: 0.1, After: 0.05}, Threshold: &train.Threshold{Value: 0.75, Precision: 0.95, Coverage: 0.8},
		Distance: &train.DistanceSummary{Block: "layer4", Kept: 0.99, Photos: 60, Bytes: 4096}, Example: &train.Example{Path: "b.jpg", Label: "b", P: []float64{0.25, 0.5, 0.25}},
		Stopped: "no better epoch for 3", Model: "run/best.onnx", Schema: trainSchema,
	}
	full := train.Config{Mode: train.Full, Epochs: 8, Optimizer: "sgd", Out: "run/", TensorBoard: true}
	heads := train.Config{Mode: train.Heads, Epochs: 100, Optimizer: "lbfgs", Out: "run", NoReport: true}
	tell := func(con *console, asJSON bool, cfg train.Config, start train.Start, result *train.Result) error {
		r := newTrainReport(con, asJSON, cfg)
		r.Started(start)
		r.Needs(train.Memory{Bytes: 1 << 30, Available: 1 << 32, Batch: 8, Fits: 30})
		r.Needs(train.Memory{Bytes: 1 << 32, Available: 1 << 30, Batch: 8, Fits: 1})
		if start.Selection == train.SetFolds {
			r.Chose(train.Choice{Folds: 5, WeightDecay: 0.5, Iterations: 20, Views: 1, Photos: 30, Groups: 29, Loss: 0.25, Accuracy: 0.9, Interval: [2]float64{0.8, 0.95}})
		}
		for n := 1; n <= 2; n++ {
			r.EpochDone(train.Epoch{Epoch: engine.Epoch{Number: n, TrainLoss: 1.5, TrainAcc: 0.5, ValLoss: 1.25 * float64(n), ValAcc: 0.75}, Seconds: 90}, n == 1)
		}
		r.Warn("the photos are few")
		return r.finished(result)
	}
	asText(t, "train-full", func(con *console, asJSON bool) error { return tell(con, asJSON, full, start, result) })
	folds := *result
	folds.SelectedOn, folds.ReportedOn, folds.TrunkBefore, folds.Calibration, folds.Threshold, folds.Distance, folds.Example, folds.Stopped, folds.Advice = train.SetFolds, train.SetFolds, "", nil, nil, nil, nil, "", nil
	asText(t, "train-heads", func(con *console, asJSON bool) error {
		return tell(con, asJSON, heads, train.Start{Classes: labels, Train: 1, Selection: train.SetFolds, FirstEpoch: 1}, &folds)
	})
	same := folds
	same.SelectedOn, same.ReportedOn, same.Curve = train.SetTest, train.SetTest, nil
	printed(t, "train-selected-on-test", func(con *console) error {
		r := newTrainReport(con, false, full)
		r.Started(train.Start{Classes: labels, Train: 30, Val: 5, Selection: train.SetTest})
		return r.finished(&same)
	})
}

func TestPrintedTables(t *testing.T) {
	right := func(n int) []bool { return append(make([]bool, 100-n), bytesOf(n)...) }
	all := []candidate{
		{compareJSON{Schema: "regraft/compare/1", Model: "slow.onnx", Accuracy: 0.9, Interval: [2]float64{0.8, 0.95}, Loss: 0.3, Photos: 100, Folds: 5, Milliseconds: 30, Bytes: 25e6}, right(90)},
		{compareJSON{Schema: "regraft/compare/1", Model: "fast\x1b.onnx", Accuracy: 0.89, Interval: [2]float64{0.79, 0.94}, Loss: 0.31, Photos: 100, Folds: 5, Milliseconds: 3, Bytes: 5e6}, right(89)},
	}
	asText(t, "compare", func(con *console, asJSON bool) error { return printComparison(con, asJSON, all) })

	dir := t.TempDir()
	here, unknown := *weights.FindSource("resnet18"), *weights.FindSource("inception_v3")
	unknown.Bytes = 0
	write(t, filepath.Join(dir, here.File()), nil)
	for _, asJSON := range []bool{false, true} {
		name := map[bool]string{false: "weights", true: "weights-json"}[asJSON]
		var stdout bytes.Buffer
		con := newConsole(nil, &stdout, io.Discard)
		if err := printSources(con, asJSON, dir, []weights.Source{here, unknown}); err != nil {
			t.Fatal(err)
		}
		con.out.Flush()
		golden.Text(t, filepath.Join("testdata", "printed", name+".txt"), strings.ReplaceAll(stdout.String(), dir+string(os.PathSeparator), "DIR/"))
	}
	used := time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)
	cache := cacheJSON{"regraft/cache/1", "/cache", 3, 5 << 20, 2 << 30, &used, false}
	asText(t, "cache", cache.print)
	cleared, empty := cacheJSON{"regraft/cache/1", "/cache", 1, 1 << 19, 1 << 20, &used, true}, cacheJSON{"regraft/cache/1", "/cache", 0, 0, 1 << 20, nil, false}
	printed(t, "cache-cleared", func(con *console) error { return cleared.print(con, false) })
	asText(t, "cache-empty", empty.print)
}

func bytesOf(n int) []bool {
	all := make([]bool, n)
	for i := range all {
		all[i] = true
	}
	return all
}

// TestPrintedVerdicts: numbers and words agree, and what may be there is no error.
func TestPrintedVerdicts(t *testing.T) {
	for _, c := range []struct {
		t       tally
		skip    bool
		lack    string
		err, on string
	}{
		{tally{photos: 3}, false, noAnswer, "", ""},
		{tally{photos: 1, bad: 1}, false, noAnswer, "1 of 1 photo has no answer", ""},
		{tally{photos: 4, bad: 1}, false, noFeatures, "1 of 4 photos has no features", ""},
		{tally{photos: 4, bad: 2}, true, noAnswer, "", "warning: 2 of 4 photos have no answer\n"},
		{tally{photos: 4, bad: 2, wrong: 1}, true, noAnswer, "1 of 4 photos could not be sorted, or lacks keywords", ""},
		{tally{photos: 4, wrong: 2}, false, noAnswer, "2 of 4 photos could not be sorted, or lack keywords", ""},
	} {
		var stderr bytes.Buffer
		err := c.t.verdict(newConsole(nil, io.Discard, &stderr), c.skip, c.lack)
		if (err == nil) != (c.err == "") || err != nil && (err.Error() != c.err || statusOf(err) != statusInputs) || stderr.String() != c.on {
			t.Errorf("%+v: %v, %q", c.t, err, stderr.String())
		}
	}
}

// TestPrintedAnswers: every form of an answer in every format.
func TestPrintedAnswers(t *testing.T) {
	data, _, best := common(t)
	m, err := regraft.Open(best)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	answered, err := m.Classify(t.Context(), regraft.File(filepath.Join(data, "test", "sea", firstOf(t, filepath.Join(data, "test", "sea")))))
	if err != nil {
		t.Fatal(err)
	}
	made := func(path string, distance float64, p ...float32) regraft.Result {
		r := answered[0]
		r.Path, r.P, r.Logits, r.Features, r.Distance = path, p, []float32{1, -2, 0.5}, []float32{0.25}, distance
		return r
	}
	results := []regraft.Result{
		made("a.jpg", 0, 0.125, 0.75, 0.125), made("unsure\xff.jpg", 0, 0.5, 0.25, 0.25), made("=far\n.jpg", 1.5, 0, 1, 0),
		{Path: "bad.jpg", Err: errors.New("bad.jpg: not a photo")},
	}
	writers := map[string]func(o answerOptions) (answers, error){
		"text":      func(o answerOptions) (answers, error) { return &textAnswers{o}, nil },
		"csv":       func(o answerOptions) (answers, error) { return newCSVAnswers(o, false) },
		"csv-excel": func(o answerOptions) (answers, error) { return newCSVAnswers(o, true) },
		"json":      func(o answerOptions) (answers, error) { return &jsonAnswers{o, true, true}, nil },
	}
	for name, o := range map[string]answerOptions{
		"plain": {topk: 1}, "decided": {topk: 2, threshold: 0.6, limit: 1}, "sets": {topk: 1, sets: true, sure: 0.25}, "continued": {topk: 3, continued: true},
	} {
		for format, begin := range writers {
			printed(t, "answers-"+name+"-"+format, func(con *console) error {
				o.con = con
				a, err := begin(o)
				if err != nil {
					return err
				}
				for _, r := range results {
					if err := a.write(r, map[bool]string{true: "maps/x.jpg"}[r.Err == nil]); err != nil {
						return err
					}
				}
				return nil
			})
		}
	}
	for name, begin := range writers { // results that cannot be written end the run
		con := newConsole(nil, failing{}, io.Discard)
		a, err := begin(answerOptions{con: con, topk: 1})
		if err == nil {
			err = a.write(results[0], "")
		}
		if !errors.Is(err, errFull) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// failing is a full disk.
type failing struct{}

var errFull = errors.New("full")

func (failing) Write([]byte) (int, error) { return 0, errFull }

// TestPrintedFarewell: the last words of the demonstration name its files.
func TestPrintedFarewell(t *testing.T) {
	printed(t, "demo", func(con *console) error {
		r := demoRun{con: con}
		e := r.events("fine-tune").(*demoEvents)
		e.EpochDone(train.Epoch{Epoch: engine.Epoch{Mode: string(train.Heads), Number: 1}}, false)
		e.EpochDone(train.Epoch{Epoch: engine.Epoch{Mode: string(train.Full), Number: 2, TrainLoss: 0.5, ValAcc: 0.875}, Seconds: 1.5}, false)
		r.farewell(&train.Result{Model: filepath.Join("out", "full", "best.onnx")}, 18*time.Second)
		return nil
	})
}

// TestFastestAnew: what seems better is measured again, and must stay better.
func TestFastestAnew(t *testing.T) {
	if got := fastest(nil); got != nil {
		t.Errorf("%v of choices that were not measured", got)
	}
	layer := measure.Layer{Op: "Conv", Shape: "a", Kernel: "k", Time: 100 * time.Millisecond, Others: map[string]time.Duration{"direct": 96 * time.Millisecond, "four": 95 * time.Millisecond}}
	better := betterChoices([]measure.Layer{layer})
	if len(better) != 1 || better[0].Choice != "four" || better[0].Min != 100 || better[0].Other != 95 || better[0].Layers != 1 {
		t.Errorf("%+v", better)
	}
}
