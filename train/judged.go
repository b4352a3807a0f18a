package train

import (
	"context"
	"fmt"
	"time"

	"regraft/atomicfile"
	"regraft/engine"
	"regraft/head"
	"regraft/photo"
	"regraft/train/page"
)

// Judged is an evaluation with what a page says about it.
type Judged struct {
	*Evaluation
	Labels []string
	Report *Report
	// Network has answered to the photos of Split below Data; Model is its file, Command what asked for that. For the record.
	Network                     *engine.Network
	Model, Data, Split, Command string
	Options                     Options
	Skipped                     []Skipped
	LeftOut                     []string
}

// WritePage writes the page of an evaluation to a file.
func (j *Judged) WritePage(ctx context.Context, path string, events Events) error {
	m, err := j.page()
	if err != nil {
		return err
	}
	if err := m.thumbnails(ctx, j.Options, events); err != nil {
		return err
	}
	if err := m.heatMaps(ctx, j.Network, j.Options, events); err != nil {
		return err
	}
	return atomicfile.Write(path, m.Write)
}

// page says how the model does.
func (j *Judged) page() (*pageMaker, error) {
	m := newPage(j.Data, j.Labels, j.Evaluation, j.Report)
	m.Title, m.Set, m.Made, m.Command = photo.Shown(j.Model)+" on "+photo.Shown(j.Data), setNames[j.Split], time.Now(), j.Command
	m.same(&photo.Dataset{Root: j.Data, Classes: j.Labels, Test: j.Samples}, j.Options.Hashes, nil)
	m.Cautions = nil // of parts that are not there
	m.DuplicatesNote = "Only photos with the same bytes are looked for here. The command check of regraft finds those that look the same, too."
	d, err := DecisionsOf(j.Network)
	if err != nil {
		return nil, &ModelError{err}
	}
	m.ThresholdNote = "The model stores no threshold. One that is chosen here looks a little better than it is, since these photos chose it."
	if d != nil && d.Threshold != nil {
		m.Threshold = d.Threshold.Value
		m.ThresholdNote = fmt.Sprintf("The model's own threshold is %.3f; on the photos that chose it %.1f %% have an answer, and %.1f %% of these are right.",
			m.Threshold, 100*d.Threshold.Coverage, 100*d.Threshold.Precision)
	}
	m.reliable(j.Evaluation, asIs, "")
	m.Advice, m.DoubtsNote = j.Report.Advice(), unknownDoubts
	m.About = []page.Fact{
		{Name: "model", Value: photo.Shown(j.Model)},
		{Name: "photos", Value: fmt.Sprintf("%s: %d of %s", photo.Shown(j.Data), len(j.Samples), photo.Count(j.classes(), "class", "classes"))},
		{Name: "loss", Value: fmt.Sprintf("%.4f", j.Report.Loss)},
	}
	if views := max(j.Options.Views, 1); views > 1 {
		m.About = append(m.About, page.Fact{Name: "views of a photo", Value: fmt.Sprint(views)})
	}
	m.LeftOut = j.LeftOut
	if n := len(j.Skipped); n > 0 {
		m.LeftOut = append(m.LeftOut, fmt.Sprintf("%s that cannot be read, the first: %s", photo.Count(n, "photo", "photos"), photo.Shown(j.Skipped[0].Error)))
	}
	m.Hashes = []page.Fact{
		{Name: "the network", Value: new(head.Hasher).Hash(j.Network, nil)},
		{Name: "the photos and their names", Value: contentsHash(j.Data, j.Samples, j.Options.Hashes)},
	}
	m.Card = page.Card{Model: photo.Shown(j.Model), Input: described(j.Network.Meta.Preprocess), Use: fmt.Sprintf("regraft classify -m %s PHOTOS", photo.Shown(j.Model))}
	return m, nil
}

// classes is the number of those that have photos.
func (j *Judged) classes() int {
	n := 0
	for _, c := range j.Report.PerClass {
		if c.N > 0 {
			n++
		}
	}
	return n
}
