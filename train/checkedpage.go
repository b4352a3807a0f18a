package train

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"regraft/atomicfile"
	"regraft/engine"
	"regraft/photo"
	"regraft/train/page"
)

// Checked is what was found of a folder of photos, with what a page says about it.
type Checked struct {
	*photo.Report
	// Doubts are those of DoubtLabels by the model in the file Model; nil, and "", where none was asked.
	Doubts  []LabelDoubt
	Model   string
	Command string // that asked for the page, for the record
	Options Options
}

// WritePage writes a page about the photos to a file.
func (c *Checked) WritePage(ctx context.Context, path string, events Events) error {
	m := c.page()
	o := c.Options
	o.Hashes = hashesOf(c.photos(), c.Found)
	if err := m.thumbnails(ctx, o, events); err != nil {
		return err
	}
	return atomicfile.Write(path, m.Write)
}

func (c *Checked) photos() []photo.Sample { return slices.Concat(c.Train, c.Val, c.Test) }

// page says what stands in the way of training.
func (c *Checked) page() *pageMaker {
	photos := c.photos()
	m := &pageMaker{
		Report: &page.Report{Classes: photo.ShownAll(c.Classes), By: "regraft " + engine.Version, Made: time.Now(), Command: c.Command, Title: photo.Shown(c.Root)},
		root:   c.Root, photos: map[string]*page.Photo{}, paths: map[*page.Photo]string{},
	}
	m.Headline = fmt.Sprintf("%s of %s", photo.Count(len(photos), "photo", "photos"), photo.Count(len(c.Classes), "class", "classes"))
	for i, p := range c.Problems() {
		if i == photo.MostListed {
			m.Cautions = append(m.Cautions, fmt.Sprintf("%d more problems, which are not listed here.", len(c.Problems())-i))
			break
		}
		m.Cautions = append(m.Cautions, photo.Text(p.Err.Error()))
	}
	m.repeated(c.Report)
	m.count(c.Report)
	samples := map[string]photo.Sample{}
	for _, s := range photos {
		samples[photo.Text(s.Path)] = s
	}
	m.strange(c.Report, samples)
	classes := map[string]int{}
	for id, class := range c.Classes {
		classes[class] = id
	}
	switch wrong := 0; {
	case c.Model == "":
		m.DoubtsNote = "Not looked for: that takes a model, whose features tell them."
	default:
		for _, d := range c.Doubts {
			if d.Wrong() {
				wrong++
				m.Doubts = append(m.Doubts, page.Doubt{Photo: m.photo(samples[d.Path]), Likely: classes[d.Likely], Score: d.Score})
			}
		}
		m.DoubtsNote = fmt.Sprintf("%d of %d, by classifiers on the features of %s that were solved without the photo; some of the doubts are their own mistakes.",
			wrong, len(c.Doubts), photo.Shown(c.Model))
	}
	m.Hashes = []page.Fact{{Name: "the photos and their names", Value: contentsHash(c.Root, photos, hashesOf(photos, c.Found))}}
	m.LeftOut = photo.Summary(c.LeftOut)
	return m
}

// count fills in how many photos the classes have in the parts that have some.
func (m *pageMaker) count(r *photo.Report) {
	type part struct {
		name   string
		photos []photo.Sample
		of     func(photo.ClassCount) int
	}
	parts := slices.DeleteFunc([]part{
		{"train", r.Train, func(c photo.ClassCount) int { return c.Train }},
		{"val", r.Val, func(c photo.ClassCount) int { return c.Val }},
		{"test", r.Test, func(c photo.ClassCount) int { return c.Test }},
	}, func(p part) bool { return len(p.photos) == 0 })
	for _, p := range parts {
		m.Parts = append(m.Parts, p.name)
	}
	for i, n := range r.PerClass {
		c := page.Count{Class: m.Classes[i]}
		for _, p := range parts {
			c.Photos = append(c.Photos, p.of(n))
		}
		m.Counts = append(m.Counts, c)
	}
}

// strange lists the photos that may be useless.
func (m *pageMaker) strange(r *photo.Report, samples map[string]photo.Sample) {
	add := func(path, why string) {
		m.Odd = append(m.Odd, page.Oddity{Photo: m.photo(samples[photo.Text(path)]), Why: why})
	}
	for _, o := range r.Odd {
		add(o.Path, o.Why)
	}
	for _, path := range r.Tiny {
		add(path, fmt.Sprintf("a side below %d pixels", photo.TinySide))
	}
}

// repeated lists the photos that are there more than once, those first that make accuracies look better, and the warnings of a report.
func (m *pageMaker) repeated(r *photo.Report) {
	samples := map[string]photo.Sample{}
	for _, s := range slices.Concat(r.Train, r.Val, r.Test) {
		samples[s.Path] = s
	}
	m.Cautions = append(append(m.Cautions, r.Doubts...), r.Warnings()...)
	for _, kind := range []struct {
		what   string
		groups [][]string
		shown  int
	}{
		{"The same photo in train and in val or test: it makes the accuracy look better than it is.", r.Leaks, 1},
		{"Photos that look the same in train and in val or test: they make the accuracy look better than it is.", r.NearLeaks, pictured},
		{"The same photo under different classes: whatever the answer, it counts as wrong for one of them.", r.Contradictions, 1},
		{"Photos that look the same under different classes: one of the labels may be wrong.", r.NearContradictions, pictured},
		{"The same photo more than once.", r.Duplicates, 1},
		{"Photos that look the same.", r.NearDuplicates, pictured},
	} {
		for _, paths := range kind.groups {
			group := page.Duplicate{What: kind.what}
			for i, path := range paths {
				if i < kind.shown {
					group.Photos = append(group.Photos, m.photo(samples[path]))
				}
				group.Paths = append(group.Paths, photo.Shown(filepath.ToSlash(below(m.root, path))))
			}
			m.Duplicates = append(m.Duplicates, group)
		}
	}
}

// IsPage reports whether a file is a page that WritePage or Fit have written; its error is that of opening it.
func IsPage(file string) (bool, error) {
	f, err := os.Open(file)
	if err != nil {
		return false, err
	}
	defer f.Close()
	return page.Is(f), nil
}
