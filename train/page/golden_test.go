package page

import (
	"bytes"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"regraft/golden"
)

// full is a small report that has all parts of a page.
func full() *Report {
	r := &Report{
		Title: "runs/full", About: []Fact{{"network", "narrow"}, {"photos", "12"}}, Set: "test photos",
		Cautions: []string{"There are few photos."}, Advice: []string{"Take more photos."}, Classes: []string{"bridge", "forest", "sea"},
		Interval: [2]float64{0.42, 0.83}, Loss: 0.7, Threshold: 0.6, ThresholdNote: "Chosen on val.",
		Parts: []string{"train", "test"}, Counts: []Count{{"bridge", []int{4, 4}}, {"forest", []int{5, 5}}, {"sea", []int{3, 3}}},
		Reliability:  &Reliability{Bins: []Bin{{1, 0.45, 1}, {}, {4, 0.85, 0.5}}, Error: 0.125, Note: "Of all answers."},
		Learning:     []Point{{3, 0.5, [2]float64{0.31, 0.69}}, {12, 0.75, [2]float64{0.62, 0.88}}},
		LearningNote: "By folds.", DoubtsNote: "By folds, too.", DuplicatesNote: "By pixels.",
		Curves: []Curve{
			{"loss", []int{1, 2, 3}, []Line{{"train", []float64{2, 1, 0.5}}, {"val", []float64{2.5, math.NaN(), 0.8}}}, false},
			{"accuracy", []int{1, 2, 3}, []Line{{"train", []float64{0.25, 0.5, 1}}, {"val", []float64{0.2, 0.4, 0.6}}}, true},
		},
		Settings: []Fact{{"epochs", "3"}}, Hashes: []Fact{{"best.onnx", "0123abcd"}}, Command: "regraft train -o runs/full",
		Made: time.Date(2026, 1, 2, 3, 4, 0, 0, time.UTC), By: "regraft 1", LeftOut: []string{"2 photos could not be read."},
		Card:      Card{Model: "best.onnx", Use: "regraft classify", Method: "By solving.", Data: "12 photos.", Input: "64 x 64 pixels."},
		Confusion: [][]int{{3, 1, 0}, {1, 4, 0}, {2, 0, 1}},
		PerClass:  []Class{{"bridge", 4, 6, 0.5, 0.75, 0.6}, {"forest", 5, 5, 0.8, 0.8, 0.8}, {"sea", 3, 1, 1, 1. / 3, 0.5}},
	}
	n := 0
	for label, row := range r.Confusion {
		for answer, photos := range row {
			for range photos {
				p := 0.5 + float64(n*7%12)/25 // in no order
				photo := &Photo{Path: fmt.Sprintf("test/%s/%d.jpg", r.Classes[label], n), Label: label, Own: 0.0625, Thumbnail: []byte{byte(n)}}
				photo.Guesses = []Guess{{answer, p}, {(answer + 1) % 3, 1 - p - 0.0004}, {(answer + 2) % 3, 0.0004}}
				if answer != label {
					photo.Guesses = photo.Guesses[:1]
				} else {
					r.Right++
				}
				r.Judged = append(r.Judged, photo)
				n++
			}
		}
	}
	r.Judged[2].Overlay, r.Judged[4].Thumbnail = []byte{1, 2, 3, 4}, nil
	other := &Photo{Path: "train/sea/x.jpg", Label: 2, Thumbnail: []byte{99}} // was not judged
	r.Doubts = []Doubt{{r.Judged[3], 1, 0.875}, {other, 0, 0.75}}
	r.Duplicates = []Duplicate{{"the same file", []string{"a.jpg", "b.jpg"}, []*Photo{r.Judged[0], other}}}
	r.Odd = []Oddity{{r.Judged[6], "blurred"}, {&Photo{Path: "train/forest/dark.jpg", Label: 1}, "dark"}}
	return r
}

var (
	embedded = regexp.MustCompile(`(?s)<style>.*?</style>|<script>.*?</script>|content="default-src[^"]*"`)
	series   = regexp.MustCompile(`(\[\d+,\d+\],)(\[\d+,\d+\],)+`)
)

// TestPage compares a page, without its style, its program and most of 1,001 thresholds, with what it was. After a change that is meant:
// go test ./train/page -run TestPage -update, and read the difference.
func TestPage(t *testing.T) {
	text := embedded.ReplaceAllString(written(t, full()), "")
	text = series.ReplaceAllString(strings.ReplaceAll(text, "><", ">\n<"), "$1 ")
	golden.Text(t, "testdata/page.html", strings.ReplaceAll(text, "},{", "},\n{"))
	var card bytes.Buffer
	if err := full().WriteCard(&card); err != nil {
		t.Fatal(err)
	}
	golden.Text(t, "testdata/card.md", card.String())
}

