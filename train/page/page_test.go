package page

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// noise is a JPEG of the size of a thumbnail, with as much in it as photos have.
func noise(t testing.TB, r *rand.Rand) []byte {
	t.Helper()
	m := image.NewGray(image.Rect(0, 0, 144, 108))
	for i := range m.Pix {
		m.Pix[i] = uint8(100 + i%144/2 + r.IntN(24))
	}
	for x := range 40 {
		m.SetGray(x, x, color.Gray{uint8(r.IntN(256))})
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// hostile are names that try to be more than text.
var hostile = []string{`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, "`|*[a](javascript:alert(1))", "</script><!--", "&lt;b&gt;", "'; DROP", "{{.Title}}"}

// sample is a report on so many classes, of each so many photos, of which about a fifth is wrong.
func sample(t testing.TB, classes, photos int) *Report {
	t.Helper()
	random := rand.New(rand.NewPCG(1, 2))
	r := &Report{Title: "runs/sample", Set: "test photos", Threshold: 0.4, Command: "regraft train", By: "regraft", Made: time.Date(2026, 1, 2, 3, 4, 0, 0, time.UTC)}
	for c := range classes {
		r.Classes = append(r.Classes, fmt.Sprintf("class %d %s", c, hostile[c%len(hostile)]))
		r.Confusion = append(r.Confusion, make([]int, classes))
	}
	picture := noise(t, random)
	for c := range classes {
		for i := range photos {
			answer, p := c, 0.5+random.Float64()/2
			if random.IntN(5) == 0 {
				answer = random.IntN(classes)
			}
			photo := &Photo{
				Path: fmt.Sprintf("test/%s/%d.jpg", r.Classes[c], i), Label: c, Own: 1 - p, Thumbnail: picture,
				Guesses: []Guess{{answer, p}, {(answer + 1) % classes, 1 - p}},
			}
			r.Judged = append(r.Judged, photo)
			r.Confusion[c][answer]++
			if answer == c {
				r.Right++
			}
		}
	}
	for c, name := range r.Classes {
		right, answers := r.Confusion[c][c], 0
		for _, row := range r.Confusion {
			answers += row[c]
		}
		share := func(a, b int) float64 { return float64(a) / float64(max(b, 1)) }
		r.PerClass = append(r.PerClass, Class{name, photos, answers, share(right, answers), share(right, photos), share(2*right, photos+answers)})
	}
	r.Interval = [2]float64{0.7, 0.9}
	return r
}

func written(t testing.TB, r *Report) string {
	t.Helper()
	var b bytes.Buffer
	if err := r.Write(&b); err != nil {
		t.Fatal(err)
	}
	if !utf8.Valid(b.Bytes()) {
		t.Error("the page is not UTF-8")
	}
	return b.String()
}

// TestHostileNames: names stay text, in the page and in the card.
func TestHostileNames(t *testing.T) {
	r := sample(t, 7, 5)
	for _, h := range hostile {
		r.Cautions, r.Advice = append(r.Cautions, h), append(r.Advice, h)
		r.About, r.Settings = append(r.About, Fact{h, h}), append(r.Settings, Fact{h, h})
		r.Doubts = append(r.Doubts, Doubt{r.Judged[0], 1, 0.9})
		r.Duplicates = append(r.Duplicates, Duplicate{h, []string{h, h}, r.Judged[:1]})
	}
	r.Title, r.Command, r.Set = hostile[0], hostile[1], hostile[1]
	html := written(t, r)
	if n := strings.Count(html, "<script"); n != 2 {
		t.Errorf("%d scripts in the page, want its own and its data", n)
	}
	for _, bad := range []string{"alert(1)</script>", "onerror=alert(1)>", "<img src=x", "ZgotmplZ"} {
		if strings.Contains(html, bad) {
			t.Errorf("the page has %s", bad)
		}
	}
	var card bytes.Buffer
	if err := r.WriteCard(&card); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"<script", "[a](javascript", "<img"} {
		for _, line := range strings.Split(card.String(), "\n") {
			if !strings.HasPrefix(line, "    ") && strings.Contains(line, bad) {
				t.Errorf("the card has %s", line)
			}
		}
	}
}

// TestSparseReports: nothing to show is no error, and says so.
func TestSparseReports(t *testing.T) {
	for name, r := range map[string]*Report{
		"nothing at all": {},
		"no photos":      {Classes: []string{"a", "b"}, PerClass: []Class{{Name: "a"}, {Name: "b"}}, Confusion: [][]int{{0, 0}, {0, 0}}},
	} {
		if html := written(t, r); !strings.Contains(html, "No photos were judged") || strings.Contains(html, "NaN") {
			t.Errorf("%s: the page does not say that no photos were judged, or has a NaN", name)
		}
	}
	checked := written(t, &Report{
		Headline: "3 photos of 2 classes", Classes: []string{"a", "b"}, Parts: []string{"train", "test"}, Counts: []Count{{"a", []int{2, 0}}, {"b", []int{0, 1}}},
		Odd: []Oddity{{&Photo{Path: "train/a/1.jpg"}, "blurred"}},
	})
	for _, part := range []string{"<h1>3 photos of 2 classes</h1>", `id="counts"`, `id="odd"`, "blurred", "1 odd photo may be useless"} {
		if !strings.Contains(checked, part) {
			t.Errorf("a page without answers lacks %q", part)
		}
	}
	for _, part := range []string{"No photos were judged", `id="confusion"`, `id="sure"`, `id="card"`, "#mistakes", "NaN"} {
		if strings.Contains(checked, part) {
			t.Errorf("a page without answers has %q", part)
		}
	}
	if !Is(strings.NewReader(checked)) || Is(strings.NewReader("<!DOCTYPE html><p>a page of somebody else")) {
		t.Error("pages are not told from others")
	}
	r := sample(t, 2, 3)
	r.PerClass[0].F1, r.PerClass[0].Photos, r.PerClass[0].Answers = 0, 0, 0
	if html := written(t, r); !strings.Contains(html, "no photos") || !strings.Contains(html, "no answers") {
		t.Error("figures of nothing are shown as numbers")
	}
	if weakest := newView(r).Weakest; weakest[0].Name != r.Classes[1] {
		t.Error("a class without photos stands before the weakest")
	}
}

// TestManyClasses: beyond a matrix that can be read the page shows a part and lists mistakes.
func TestManyClasses(t *testing.T) {
	r := sample(t, 200, 3)
	html := written(t, r)
	if n := strings.Count(html, `<th scope="row" title=`); n != mostColumns {
		t.Errorf("%d rows in the matrix", n)
	}
	if !strings.Contains(html, "These are 40 of the 200 classes") {
		t.Error("the page does not say that it shows a part")
	}
}

// TestRoom: 2,000 photos fit into 15 MB with their pictures, and what does not fit is counted.
func TestRoom(t *testing.T) {
	r := sample(t, 10, 200)
	html := written(t, r)
	t.Logf("%d bytes for 2000 photos of %d bytes", len(html), len(r.Judged[0].Thumbnail))
	if len(html) > 15_000_000 {
		t.Errorf("%d bytes", len(html))
	}
	if strings.Contains(html, "are not on this page") {
		t.Error("photos are left out")
	}
	r = sample(t, 10, 300)
	if html = written(t, r); !strings.Contains(html, "1000 of the 3000 judged photos are not on this page") || len(html) > 15_000_000 {
		t.Errorf("3000 photos: %d bytes", len(html))
	}
	for _, p := range r.Judged {
		p.Thumbnail = bytes.Repeat(p.Thumbnail, 20)
	}
	if html = written(t, r); !strings.Contains(html, "of the 3000 judged photos are not on this page") || len(html) > 15_000_000 {
		t.Errorf("large thumbnails: %d bytes", len(html))
	}
}

// TestOutcomes compares the figures of thresholds with counting.
func TestOutcomes(t *testing.T) {
	r := sample(t, 3, 40)
	r.Judged[0].Guesses[0].P, r.Judged[1].Guesses[0].P, r.Judged[2].Guesses[0].P = 0.7, 1, 0
	for k, got := range r.outcomes() {
		var want outcome
		for _, p := range r.Judged {
			if p.Guesses[0].P >= float64(k)/steps {
				want.Answered++
				if p.answer() == p.Label {
					want.Right++
				}
			}
		}
		if got != want {
			t.Fatalf("at %d: %v, want %v", k, got, want)
		}
	}
}

// TestFigure: a photo shows what it was taken for, its own class whatever that got, and nothing negligible.
func TestFigure(t *testing.T) {
	r := &Report{Classes: []string{"a", "b", "c", "d"}}
	for _, c := range []struct {
		photo   Photo
		alt     string
		guesses []named
		wrong   bool
	}{
		{Photo{Path: "x/1.jpg", Label: 1}, "Photo of class b: x/1.jpg", nil, false},
		{Photo{Path: "x/1.jpg", Label: 1, Own: 0.9, Guesses: []Guess{{1, 0.9}, {0, 0.1}, {2, 0}}}, "Photo of class b, recognised with 90.0\u00a0%: x/1.jpg",
			[]named{{"b", "90.0\u00a0%"}, {"a", "10.0\u00a0%"}}, false},
		{Photo{Path: "1.jpg", Label: 3, Own: 0.25, Guesses: []Guess{{2, 0.5}, {0, 0.25}}}, "Photo of class d, taken for c with 50.0\u00a0%: 1.jpg",
			[]named{{"c", "50.0\u00a0%"}, {"a", "25.0\u00a0%"}, {"d", "25.0\u00a0%"}}, true},
		{Photo{Path: "1.jpg", Label: 3, Guesses: []Guess{{2, 1}, {3, 0}}}, "Photo of class d, taken for c with 100.0\u00a0%: 1.jpg",
			[]named{{"c", "100.0\u00a0%"}, {"d", "0.0\u00a0%"}}, true},
	} {
		f := r.figure(&c.photo, &room{index: map[*Photo]int{&c.photo: 7}})
		if f.ID != 7 || f.Alt != c.alt || !slices.Equal(f.Guesses, c.guesses) || f.Wrong != c.wrong || f.Folder+f.File != c.photo.Path {
			t.Errorf("%+v", f)
		}
	}
}

// TestTrade: coverage is of all judged photos, so that no threshold leaves them all; precision is of those that have an answer.
func TestTrade(t *testing.T) {
	all := make([]outcome, steps+1)
	for k := range all {
		all[k] = outcome{Answered: 40 * (steps - k) / steps, Right: 30 * (steps - k) / steps}
	}
	p := trade(all)
	for at, want := range map[int][]string{0: {"0.00", "100.0\u00a0%", "75.0\u00a0%"}, 5: {"0.50", "50.0\u00a0%", "75.0\u00a0%"}, len(p.Rows) - 1: {"1.00", "0.0\u00a0%", "no answers"}} {
		if !slices.Equal(p.Rows[at], want) {
			t.Errorf("row %d: %q, want %q", at, p.Rows[at], want)
		}
	}
}
