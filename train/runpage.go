package train

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"strings"

	"regraft/photo"
	"regraft/setting"
	"regraft/train/page"
)

// setNames say which photos a report is about, as in "83.6 % of the test photos are right".
var setNames = map[string]string{
	SetTest: "test photos", SetVal: "validation photos", SetSplit: "photos that were held out", SetFolds: "photos that were held out in turn", "": "photos",
	"train": "training photos",
}

// writePage writes the page and the model card of a run.
func (r *training) writePage(ctx context.Context, result *Result) error {
	m, err := r.page(result)
	if err != nil {
		return err
	}
	o := r.config.options()
	o.Cache, o.Hashes = r.config.Cache, r.hashes
	if err := m.thumbnails(ctx, o, r.events); err != nil {
		return err
	}
	best, err := r.readBest()
	if err != nil {
		return err
	}
	if err := m.heatMaps(ctx, best, o, r.events); err != nil {
		return err
	}
	if err := r.out.write(PageFile, m.Write); err != nil {
		return err
	}
	return r.out.write(CardFile, m.WriteCard)
}

// page says what the run has learnt.
func (r *training) page(result *Result) (*pageMaker, error) {
	e, bins, divisor, note := r.answers, r.answers, asIs, ""
	if c := r.calibration; c != nil && result.ReportedOn == c.FittedOn { // the answers are those before
		e, divisor = r.answers.scaled(c.Temperature), r.answers.crossed()
		note = "The temperature was fitted to these photos; for this picture to each half of them by the other half."
	}
	m := newPage(r.config.Data, r.sets.classes, e, result.Report)
	m.Title, m.Set, m.Made, m.Command = photo.Shown(filepath.Clean(r.config.Out)), setNames[result.ReportedOn], r.began, r.config.Command
	m.reliable(bins, divisor, note)
	r.judgedWith(m, result)
	m.same(r.sets.Dataset, r.hashes, r.lookalikes())
	r.doubts(m)
	m.Curves = drawnCurves(result)
	r.learning(m, result)
	r.about(m, result)
	return m, r.provenance(m)
}

// judgedWith says what must be known of the accuracy, and of the threshold.
func (r *training) judgedWith(m *pageMaker, result *Result) {
	switch {
	case result.Note != "":
		m.Cautions = append(m.Cautions, result.Note)
	case result.ReportedOn == SetFolds:
		m.Cautions = append(m.Cautions, "These photos also chose the settings, so the share is a little too good. A part called test, which chooses nothing, tells more.")
	case result.ReportedOn == result.SelectedOn:
		m.Cautions = append(m.Cautions, "The best epoch was chosen on these photos, so the share is a little too good. A part called test, which chooses nothing, tells more.")
	}
	if a := result.Assumption; a != nil && a.Better == "" { // else the advice says so
		m.Cautions = append(m.Cautions, a.String())
	}
	m.ThresholdNote = fmt.Sprintf("A threshold that is chosen here looks a little better than it is. A run that is asked for a precision (%v) stores one in the model, "+
		"chosen on photos that were held out.", setting.Precision)
	if t := result.Threshold; t != nil {
		m.Threshold = t.Value
		m.ThresholdNote = fmt.Sprintf("The model's own threshold is %.3f: on photos that were held out %.1f %% have an answer then, and %.1f %% of these are right.",
			t.Value, 100*t.Coverage, 100*t.Precision)
	}
}

const unknownDoubts = "Not looked for: that takes answers to the training photos by classifiers that were solved without them. " +
	"The command check of regraft, given a model, has them."

// doubts are those that folds of train know.
func (r *training) doubts(m *pageMaker) {
	if r.outOfFold == nil {
		m.DoubtsNote = unknownDoubts
		return
	}
	e := r.outOfFold
	if r.calibration != nil && r.calibration.FittedOn == SetFolds {
		e = e.scaled(r.calibration.Temperature)
	}
	m.doubt(e)
	m.DoubtsNote = fmt.Sprintf("Of %d photos to train on, by classifiers that were solved without the photo. These are right on %.1f %%, so some of the doubts are their own mistakes. "+
		"The command check of regraft, given a model, looks closer and has a score for every photo.", len(e.Samples), 100*e.accuracy())
	if len(m.Doubts) == 0 {
		m.DoubtsNote = "None. " + m.DoubtsNote
	}
}

// drawnCurves are loss and accuracy over the epochs.
func drawnCurves(result *Result) []page.Curve {
	draw := func(title string, share bool, of func(Epoch) (train, val float64)) page.Curve {
		c := page.Curve{Title: title, Share: share, Lines: []page.Line{{Name: "train"}, {Name: result.SelectedOn}}}
		for _, e := range result.Epochs {
			t, v := of(e)
			c.Epochs = append(c.Epochs, e.Number)
			c.Lines[0].Values, c.Lines[1].Values = append(c.Lines[0].Values, t), append(c.Lines[1].Values, v)
		}
		return c
	}
	return []page.Curve{
		draw("loss", false, func(e Epoch) (train, val float64) { return e.TrainLoss, e.ValLoss }),
		draw("accuracy", true, func(e Epoch) (train, val float64) { return e.TrainAcc, e.ValAcc }),
	}
}

