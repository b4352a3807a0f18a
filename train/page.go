package train

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"regraft/engine"
	"regraft/photo"
	"regraft/train/page"
)

// pageMaker fills a page with photos, of which each is there once.
type pageMaker struct {
	*page.Report
	root   string
	photos map[string]*page.Photo // by path
	paths  map[*page.Photo]string
}

// guesses are the most probable classes that a page names for a photo.
const guesses = 3

// newPage begins a page with the answers e to photos below root, and the figures that report has of them.
func newPage(root string, labels []string, e *Evaluation, report *Report) *pageMaker {
	m := &pageMaker{
		Report: &page.Report{Classes: photo.ShownAll(labels), Loss: report.Loss, Confusion: report.Confusion, By: "regraft " + engine.Version},
		root:   root, photos: map[string]*page.Photo{}, paths: map[*page.Photo]string{},
	}
	for i, s := range e.Samples {
		p := m.photo(s)
		m.answer(p, e.probabilities(i))
		m.Judged = append(m.Judged, p)
	}
	for c, f := range report.PerClass {
		m.Right += report.Confusion[c][c]
		answers := 0
		for _, row := range report.Confusion {
			answers += row[c]
		}
		m.PerClass = append(m.PerClass, page.Class{
			Name: m.Classes[c], Photos: f.N, Answers: answers, Precision: f.Precision, Recall: f.Recall, F1: f.F1,
		})
	}
	m.Interval = Interval(m.Right, len(e.Samples))
	return m
}

// photo is the page's entry of a photo.
func (m *pageMaker) photo(s photo.Sample) *page.Photo {
	if p, there := m.photos[s.Path]; there {
		return p
	}
	p := &page.Photo{Path: photo.Shown(filepath.ToSlash(below(m.root, s.Path))), Label: s.Label}
	m.photos[s.Path], m.paths[p] = p, s.Path
	return p
}

// answer gives a photo the probabilities of the classes.
func (m *pageMaker) answer(p *page.Photo, probabilities []float64) {
	p.Own, p.Guesses = probabilities[p.Label], nil
	for range min(guesses, len(probabilities)) {
		best := argmax(probabilities)
		p.Guesses = append(p.Guesses, page.Guess{Class: best, P: probabilities[best]})
		probabilities[best] = -1
	}
}

// doubt lists the labels that look wrong, given the answers of heads that were solved without the photo: another class is the most
// probable, and as probable as that class is, on average, for its own photos (Northcutt et al., Confident Learning, 2021).
func (m *pageMaker) doubt(e *Evaluation) {
	usual, photos := make([]float64, e.Classes), make([]float64, e.Classes)
	all := make([][]float64, len(e.Samples))
	for i, s := range e.Samples {
		all[i] = e.probabilities(i)
		usual[s.Label] += all[i][s.Label]
		photos[s.Label]++
	}
	for i, s := range e.Samples {
		likely := argmax(all[i])
		if likely == s.Label || photos[likely] == 0 || all[i][likely] < usual[likely]/photos[likely] {
			continue
		}
		score, p := 1-all[i][s.Label], m.photo(s)
		if p.Guesses == nil {
			m.answer(p, all[i])
		}
		m.Doubts = append(m.Doubts, page.Doubt{Photo: p, Likely: likely, Score: score})
	}
	slices.SortStableFunc(m.Doubts, func(a, b page.Doubt) int { return cmp.Compare(b.Score, a.Score) })
}

// pictured bounds the photos of a group that a page shows.
const pictured = 4

// same is repeated of photos with these hashes, of which those in alike look the same, as indices.
func (m *pageMaker) same(d *photo.Dataset, hashes map[string]photo.Hash, alike [][]int) {
	photos := slices.Concat(d.Train, d.Val, d.Test)
	found := make([]photo.Finding, len(photos))
	for i, s := range photos {
		found[i].Hash = hashes[s.Path]
	}
	r := d.Report(found)
	r.AddAlike(alike, nil)
	m.repeated(r)
}

// reliable compares the answers' probabilities with what is right; those of classes that do not exclude each other are no shares of one.
func (m *pageMaker) reliable(e *Evaluation, divisor func(i int) float64, note string) {
	if e.Independent || len(e.Samples) == 0 {
		return
	}
	r := &page.Reliability{Error: e.calibrationError(divisor), Note: note}
	for _, b := range e.bins(divisor) {
		n := max(b.n, 1)
		r.Bins = append(r.Bins, page.Bin{Photos: int(b.n), Sure: b.sure / n, Right: b.right / n})
	}
	m.Reliability = r
}

// described is preprocessing in words.
func described(p *photo.Preprocess) string {
	channels := strings.ToUpper(string(cmp.Or(p.Channels, photo.RGB)))
	text := fmt.Sprintf("%d x %d pixels (height x width), %s, %s, %s", p.Size.H, p.Size.W, p.Resize, cmp.Or(p.Resample, photo.Bilinear), channels)
	return text + fmt.Sprintf("; pixels times %.6g, less %v, divided by %v", p.Rescale, p.Mean, p.Std)
}
