package page

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"html/template"
	"math"
	"slices"
)

// view is a Report as the template shows it.
type view struct {
	*Report
	Style         template.CSS
	Script        template.JS
	Policy        string
	Looks         []look
	Matrix        matrix
	Weakest       []Class // PerClass, that with the lowest F1 first
	Mistakes      section
	Uncertain     section
	Doubtful      section
	Same          []same
	Overlays      bool
	Trade, Wisdom plot
	Reliable      plot
	Drawn         []plot
	Outcome       outcome // at Threshold
	Step          int
	LeftOut       []string // Report.LeftOut, and what there was no room for
	Data          data
}

// Low, Wide and Here are the interval and the accuracy on a scale of 1000 units.
func (v *view) Low() string  { return unit(1000 * v.Interval[0]) }
func (v *view) Wide() string { return unit(1000 * (v.Interval[1] - v.Interval[0])) }
func (v *view) Here() string { return unit(996 * v.Accuracy()) }

// Shown, Coverage and Precise are what the page says at first about thresholds.
func (v *view) Shown() float64 { return float64(v.Step) / steps }
func (v *view) Coverage() float64 {
	return float64(v.Outcome.Answered) / float64(max(len(v.Judged), 1))
}
func (v *view) Precise() float64 {
	return float64(v.Outcome.Right) / float64(max(v.Outcome.Answered, 1))
}

// Bar is the width of a class's F1, of 100.
func (c Class) Bar() string { return unit(100 * c.F1) }

// section is a gallery: the first photos of Total.
type section struct {
	Total   int
	Figures []figure
}

// figure is a photo with what is said below it.
type figure struct {
	ID           int // in Data
	Picture      template.URL
	Overlay      template.URL
	Verdict, Alt string
	Detail       string
	Path         string
	Wrong        bool
}

// same is a Duplicate with its pictures.
type same struct {
	What    string
	Paths   []string
	Figures []figure
}

// data is what the page's script reads.
type data struct {
	Classes  []string    `json:"classes"`
	Photos   []photoData `json:"photos"`
	Outcomes [][2]int    `json:"outcomes"` // of every step: answered, right
	Judged   int         `json:"judged"`
	// Counts has the photos of every cell of the confusion matrix that has some: true class, answer, photos.
	Counts [][3]int `json:"counts"`
}

// photoData is a photo of room. Pictures that a gallery has are taken from there.
type photoData struct {
	Path    string `json:"path"`
	Label   int    `json:"label"`
	Judged  bool   `json:"judged"`
	Verdict string `json:"verdict"`
	Detail  string `json:"detail"`
	Alt     string `json:"alt"`
	Answer  int    `json:"answer"`
	Picture string `json:"picture,omitempty"`
	Overlay string `json:"overlay,omitempty"`
}

// newView arranges a report.
func newView(r *Report) *view {
	m, outcomes := r.room(), r.outcomes()
	v := &view{
		Report: r, Looks: r.looks(), Matrix: r.matrix(), Weakest: slices.Clone(r.PerClass), Trade: trade(outcomes), Wisdom: r.learning(),
		LeftOut: slices.Concat(r.LeftOut, m.leftOut), Step: int(math.Round(steps * min(max(r.Threshold, 0), 1))),
	}
	v.Outcome = outcomes[v.Step]
	slices.SortStableFunc(v.Weakest, func(a, b Class) int { return cmp.Compare(a.F1, b.F1) })
	mistakes := r.mistakes()
	v.Mistakes, v.Uncertain = r.section(mistakes, m), r.section(r.uncertain(), m)
	v.Doubtful.Total = len(r.Doubts)
	for _, d := range r.Doubts[:min(listed, len(r.Doubts))] {
		if _, shown := m.index[d.Photo]; !shown {
			continue
		}
		f := r.figure(d.Photo, m)
		f.Verdict, f.Detail = fmt.Sprintf("%s rather than %s", r.Classes[d.Likely], r.Classes[d.Label]), fmt.Sprintf("doubt %.2f", d.Score)
		v.Doubtful.Figures = append(v.Doubtful.Figures, f)
	}
	for _, d := range r.Duplicates[:min(listed, len(r.Duplicates))] {
		s := same{What: d.What, Paths: d.Paths}
		for _, p := range d.Photos {
			if _, shown := m.index[p]; shown {
				s.Figures = append(s.Figures, r.figure(p, m))
			}
		}
		v.Same = append(v.Same, s)
	}
	for i, c := range r.Curves {
		v.Drawn = append(v.Drawn, c.plot(fmt.Sprintf("curve%d", i)))
	}
	if r.Reliability != nil {
		v.Reliable = r.Reliability.plot()
	}
	v.fillData(m, outcomes)
	return v
}

// section is a gallery of the first of some photos.
func (r *Report) section(photos []*Photo, m *room) section {
	s := section{Total: len(photos)}
	for _, p := range photos[:min(gallery, len(photos))] {
		if _, shown := m.index[p]; shown {
			s.Figures = append(s.Figures, r.figure(p, m))
		}
	}
	return s
}