// TestThresholds: what a page begins with is a threshold that there is.
func TestThresholds(t *testing.T) {
	for threshold, want := range map[float64]int{-1: 0, 0: 0, 0.0004: 0, 0.6004: 600, 0.6005: 601, 1: steps, 2: steps} {
		r := full()
		r.Threshold = threshold
		if v := newView(r); v.Step != want || v.Outcome != r.outcomes()[want] {
			t.Errorf("threshold %v: step %d with %v, want %d", threshold, v.Step, v.Outcome, want)
		}
	}
	v := newView(&Report{Judged: []*Photo{{Path: "a.jpg", Guesses: []Guess{{0, 0.7}}}, {Path: "b.jpg"}}, Classes: []string{"a"}})
	if v.Coverage() != 0.5 || v.Precise() != 1 { // one without an answer
		t.Errorf("coverage %v, precision %v", v.Coverage(), v.Precise())
	}
	if v = newView(&Report{Judged: []*Photo{{Path: "a.jpg", Guesses: []Guess{{0, 0.7}}}}, Classes: []string{"a"}}); v.Coverage() != 1 {
		t.Errorf("coverage of one photo: %v", v.Coverage())
	}
}

// TestWorstPart: of many classes a page shows, in their order, those that are mistaken most often.
func TestWorstPart(t *testing.T) {
	const classes = 70
	r := &Report{Confusion: make([][]int, classes)}
	for c := range classes {
		r.Classes, r.Confusion[c] = append(r.Classes, fmt.Sprint(c)), make([]int, classes)
		if c > 0 {
			r.Confusion[c][c-1] = c // the last classes are the worst: 30 to 69
		}
	}
	m := r.matrix()
	if len(m.Rows) != mostColumns || m.Classes[0] != classes-mostColumns || !slices.IsSorted(m.Classes) {
		t.Errorf("classes %v", m.Classes)
	}
	if len(m.Pairs) != mostPairs || m.Pairs[0] != (pair{classes - 1, classes - 2, classes - 1}) || m.Pairs[mostPairs-1].Photos != classes-mostPairs {
		t.Errorf("mistakes %v", m.Pairs)
	}
	want := "These are 40 of the 70 classes, those with the most frequent mistakes; 1950 of 2415 mistakes are in this part. Of 69 kinds of mistakes the 60 most frequent are listed below."
	if m.Part != want {
		t.Error(m.Part)
	}
	for c := 10; c < classes; c++ {
		clear(r.Confusion[c])
	}
	if m = r.matrix(); !slices.Equal(m.Classes[:11], []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10}) || len(m.Pairs) != 9 || !strings.HasSuffix(m.Part, " All kinds of mistakes are listed below.") {
		t.Errorf("%v %v %s", m.Classes, m.Pairs, m.Part)
	}
}

// TestLeftOut counts what a page has no room for.
func TestLeftOut(t *testing.T) {
	r := full()
	for i := range 30 {
		p := &Photo{Path: fmt.Sprint(i), Thumbnail: []byte{0}}
		r.Doubts, r.Duplicates, r.Odd = append(r.Doubts, Doubt{p, 1, 0.5}), append(r.Duplicates, Duplicate{What: "equal", Photos: []*Photo{p}}), append(r.Odd, Oddity{p, "dark"})
	}
	r.Duplicates[0].Paths = slices.Repeat([]string{"x"}, listed+3)
	v := newView(r)
	want := []string{"2 photos could not be read.", "2 photos without a picture: the file could not be read again.", "8 more labels look wrong than are shown.",
		"7 more groups of the same photos were found than are shown.", "8 more odd photos were found than are shown."}
	if !slices.Equal(v.LeftOut, want) {
		t.Errorf("%q", v.LeftOut)
	}
	if len(v.Doubtful.Figures) != listed || len(v.Same) != listed || len(v.Strange.Figures) != listed || v.Same[0].More != 3 || len(v.Same[0].Paths) != listed {
		t.Errorf("%d doubts, %d groups, %d odd photos, %d more of the first", len(v.Doubtful.Figures), len(v.Same), len(v.Strange.Figures), v.Same[0].More)
	}
}
