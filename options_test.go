package regraft

import (
	"context"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"regraft/engine"
	"regraft/photo"
	"regraft/train"
)

// small is a narrow ResNet-18 of 7 classes, 64 x 64 pixels, that says nothing of labels and preprocessing.
const small = "onnx/testdata/resnet18.ts.train.op17.onnx"

func opened(t *testing.T, path string, opts ...Option) *Model {
	t.Helper()
	m, err := Open(path, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

// TestOptions: every option changes what it says and nothing else.
func TestOptions(t *testing.T) {
	cache, p := NewFeatureCache(t.TempDir(), 1), Preprocess{Mean: [3]float32{1, 2, 3}}
	for name, c := range map[string]struct {
		option Option
		want   options
	}{
		"Threads":       {Threads(3), options{threads: 3}},
		"Sessions":      {Sessions(3), options{sessions: 3}},
		"Sessions 0":    {Sessions(0), options{sessions: 1}},
		"Workers":       {Workers(3), options{workers: 3}},
		"Batch":         {Batch(3), options{batch: 3}},
		"InputSize":     {InputSize(2, 3), options{inputSize: photo.Size{H: 2, W: 3}}},
		"Direct":        {Direct(), options{direct: true}},
		"UseHead":       {UseHead("fc"), options{head: "fc"}},
		"UsePool":       {UsePool("mean"), options{pool: "mean"}},
		"SkipBad":       {SkipBad(), options{skipBad: true}},
		"Views":         {Views(3), options{views: 3}},
		"Views 0":       {Views(0), options{views: 1}},
		"Cache":         {Cache(cache), options{cache: cache}},
		"Hashes":        {Hashes(), options{hashes: true}},
		"AnswersOnly":   {AnswersOnly(), options{answersOnly: true}},
		"TIFF":          {TIFF(), options{decode: photo.DecodeOptions{TIFF: true}}},
		"MaxPixels":     {MaxPixels(7), options{decode: photo.DecodeOptions{MaxPixels: 7}}},
		"UsePreprocess": {UsePreprocess(p), options{prepared: &p}},
	} {
		var got options
		if c.option(&got); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
	m := opened(t, small)
	if o := m.options; o.sessions != 1 || o.views != 1 || o.batch != 8 || o.workers < 1 || o.threads != 0 || o.hashes || o.answersOnly || o.cache != nil {
		t.Errorf("without options: %+v", o)
	}
	if Version() != engine.Version {
		t.Errorf("version %q", Version())
	}
}

// TestOptionsInTraining: settings that say nothing are those of the options; those that say something stand.
func TestOptionsInTraining(t *testing.T) {
	o := &options{threads: 2, workers: 3, direct: true, skipBad: true, decode: photo.DecodeOptions{TIFF: true, MaxPixels: 4}}
	own := Config{Threads: 5, Workers: 6, Direct: true, TIFF: true, MaxPixels: 7, SkipBad: true}
	for _, c := range []struct {
		o         *options
		cfg, want Config
	}{
		{o, Config{}, Config{Threads: 2, Workers: 3, Direct: true, TIFF: true, MaxPixels: 4, SkipBad: true}}, {o, own, own}, {&options{}, own, own}, {&options{}, Config{}, Config{}},
	} {
		if got := c.o.settled(c.cfg); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%+v, want %+v", got, c.want)
		}
	}
}

// TestWhatIsAssumed: where the file says nothing ImageNet's scaling is assumed, and told, until an option says another or all of it.
func TestWhatIsAssumed(t *testing.T) {
	half := func(p *Preprocess) { p.Mean, p.Std = [3]float32{0.5, 0.5, 0.5}, [3]float32{0.5, 0.5, 0.5} }
	imageNet := *photo.ImageNet(photo.Square(64))
	given := imageNet
	half(&given)
	for name, c := range map[string]struct {
		opts       []Option
		assumed    bool
		assumption string
		mean       float32
	}{
		"nothing":       {nil, true, "ImageNet's mean and std", imageNet.Mean[0]},
		"another size":  {[]Option{InputSize(64, 96)}, true, "ImageNet's mean and std", imageNet.Mean[0]},
		"another scale": {[]Option{AdjustPreprocess(half)}, true, "", 0.5},
		"all of it":     {[]Option{UsePreprocess(given)}, false, "", 0.5},
		"fast decoding": {[]Option{FastDecode()}, true, "ImageNet's mean and std", imageNet.Mean[0]},
	} {
		m := opened(t, small, c.opts...)
		p := m.Preprocess()
		if m.Assumed() != c.assumed || m.Assumption() != c.assumption || p.Mean[0] != c.mean {
			t.Errorf("%s: assumed %v, %q, mean %g", name, m.Assumed(), m.Assumption(), p.Mean[0])
		}
		if fast := p.Decode == photo.Fast; fast != (name == "fast decoding") {
			t.Errorf("%s: decoding %q", name, p.Decode)
		}
		if want := map[bool]int{true: 96, false: 64}[name == "another size"]; p.Size.W != want || p.Size.H != 64 {
			t.Errorf("%s: size %v", name, p.Size)
		}
		if m.Pooled() != "" || m.Doubt() != "" {
			t.Errorf("%s: pooled %q, doubt %q", name, m.Pooled(), m.Doubt())
		}
	}
}

// TestOpenRefuses: there is no model where an option does not fit the file.
func TestOpenRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		opts []Option
		says string
	}{
		"head": {[]Option{UseHead("nose")}, "nose"},
		"pool": {[]Option{UsePool("mean")}, "pool"},
		"std":  {[]Option{AdjustPreprocess(func(p *Preprocess) { p.Std[1] = 0 })}, "standard deviation 0 of channel 1"},
	} {
		if m, err := Open(small, c.opts...); err == nil || m != nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Open("none.onnx"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

// TestLabelsOf: a model without labels numbers its classes; new heads bring theirs.
func TestLabelsOf(t *testing.T) {
	m := opened(t, small)
	if got := m.Labels(); len(got) != 7 || got[0] != "class_0" || got[6] != "class_6" || m.Labelled() {
		t.Errorf("%q, known %v", got, m.Labelled())
	}
	if heads, err := m.Heads(); err != nil || len(heads) != 1 || heads[0].Name() != "fc" {
		t.Errorf("%v, %v", heads, err)
	}
	if err := m.SwapHeads([]string{"a", "b"}, 1); err != nil || !slices.Equal(m.Labels(), []string{"a", "b"}) || !m.Labelled() {
		t.Errorf("%q, %v", m.Labels(), err)
	}
	if err := m.SwapHeads(nil, 1); err == nil || !m.Labelled() {
		t.Errorf("no labels: %v", err)
	}
}

// TestOtherEnds: a network of features has no labels, and one of grey photos takes such, whatever an option says.
func TestOtherEnds(t *testing.T) {
	features := opened(t, "testdata/ends/features_alone.onnx")
	if a, err := features.Answers(); err != nil || a.Classes != 0 || len(features.Labels()) != 0 {
		t.Errorf("%+v, %v, labels %q", a, err, features.Labels())
	}
	if features.Labelled() {
		t.Error("features have labels")
	}
	gray := opened(t, "cli/testdata/inputs/gray-nhwc.onnx")
	if p := gray.Preprocess(); p.Depth() != 1 || p.Channels != photo.Gray {
		t.Errorf("%+v", p)
	}
	three := opened(t, small, AdjustPreprocess(func(p *Preprocess) {}), UsePreprocess(gray.Preprocess()))
	if p := three.Preprocess(); p.Depth() != 3 || p.Channels != photo.RGB {
		t.Errorf("%+v", p)
	}
	if one := opened(t, "cli/testdata/inputs/gray-nhwc.onnx", UsePreprocess(*photo.ImageNet(gray.Preprocess().Size))); one.Preprocess().Depth() != 1 {
		t.Errorf("%+v", one.Preprocess())
	}
}

// TestKeptFeatures: what the cache has of a photo is neither decoded nor computed again, for this model alone.
func TestKeptFeatures(t *testing.T) {
	data, err := os.ReadFile("testdata/ends/photo0.png")
	if err != nil {
		t.Fatal(err)
	}
	cache := NewFeatureCache(t.TempDir(), 1<<30)
	m := opened(t, small, Cache(cache), Views(2))
	k, err := m.kept()
	if err != nil || k == nil {
		t.Fatal(k, err)
	}
	if again, _ := m.kept(); again != k {
		t.Error("the model is hashed anew")
	}
	before, hash, err := m.look(data, m.Preprocess(), k)
	if err != nil || hash != photo.HashOf(data) || before[0].x == nil || before[1].x == nil || before[0].features != nil {
		t.Fatalf("%v, %v", before, err)
	}
	many := slices.Repeat([]Photo{{Path: "a", Data: data}}, worthKeeping+m.options.batch)
	want, err := m.Classify(t.Context(), many...)
	if err != nil {
		t.Fatal(err)
	}
	after, _, err := m.look(data, m.Preprocess(), k)
	if err != nil || after[0].x != nil || after[1].x != nil || !slices.Equal(after[0].features, want[0].Features) {
		t.Errorf("%v, %v", after, err)
	}
	if none, hash, err := m.look(data, m.Preprocess(), nil); err != nil || none[0].x == nil || hash != (photo.Hash{}) {
		t.Errorf("without a cache: %v, %v", none, err)
	}
	if got, err := m.Classify(t.Context(), many...); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("from the cache: %v, %v", got[0], err)
	}
	if other, err := opened(t, small).kept(); other != nil || err != nil {
		t.Errorf("without a cache: %v, %v", other, err)
	}
}

// TestMapsAreKept: heat maps of one network are made by one program, until the network is another.
func TestMapsAreKept(t *testing.T) {
	m := opened(t, small)
	if err := m.Explains(); err != nil || m.maps == nil {
		t.Fatal(err)
	}
	maker := m.maps
	if err := m.Explains(); err != nil || m.maps != maker {
		t.Errorf("it is made anew: %v", err)
	}
	if err := m.SwapHeads([]string{"a", "b"}, 1); err != nil || m.Explains() != nil || m.maps == maker {
		t.Errorf("maps of another network: %v", err)
	}
	if err := m.Close(); err != nil || m.maps != nil {
		t.Errorf("%v", err)
	}
}

// TestDamagedAnswers: a network that answers what is no number, for the photo itself or another view, has no answer.
func TestDamagedAnswers(t *testing.T) {
	m := opened(t, small)
	a, err := m.Answers()
	if err != nil {
		t.Fatal(err)
	}
	good := func() seen { return seen{scores: make([]float32, 7), features: make([]float32, 16)} }
	for name, spoil := range map[string]func(views []seen){
		"scores": func(v []seen) { v[0].scores[6] = float32(math.NaN()) }, "features": func(v []seen) { v[0].features[0] = float32(math.Inf(1)) },
		"another view": func(v []seen) { v[1].scores[0] = float32(math.Inf(-1)) }, "look": func(v []seen) { v[1].look = []float32{float32(math.NaN())} },
	} {
		views := []seen{good(), good()}
		spoil(views)
		r := Result{Path: "a.jpg"}
		if r.fill(a, nil, views); r.Err == nil || !strings.HasPrefix(r.Err.Error(), "a.jpg: the network answers ") || r.P != nil {
			t.Errorf("%s: %+v", name, r)
		}
	}
	views := []seen{good(), good()}
	views[0].scores[2], views[1].scores[2], views[0].features[3] = 1, 3, 0.5
	var r Result
	if r.fill(a, nil, views); r.Err != nil || r.Logits[2] != 2 || r.Logits[0] != 0 || r.Features[3] != 0.5 || r.Distance != 0 || r.Far() {
		t.Errorf("the mean of two views: %+v", r)
	}
	if want := float32(math.Exp(2) / (math.Exp(2) + 6)); math.Abs(float64(r.P[2]-want)) > 1e-6 {
		t.Errorf("probability %g, want %g", r.P[2], want)
	}
	r.labels = []string{"a", "b", "c", "d", "e", "f", "g"}
	if top := r.Top(9); len(top) != 7 || top[0] != (Prediction{"c", 2, r.P[2]}) || top[1].Label != "a" || len(r.Top(1)) != 1 {
		t.Errorf("%v", top)
	}
	if !(Result{Distance: 1.01}).Far() || (Result{Distance: 1}).Far() {
		t.Error("far begins above 1")
	}
}

// TestEvaluateRefuses: what cannot be judged is refused as what it is: the data, the labels or the model.
func TestEvaluateRefuses(t *testing.T) {
	root := t.TempDir()
	m := opened(t, small)
	var data *train.DataError
	if _, err := m.Evaluate(t.Context(), root, "", nil); !errors.As(err, &data) {
		t.Errorf("an empty folder: %v", err)
	}
	if _, err := m.labelsFor([]string{"a", "b"}, Silent{}); !errors.As(err, &data) || !strings.Contains(err.Error(), "7 classes without labels, the folder 2") {
		t.Errorf("%v", err)
	}
	var heard heard
	seven := strings.Split("abcdefg", "")
	if labels, err := m.labelsFor(seven, &heard); err != nil || !slices.Equal(labels, seven) || len(heard.lines) != 1 || !strings.Contains(heard.lines[0], "no labels") {
		t.Errorf("%q, %v, %q", labels, err, heard.lines)
	}
	only := opened(t, small, AnswersOnly())
	if _, err := only.Evaluate(t.Context(), root, "", nil); !errors.Is(err, ErrAnswersOnly) {
		t.Errorf("%v", err)
	}
	a, err := m.Answers()
	if err != nil || a.Check() != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(root, "sea"), 0o777); err != nil {
		t.Fatal(err)
	}
	photo, err := os.ReadFile("testdata/ends/photo0.png")
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{"sea/a.png": photo, "sea/notes.txt": []byte("notes")} {
		if err := os.WriteFile(filepath.Join(root, name), content, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if err := m.SwapHeads([]string{"sea", "sky"}, 1); err != nil {
		t.Fatal(err)
	}
	heard.lines = nil
	if e, err := m.Evaluate(t.Context(), root, "", &heard); err != nil || e.Images != 1 || !slices.ContainsFunc(heard.lines, func(l string) bool { return strings.Contains(l, "notes.txt") }) {
		t.Errorf("%v, %q", err, heard.lines)
	}
	noAnswer := opened(t, "testdata/ends/features_alone.onnx")
	var model *ModelError
	if _, err := noAnswer.Evaluate(t.Context(), root, "", nil); !errors.As(err, &model) {
		t.Errorf("features alone: %v", err)
	}
	if _, err := only.Train(t.Context(), Config{}, nil); !errors.Is(err, ErrAnswersOnly) {
		t.Errorf("%v", err)
	}
	if err := only.Save(filepath.Join(root, "x.onnx")); !errors.Is(err, ErrAnswersOnly) {
		t.Errorf("%v", err)
	}
	if _, err := m.Embed(t.Context(), Photo{Path: "bad", Data: []byte("no photo")}); err == nil || !strings.HasPrefix(err.Error(), "bad: ") {
		t.Errorf("%v", err)
	}
	why := errors.New("was not found")
	if r, err := m.Classify(t.Context(), Photo{Path: "a", Err: why}, Photo{Path: "b", Read: func() ([]byte, error) { return nil, why }}); err != nil || r[0].Err != why || r[1].Err == nil || r[1].Err.Error() != "b: was not found" {
		t.Errorf("%v, %v", r, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := m.Infer(ctx, make([]float32, 3*64*64), 1); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if _, err := m.Embed(ctx, File("a.jpg")); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// heard keeps what is warned of.
type heard struct {
	Silent
	lines []string
}

func (h *heard) Warn(message string) { h.lines = append(h.lines, message) }
