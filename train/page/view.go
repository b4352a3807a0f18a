package page

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"html/template"
	"math"
	"slices"
	"strings"
)

// view is a Report as the template shows it.
type view struct {
	*Report
	Style         template.CSS
	Script        template.JS
	Policy        string
	Looks         []look
	Matrix        matrix
	Weakest       []Class // PerClass, that with the lowest F1 first, those without photos last
	Mistakes      section
	Uncertain     section
	Doubtful      section
	Strange       section
	Same          []same
	Overlays      int  // photos that have one
	Trade, Growth plot // precision and coverage; accuracy over photos
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

// Narrow says that the confusion matrix leaves room beside it.
func (v *view) Narrow() bool { return len(v.Matrix.Classes) <= 10 }

// Bar is the width of a class's F1, of 100.
func (c Class) Bar() string { return unit(100 * c.F1) }

// Bar is the width of a class's photos, of 100.
func (c Count) Bar(v *view) string {
	most := 1
	for _, other := range v.Counts {
		most = max(most, other.all())
	}
	return unit(100 * float64(c.all()) / float64(most))
}

// Mark is how pages of this package are told from others.
func (v *view) Mark() string { return mark }

// section is a gallery: the first photos of Total.
type section struct {
	Total   int
	Figures []figure
}

// figure is a photo with what is said below it.
type figure struct {
	ID               int // in Data
	Picture, Overlay template.URL
	Label, Alt       string
	// Verdict is what the label is taken for, or who doubts it; Wrong says that it is no praise.
	Verdict      string
	Wrong        bool
	Guesses      []named
	Folder, File string
}

// named is a class with its probability.
type named struct {
	Name string `json:"name"`
	P    string `json:"p"`
}

// same is a Duplicate with its pictures.
type same struct {
	What    string
	Paths   []string
	More    int // paths that are not shown
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
	Label   int     `json:"label"`
	Answer  int     `json:"answer"`
	Judged  bool    `json:"judged"`
	Verdict string  `json:"verdict"`
	Wrong   bool    `json:"wrong"`
	Guesses []named `json:"guesses"`
	Folder  string  `json:"folder"`
	File    string  `json:"file"`
	Alt     string  `json:"alt"`
	Picture string  `json:"picture,omitempty"`
	Overlay string  `json:"overlay,omitempty"`
}

// newView arranges a report.
func newView(r *Report) *view {
	m, outcomes := r.room(), r.outcomes()
	v := &view{
		Report: r, Looks: r.looks(), Matrix: r.matrix(), Weakest: slices.Clone(r.PerClass), Trade: trade(outcomes), Growth: r.learning(),
		LeftOut: slices.Concat(r.LeftOut, m.leftOut), Step: int(math.Round(steps * min(max(r.Threshold, 0), 1))),
	}
	v.Outcome = outcomes[v.Step]
	slices.SortStableFunc(v.Weakest, func(a, b Class) int {
		return cmp.Or(cmp.Compare(min(b.Photos, 1), min(a.Photos, 1)), cmp.Compare(a.F1, b.F1))
	})
	mistakes := r.mistakes()
	v.Mistakes, v.Uncertain = r.section(mistakes, m), r.section(r.uncertain(), m)
	v.Doubtful.Total = len(r.Doubts)
	for _, d := range r.Doubts[:min(listed, len(r.Doubts))] {
		if _, shown := m.index[d.Photo]; !shown {
			continue
		}
		f := r.figure(d.Photo, m)
		f.Verdict, f.Wrong, f.Guesses = "rather "+r.Classes[d.Likely], true, []named{{"doubt", fmt.Sprintf("%.2f", d.Score)}}
		v.Doubtful.Figures = append(v.Doubtful.Figures, f)
	}
	v.Strange.Total = len(r.Odd)
	for _, o := range r.Odd[:min(listed, len(r.Odd))] {
		if _, shown := m.index[o.Photo]; shown {
			f := r.figure(o.Photo, m)
			f.Verdict, f.Wrong, f.Guesses = o.Why, true, nil
			v.Strange.Figures = append(v.Strange.Figures, f)
		}
	}
	for _, d := range r.Duplicates[:min(listed, len(r.Duplicates))] {
		n := min(len(d.Paths), listed)
		s := same{What: d.What, Paths: d.Paths[:n], More: len(d.Paths) - n}
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
	see(v.Strange.Figures)
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
		d := photoData{
			Label: p.Label, Answer: p.answer(), Judged: judged[p], Verdict: f.Verdict, Wrong: f.Wrong, Guesses: f.Guesses, Folder: f.Folder, File: f.File, Alt: f.Alt,
		}
		if !there[i] {
			d.Picture, d.Overlay = string(f.Picture), string(f.Overlay)
		}
		if p.Overlay != nil {
			v.Overlays++
		}
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

// negligible is a probability that is not worth a line.
const negligible = 0.001

// figure describes a photo.
func (r *Report) figure(p *Photo, m *room) figure {
	slash := strings.LastIndexByte(p.Path, '/') + 1
	f := figure{
		ID: m.index[p], Picture: picture("jpeg", p.Thumbnail), Overlay: picture("png", p.Overlay), Label: r.Classes[p.Label],
		Folder: p.Path[:slash], File: p.Path[slash:], Wrong: p.wrong(),
	}
	f.Alt = fmt.Sprintf("Photo of class %s", f.Label)
	switch {
	case p.answer() < 0:
	case p.wrong():
		f.Verdict = "taken for " + r.Classes[p.answer()]
		f.Alt += fmt.Sprintf(", %s with %s", f.Verdict, percent(p.Guesses[0].P))
	default:
		f.Verdict = "recognised"
		f.Alt += fmt.Sprintf(", recognised with %s", percent(p.Guesses[0].P))
	}
	f.Alt += ": " + p.Path
	own := p.answer() < 0
	for _, g := range p.Guesses {
		if own = own || g.Class == p.Label; g.P >= negligible || g.Class == p.Label {
			f.Guesses = append(f.Guesses, named{r.Classes[g.Class], percent(g.P)})
		}
	}
	if !own {
		f.Guesses = append(f.Guesses, named{f.Label, percent(p.Own)})
	}
	return f
}