// learning is the learning curve, where there is one, and what follows.
func (r *training) learning(m *pageMaker, result *Result) {
	for _, p := range result.Curve {
		m.Learning = append(m.Learning, page.Point{Photos: p.Photos, Accuracy: p.Accuracy, Interval: p.Interval})
	}
	m.Advice = result.Advice
	switch {
	case len(m.Learning) > 0:
	case r.config.byFolds():
		m.LearningNote = fmt.Sprintf("Not measured in this run: with %v 5 it trains on growing shares of the photos too.", setting.Folds)
	default:
		m.LearningNote = fmt.Sprintf("Not measured in this run: %v heads with %v 5 trains on growing shares of the photos.", setting.Mode, setting.Folds)
	}
}

// about says what was trained on what, in the page's facts and its card.
func (r *training) about(m *pageMaker, result *Result) {
	c, s := &r.config, result.Start
	method := map[Mode]string{Heads: "new classifiers on frozen features", Full: "all weights"}[c.Mode]
	data := fmt.Sprintf("%s: %d classes, %d photos to train", photo.Shown(c.Data), len(r.sets.classes), s.Train)
	if s.Val > 0 {
		data += fmt.Sprintf(", %d to choose the best epoch (%s)", s.Val, s.Selection)
	}
	if s.Test > 0 {
		data += fmt.Sprintf(", %d to test", s.Test)
	}
	fact := func(name, format string, args ...any) {
		m.About = append(m.About, page.Fact{Name: name, Value: strings.ReplaceAll(fmt.Sprintf(format, args...), " %", "\u00a0%")})
	}
	fact("began with", "%s", photo.Shown(c.Model))
	fact("trained", "%s, by %s", method, c.Optimizer)
	fact("photos", "%s", data)
	if f := r.choice; f != nil {
		fact("chosen by folds", "%d folds of %d photos: weight decay %g, views of a photo %d, iterations %d; of what was held out %.1f %% is right (95 %%: %.1f to %.1f)",
			f.Folds, f.Photos, f.WeightDecay, f.Views, f.Iterations, 100*f.Accuracy, 100*f.Interval[0], 100*f.Interval[1])
	}
	if result.SelectedOn != SetFolds { // where it is the last
		fact("best epoch", "%d of %d", result.Best.Number, len(result.Epochs))
	}
	if result.Stopped != "" {
		fact("stopped early", "%s", result.Stopped)
	}
	fact("loss", "%.4f", result.Report.Loss)
	if result.Calibration != nil {
		fact("probabilities", "%v", result.Calibration)
	}
	if result.Distance != nil {
		fact("something else", "%v", result.Distance)
	}
	m.LeftOut = append(m.LeftOut, s.LeftOut...)
	if n := len(result.Skipped); n > 0 {
		m.LeftOut = append(m.LeftOut, fmt.Sprintf("%s that the run went on without, listed in %s.", photo.Count(n, "photo", "photos"), SummaryFile))
	}
	m.Card = page.Card{
		Model: BestFile, Method: method + " of " + photo.Shown(c.Model), Data: data, Input: described(&c.Preprocess),
		Use: fmt.Sprintf("regraft classify -m %s PHOTOS", photo.Shown(result.Model)),
	}
}

// provenance are the settings and the hashes.
func (r *training) provenance(m *pageMaker) error {
	m.Settings = r.settingsUsed()
	model, err := fileHash(r.out.name(BestFile))
	if err != nil {
		return err
	}
	m.Hashes = []page.Fact{{Name: BestFile, Value: model}, {Name: "the network before", Value: r.network}}
	if r.trunk != "" {
		m.Hashes = append(m.Hashes, page.Fact{Name: "the trunk, before and after", Value: r.trunk})
	}
	m.Hashes = append(m.Hashes, page.Fact{Name: "the photos and their names", Value: contentsHash(m.root, r.sets.all(), r.hashes)})
	return nil
}

// settingsUsed is args.json line by line, with what folds chose.
func (r *training) settingsUsed() []page.Fact {
	data, err := json.Marshal(r.config)
	if err != nil {
		panic(err) // a Config holds only numbers, strings and booleans
	}
	chosen := map[string]string{}
	if c := r.choice; c != nil {
		for name, value := range map[string]any{"weight_decay": c.WeightDecay, "views": c.Views, "epochs": c.Iterations} {
			chosen[name] = fmt.Sprintf("%v (by folds)", value)
		}
	}
	var all []page.Fact
	d := json.NewDecoder(bytes.NewReader(data))
	d.Token() // {
	for d.More() {
		name, _ := d.Token()
		var value json.RawMessage
		if d.Decode(&value) != nil {
			break
		}
		text := string(value)
		var plain string
		if json.Unmarshal(value, &plain) == nil {
			text = photo.Shown(plain)
		}
		if text == "" || text == "null" {
			text = "not given"
		}
		if name == "preprocess" {
			text = described(&r.config.Preprocess)
		}
		if by, is := chosen[name.(string)]; is && (text == "0" || text == "-1") {
			text = by
		}
		all = append(all, page.Fact{Name: name.(string), Value: text})
	}
	return all
}

// contentsHash is the SHA-256 of a line for each photo: the hash of its bytes, and its name below root.
func contentsHash(root string, photos []photo.Sample, hashes map[string]photo.Hash) string {
	sum := sha256.New()
	for _, s := range photos {
		fmt.Fprintf(sum, "%x  %q\n", hashes[s.Path], filepath.ToSlash(below(root, s.Path)))
	}
	return hexOf(sum)
}

// fileHash is the SHA-256 of a file.
func fileHash(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	sum := sha256.New()
	_, err = io.Copy(sum, f)
	return hexOf(sum), err
}

func hexOf(h hash.Hash) string { return fmt.Sprintf("%x", h.Sum(nil)) }