// fillData gives the script what the galleries do not show.
func (v *view) fillData(m *room, outcomes []outcome) {
	there := map[int]bool{}
	see := func(figures []figure) {
		for _, f := range figures {
			there[f.ID] = true
		}
	}
	see(v.Mistakes.Figures)
	see(v.Uncertain.Figures)
	see(v.Doubtful.Figures)
	for _, s := range v.Same {
		see(s.Figures)
	}
	judged := map[*Photo]bool{}
	for _, p := range v.Judged {
		judged[p] = true
	}
	v.Data = data{Classes: v.Classes, Judged: len(v.Judged)}
	for i, p := range m.photos {
		f := v.figure(p, m)
		d := photoData{Path: p.Path, Label: p.Label, Judged: judged[p], Verdict: f.Verdict, Detail: f.Detail, Alt: f.Alt, Answer: p.answer()}
		if !there[i] {
			d.Picture, d.Overlay = string(f.Picture), string(f.Overlay)
		}
		v.Overlays = v.Overlays || p.Overlay != nil
		v.Data.Photos = append(v.Data.Photos, d)
	}
	for _, o := range outcomes {
		v.Data.Outcomes = append(v.Data.Outcomes, [2]int{o.Answered, o.Right})
	}
	for t, row := range v.Confusion {
		for a, n := range row {
			if n > 0 {
				v.Data.Counts = append(v.Data.Counts, [3]int{t, a, n})
			}
		}
	}
}

// picture is an image as an address that holds it.
func picture(kind string, content []byte) template.URL {
	if content == nil {
		return ""
	}
	return template.URL("data:image/" + kind + ";base64," + base64.StdEncoding.EncodeToString(content))
}

// figure describes a photo; label names classes.
func (r *Report) figure(p *Photo, m *room) figure {
	f := figure{ID: m.index[p], Picture: picture("jpeg", p.Thumbnail), Overlay: picture("png", p.Overlay), Path: p.Path, Wrong: p.wrong()}
	label := r.Classes[p.Label]
	switch {
	case p.answer() < 0:
		f.Verdict = label
		f.Alt = fmt.Sprintf("Photo of class %s: %s", label, p.Path)
		return f
	case p.wrong():
		f.Verdict = fmt.Sprintf("%s, not %s", label, r.Classes[p.answer()])
		f.Alt = fmt.Sprintf("Photo of class %s, taken for %s with %s: %s", label, r.Classes[p.answer()], percent(p.Guesses[0].P), p.Path)
	default:
		f.Verdict = label
		f.Alt = fmt.Sprintf("Photo of class %s, recognised with %s: %s", label, percent(p.Guesses[0].P), p.Path)
	}
	for i, g := range p.Guesses {
		if i > 0 {
			f.Detail += " · "
		}
		f.Detail += fmt.Sprintf("%s %s", r.Classes[g.Class], percent(g.P))
	}
	if p.wrong() && !slices.ContainsFunc(p.Guesses, func(g Guess) bool { return g.Class == p.Label }) {
		f.Detail += fmt.Sprintf(" · %s %s", label, percent(p.Own))
	}
	return f
}

// matrix is the confusion matrix, or, of many classes, the part of it with the most mistakes.
type matrix struct {
	Classes []int
	Rows    []matrixRow
	// Part says what is not in it; Pairs are the most frequent mistakes then.
	Part  string
	Pairs []pair
}

type matrixRow struct {
	Class, Photos int
	Cells         []cell
}

// cell has a shade from 0 to 10.
type cell struct {
	True, Answer, Photos, Shade int
}

// Right says that the cell counts photos that are right.
func (c cell) Right() bool { return c.True == c.Answer }

// mostColumns is the number of classes that are shown as a matrix, mostPairs that of mistakes that are listed beside a part of it.
const (
	mostColumns = 40
	mostPairs   = 60
)

// matrix arranges the confusion matrix.
func (r *Report) matrix() matrix {
	var m matrix
	for c := range r.Classes {
		m.Classes = append(m.Classes, c)
	}
	pairs := r.pairs()
	if len(m.Classes) > mostColumns {
		mistakes := make([]int, len(r.Classes))
		for _, p := range pairs {
			mistakes[p.True] += p.Photos
			mistakes[p.Answer] += p.Photos
		}
		slices.SortStableFunc(m.Classes, func(a, b int) int { return cmp.Compare(mistakes[b], mistakes[a]) })
		m.Classes = m.Classes[:mostColumns]
		slices.Sort(m.Classes)
		all, inside := 0, 0
		for _, p := range pairs {
			all += p.Photos
			if slices.Contains(m.Classes, p.True) && slices.Contains(m.Classes, p.Answer) {
				inside += p.Photos
			}
		}
		m.Pairs = pairs[:min(mostPairs, len(pairs))]
		m.Part = fmt.Sprintf("These are the %d of %d classes with the most mistakes; %d of %s are in this part.", mostColumns, len(r.Classes), inside, count(all, "mistake"))
		if n := len(pairs) - len(m.Pairs); n > 0 {
			m.Part += fmt.Sprintf(" Of %d kinds of mistakes the %d most frequent are listed below.", len(pairs), len(m.Pairs))
		} else {
			m.Part += " All kinds of mistakes are listed below."
		}
	}
	for _, t := range m.Classes {
		row := matrixRow{Class: t}
		for _, n := range r.Confusion[t] {
			row.Photos += n
		}
		for _, a := range m.Classes {
			n := r.Confusion[t][a]
			share := float64(n) / float64(max(row.Photos, 1))
			if t != a {
				share = math.Sqrt(share) // mistakes are seldom more than a few
			}
			row.Cells = append(row.Cells, cell{t, a, n, int(math.Ceil(10 * share))})
		}
		m.Rows = append(m.Rows, row)
	}
	return m
}
