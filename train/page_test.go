package train

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"regraft/engine/random"
	"regraft/featurecache"
	"regraft/onnx"
	"regraft/photo"
)

// pageData is what a page's script reads.
type pageData struct {
	Classes []string
	Photos  []struct {
		Label, Answer int
		Judged        bool
		Folder, File  string
		Picture       string
	}
	Outcomes [][2]int
	Counts   [][3]int
	Judged   int
}

func readPage(t *testing.T, path string) (string, pageData) {
	t.Helper()
	html, err := os.ReadFile(path)
	must(t, err)
	if !utf8.Valid(html) {
		t.Error("the page is not UTF-8")
	}
	found := regexp.MustCompile(`(?s)<script type="application/json" id="data">(.*?)</script>`).FindSubmatch(html)
	if found == nil {
		t.Fatal("the page has no data")
	}
	var d pageData
	must(t, json.Unmarshal(found[1], &d))
	return string(html), d
}

// sameFigures compares a page with the report that summary.json has.
func sameFigures(t *testing.T, html string, d pageData, r *Report) {
	t.Helper()
	right, counted := 0, make(Confusion, len(r.Confusion))
	for i := range counted {
		counted[i] = make([]int, len(r.Confusion))
	}
	for _, c := range d.Counts {
		counted[c[0]][c[1]] = c[2]
	}
	for i, row := range r.Confusion {
		right += row[i]
	}
	if fmt.Sprint(counted) != fmt.Sprint(r.Confusion) {
		t.Errorf("the page counts %v, the report %v", counted, r.Confusion)
	}
	shown := make(Confusion, len(r.Confusion)) // by photos
	for i := range shown {
		shown[i] = make([]int, len(r.Confusion))
	}
	for _, p := range d.Photos {
		if p.Judged {
			shown[p.Label][p.Answer]++
		}
	}
	if fmt.Sprint(shown) != fmt.Sprint(r.Confusion) {
		t.Errorf("the page shows photos %v, the report counts %v", shown, r.Confusion)
	}
	if d.Judged != r.Images || d.Outcomes[0] != [2]int{r.Images, right} {
		t.Errorf("%d photos, without a threshold %v, want %d of %d", d.Judged, d.Outcomes[0], right, r.Images)
	}
	for _, want := range []string{
		fmt.Sprintf("<h1><b>%.1f\u00a0%%</b>", 100*r.Accuracy), fmt.Sprintf("%d of %d photo", right, r.Images),
	} {
		if !strings.Contains(html, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

// TestPageOfARun: a run's page has the figures of summary.json and a picture of every judged photo, also in a run that is resumed, and
// a second one takes its pictures from the cache.
func TestPageOfARun(t *testing.T) {
	data := photos(t, map[string]int{"train": 20, "test": 9})
	cache := featurecache.Open(filepath.Join(t.TempDir(), "cache"), featurecache.DefaultLimit)
	for _, mode := range []Mode{Heads, Full} {
		c := narrowRun(t, mode, data)
		c.Cache, c.Command, c.Precision, c.NoReport = cache, "regraft train & <more>", 0.8, false
		r := fit(t, c)
		html, d := readPage(t, filepath.Join(c.Out, PageFile))
		sameFigures(t, html, d, r.Report)
		if n := strings.Count(html, "data:image/jpeg;base64,"); n < 27 {
			t.Errorf("%s: %d pictures of 27 photos", mode, n)
		}
		if !strings.Contains(html, "regraft train &amp; &lt;more&gt;") || !strings.Contains(string(read(t, c.Out, CardFile)), "regraft train & <more>") {
			t.Errorf("%s: the command is missing", mode)
		}
		if !strings.Contains(html, sum(t, r.Model)) {
			t.Errorf("%s: the page lacks the model's hash", mode)
		}
		if k := r.Calibration; k != nil && !strings.Contains(html, fmt.Sprintf("expected calibration error, is <b>%.1f\u00a0%%</b>", 100*k.After)) {
			t.Errorf("%s: the page has another calibration error than %g", mode, k.After)
		}
		for i, p := range d.Photos {
			if _, err := os.Stat(filepath.Join(data, filepath.FromSlash(p.Folder), p.File)); err != nil {
				t.Errorf("%s: photo %d: %v", mode, i, err)
			}
		}
		before := entries(t, cache)
		c.Resume = true
		again := fit(t, c)
		html, d = readPage(t, filepath.Join(c.Out, PageFile))
		sameFigures(t, html, d, again.Report)
		if n := entries(t, cache); n != before {
			t.Errorf("%s: %d pictures were made again", mode, n-before)
		}
	}
}

// TestPageOfFolds: where folds are what is reported on, the calibration error is that of temperatures from other photos, and
// probabilities are those that the model will give.
func TestPageOfFolds(t *testing.T) {
	c := narrowRun(t, Heads, photos(t, map[string]int{"train": 30}))
	c.Folds, c.NoReport = 4, false
	r := fit(t, c)
	html, d := readPage(t, filepath.Join(c.Out, PageFile))
	sameFigures(t, html, d, r.Report)
	for _, want := range []string{
		fmt.Sprintf("expected calibration error, is <b>%.1f\u00a0%%</b>", 100*r.Calibration.After), "These photos also chose the settings",
		fmt.Sprintf("accuracy grows from %.1f\u00a0%% with", 100*r.Curve[0].Accuracy),
	} {
		if !strings.Contains(html, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	for _, advice := range r.Advice {
		if !strings.Contains(html, strings.ReplaceAll(advice, "+", "&#43;")) {
			t.Errorf("the page lacks the advice %q", advice)
		}
	}
	if !slices.Contains(r.Advice, r.CurveAdvice) {
		t.Errorf("%q lacks that of the learning curve", r.Advice)
	}
}

// TestHostilePhotos: names of classes and photos that are markup, or no text, stay names; duplicates and leaks are told.
func TestHostilePhotos(t *testing.T) {
	if runtime.GOOS == "windows" || runtime.GOOS == "darwin" {
		t.Skip("such names of files do not exist here")
	}
	root := t.TempDir()
	classes := []string{"<script>alert(1)", "\"><img src=x onerror=alert(1)>", "turned \u202e round"}
	for class, name := range classes {
		for part, n := range map[string]int{"train": 8, "test": 4} {
			dir := filepath.Join(root, part, name)
			must(t, os.MkdirAll(dir, 0o777))
			for i := range n {
				writePhoto(t, filepath.Join(dir, fmt.Sprintf("'%d<b>\xfe.png", i)), class, random.At(uint64(i), part+name))
			}
		}
	}
	content, err := os.ReadFile(filepath.Join(root, "train", classes[0], "'0<b>\xfe.png"))
	must(t, err)
	must(t, os.WriteFile(filepath.Join(root, "test", classes[0], "copy.png"), content, 0o666))
	c := narrowRun(t, Heads, root)
	c.NoReport = false
	r := fit(t, c)
	html, d := readPage(t, filepath.Join(c.Out, PageFile))
	sameFigures(t, html, d, r.Report)
	if n := strings.Count(html, "<script"); n != 2 {
		t.Errorf("%d scripts", n)
	}
	if strings.Contains(html, "<img src=x") || strings.Contains(html, "<b>\\xfe") || strings.Contains(html, "\u202e") {
		t.Error("a name became markup, or turns the text")
	}
	if !strings.Contains(html, "The same photo in train and in val or test") || !strings.Contains(html, "accuracies will look too good") {
		t.Error("the leak is not told")
	}
	if card := read(t, c.Out, CardFile); !utf8.Valid(card) || bytes.Contains(card, []byte("<script")) || bytes.Contains(card, []byte("<img")) {
		t.Error("the card has markup, or no text")
	}
}

// TestPageOfAnEvaluation: classes without photos have no recall; the page has the figures of the report.
func TestPageOfAnEvaluation(t *testing.T) {
	data := photos(t, map[string]int{"train": 12})
	c := narrowRun(t, Heads, data)
	fit(t, c)
	if _, err := os.Stat(filepath.Join(c.Out, PageFile)); err == nil {
		t.Error("a page that nobody wants")
	}
	net, _, err := onnx.Read(filepath.Join(c.Out, BestFile), onnx.ReadOptions{})
	must(t, err)
	var samples []photo.Sample
	for i := range 12 {
		samples = append(samples, photo.Sample{Path: filepath.Join(data, "train", "down", fmt.Sprintf("%03d.png", i)), Label: 1})
	}
	o := Options{}
	samples, _, err = Readable(t.Context(), data, samples, &o, Silent{})
	must(t, err)
	e, err := Evaluate(t.Context(), net, samples, o, PhaseTest, 0, Silent{})
	must(t, err)
	labels := []string{"across", "down", "plain"}
	j := &Judged{Evaluation: e, Labels: labels, Report: e.Report(labels), Network: net, Model: "m.onnx", Data: data, Options: o}
	path := filepath.Join(t.TempDir(), "page.html")
	must(t, j.WritePage(t.Context(), path, Silent{}))
	html, d := readPage(t, path)
	sameFigures(t, html, d, j.Report)
	if strings.Count(html, "<td>no photos</td>") != 2 || !strings.Contains(html, "12 of 1 class") {
		t.Error("classes without photos have figures")
	}
	must(t, os.Remove(samples[3].Path))
	must(t, j.WritePage(t.Context(), path, Silent{}))
	if html, _ = readPage(t, path); !strings.Contains(html, "1 photo without a picture") {
		t.Error("the page does not say that a photo has gone")
	}
}

// TestDoubts: labels that were exchanged come first, and a model that is sure of nothing doubts nothing.
func TestDoubts(t *testing.T) {
	const n = 40
	e := &Evaluation{Classes: 2}
	r := random.At(3, "doubts")
	for i := range n {
		is := i % 2
		label := is
		if i == 7 || i == 20 {
			label = 1 - is
		}
		logits := []float32{0, 0}
		logits[is] = 1 + 2*float32(r.Float64())
		if i == 11 { // a mistake of the model that it is not sure of
			logits = []float32{0.1, 0}
		}
		e.Samples = append(e.Samples, photo.Sample{Path: fmt.Sprint(i), Label: label})
		e.Logits = append(e.Logits, logits...)
	}
	m := newPage(".", []string{"a", "b"}, e, e.Report([]string{"a", "b"}))
	m.doubt(e)
	var doubted []string
	for _, d := range m.Doubts {
		doubted = append(doubted, d.Path)
		if math.Abs(d.Score-(1-d.Own)) > 1e-12 || d.Likely == d.Label {
			t.Errorf("%+v", d)
		}
	}
	if len(doubted) != 2 || !strings.Contains("7 20 7", strings.Join(doubted, " ")) {
		t.Errorf("doubted are %v", doubted)
	}
}
