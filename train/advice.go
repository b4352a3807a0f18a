package train

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"regraft/photo"
	"regraft/setting"
)

// measured is what a run or an evaluation knows when it gives advice. What it does not know is zero.
type measured struct {
	config  Config
	classes []string
	// trained counts the photos of every class that are learned from.
	trained []int
	result  *Result
	report  *Report
	// answers are those of report; seen says which of their photos are learned from as well, by their bytes or their looks.
	answers *Evaluation
	seen    []bool
	upright *Upright
	reached *Reached
}

// rule is a condition on what was measured and the sentence that follows.
type rule struct {
	name string
	says func(*measured) []string // none where the condition does not hold
}

// rules are all advice that there is, the gravest first.
var rules = []rule{
	{"selected on test", selectedOnTest},
	{"duplicates", duplicatesExplain},
	{"preprocessing", preprocessingUnfit},
	{"not reached", notReached},
	{"rate too high", rateTooHigh},
	{"upside down", turnedUpsideDown},
	{"overfitting", fitsTooWell},
	{"swallowed", swallowed},
	{"few photos", fewPhotos},
	{"learning curve", growing},
}

// measured gathers what the run has measured.
func (r *training) measured(result *Result, reached *Reached) *measured {
	m := &measured{
		config: r.config, classes: r.sets.classes, trained: make([]int, len(r.sets.classes)), result: result, report: result.Report,
		answers: r.answers, upright: r.upright, reached: reached,
	}
	learned, looks := map[photo.Hash]bool{}, map[int]bool{}
	for _, s := range r.sets.train {
		m.trained[s.Label]++
		if hash, known := r.hashes[s.Path]; known {
			learned[hash] = true
		}
		if group, known := r.alike[s.Path]; known {
			looks[group] = true
		}
	}
	if result.ReportedOn != SetFolds { // which keep equal photos together
		for _, s := range r.answers.Samples {
			hash, known := r.hashes[s.Path]
			group, alike := r.alike[s.Path]
			m.seen = append(m.seen, known && learned[hash] || alike && looks[group])
		}
	}
	return m
}

// advice is what all rules say, a sentence or two each.
func (m *measured) advice() []string {
	all := []string{}
	for _, r := range rules {
		all = append(all, r.says(m)...)
	}
	return all
}

// Advice is what a report of labelled photos says by itself.
func (r *Report) Advice() []string { return (&measured{report: r}).advice() }

func say(format string, values ...any) []string { return []string{fmt.Sprintf(format, values...)} }

// selectedOnTest: the best epoch was chosen by the photos that it is reported on.
func selectedOnTest(m *measured) []string {
	r := m.result
	if r == nil || r.SelectedOn != SetTest {
		return nil
	}
	last, by := r.Epochs[len(r.Epochs)-1], ""
	if last.Number != r.Best.Number {
		by = fmt.Sprintf(" The last one, which nothing chose, has %.1f instead of %.1f %% of them right.", 100*last.ValAcc, 100*r.Best.ValAcc)
	}
	return say("The accuracy may be too good: the test photos chose the best of %d epochs.%s Without %v %s photos of train choose, and test is looked at once.",
		len(r.Epochs), by, setting.SelectOn, SetTest)
}

// duplicatesExplain: photos that were learned from are right more often than the others of the report.
func duplicatesExplain(m *measured) []string {
	if m.answers == nil {
		return nil
	}
	again, right, others, rightOthers := 0, 0, 0, 0
	for i, s := range m.answers.Samples {
		is := argmax(m.answers.row(i)) == s.Label
		if i < len(m.seen) && m.seen[i] {
			again++
		} else if others++; is {
			rightOthers++
		}
		if is {
			right++
		}
	}
	with, without := share(right, again+others), share(rightOthers, others)
	switch {
	case again == 0 || others > 0 && with <= without:
		return nil
	case others == 0:
		return say("The accuracy says nothing: all %d photos of %s are in train too, by bytes or looks.", again, m.result.ReportedOn)
	}
	return say("Duplicates explain a part of the accuracy: %d of %s of %s %s in train too, by bytes or looks. Of the others %.1f %% are right instead of %.1f.",
		again, photo.Count(again+others, "photo", "photos"), m.result.ReportedOn, photo.Form(again, "is", "are"), 100*without, 100*with)
}

// preprocessingUnfit: heads do clearly better with pixels in another scale than the one that was assumed.
func preprocessingUnfit(m *measured) []string {
	if m.result == nil || m.result.Assumption == nil || m.result.Assumption.Better == "" {
		return nil
	}
	return say("The preprocessing does not fit the weights: %v.", m.result.Assumption)
}

// notReached: a solver that needs no learning rate gets clearly more out of the same features.
func notReached(m *measured) []string {
	r := m.reached
	if r == nil {
		return nil
	}
	gain, deviation := PairedGain(r.could, r.did)
	if gain < 0.05 || gain <= 3*deviation {
		return nil
	}
	return say("The features hold more than was learned: %s with a learning rate of %g ended with %.1f %% of %s right, and %s, which needs none, gets %.1f %% "+
		"from the same features. Leave %v and %v away, or train longer.",
		m.config.Optimizer, m.config.LearningRate, 100*mean(r.did), m.result.SelectedOn, LBFGS, 100*mean(r.could), setting.Optimizer, setting.LearningRate)
}

// A training loss that is this much above that of the epoch before has risen; a rate is too high where that happens in so large a share
// of the epochs, twice at least.
const (
	rises     = 1.05
	mostRises = 1. / 3
)

// rateTooHigh: the training loss goes up again and again, or does not get below that of guessing.
func rateTooHigh(m *measured) []string {
	if m.result == nil || !stepwise(&m.config) || len(m.result.Epochs) < 2 {
		return nil
	}
	epochs, risen := m.result.Epochs, 0
	for i := range epochs[1:] {
		if epochs[i+1].TrainLoss > rises*epochs[i].TrainLoss {
			risen++
		}
	}
	lower := fmt.Sprintf("Try a tenth of %v %g.", setting.LearningRate, m.config.LearningRate)
	guessing, last := math.Log(float64(len(m.classes))), epochs[len(epochs)-1]
	switch {
	case last.TrainLoss > rises*guessing:
		return say("The learning rate is too high, or nothing can be learned: after %d epochs the training loss is %.2f, and guessing has %.2f. %s",
			len(epochs), last.TrainLoss, guessing, lower)
	case risen > 1 && float64(risen) >= mostRises*float64(len(epochs)-1):
		return say("The learning rate is too high: the training loss rose in %d of %d epochs. %s", risen, len(epochs), lower)
	}
	return nil
}

// hasUp is the share of photos that are told from their images upside down from which on they have an up, if it is three standard
// deviations above chance as well, which is 0.5.
const hasUp = 0.65

// turnedUpsideDown: photos that have an up are turned upside down in training.
func turnedUpsideDown(m *measured) []string {
	u := m.upright
	if u == nil || u.Told < max(hasUp, 0.5+3*0.5/math.Sqrt(float64(u.Photos))) {
		return nil
	}
	word := strings.TrimPrefix(UpsideDown, "+")
	then := fmt.Sprintf("Leave %s out of %v.", word, setting.Augment)
	if u.With > u.Without {
		then = fmt.Sprintf("Make a run without %s in %v too, and compare.", word, setting.Augment)
	}
	return say("These photos have an up: from features of the network before it was trained, %.0f %% of %d photos are told from their images upside down, "+
		"which a network will not meet in use. Heads on these features that learn both have %.1f %% of held-out photos right, without them %.1f. %s",
		100*u.Told, u.Photos, 100*u.With, 100*u.Without, then)
}

// A loss of validation photos that is this much above its least has risen.
const overfits = 1.1

// fitsTooWell: the training loss went on falling while that of the photos that select rose.
func fitsTooWell(m *measured) []string {
	if m.result == nil || len(m.result.Epochs) < 3 {
		return nil
	}
	epochs := m.result.Epochs
	last := epochs[len(epochs)-1]
	least := slices.MinFunc(epochs, func(a, b Epoch) int { return cmp.Compare(a.ValLoss, b.ValLoss) })
	if last.ValLoss <= overfits*least.ValLoss || last.TrainLoss >= least.TrainLoss {
		return nil
	}
	return say("Overfitting: since epoch %d the training loss has fallen from %.3f to %.3f and that of %s has risen from %.3f to %.3f. "+
		"Train for fewer epochs (%v, %v), with more %v or %v, or on more photos.", least.Number, least.TrainLoss, last.TrainLoss,
		m.result.SelectedOn, least.ValLoss, last.ValLoss, setting.Epochs, setting.Patience, setting.WeightDecay, setting.Augment)
}

// The classes that swallowed and fewPhotos name at most, and the photos that a class must have before its figures say something.
const (
	mostNamed   = 3
	leastJudged = 5
)

// swallowed: more photos of a class are taken for one other class than are right, and two fifths of all at least.
func swallowed(m *measured) []string {
	if m.report == nil {
		return nil
	}
	var pairs []string
	for i, row := range m.report.Confusion {
		n, most := 0, 0
		for k, count := range row {
			if n += count; k != i && count > row[most] || most == i {
				most = k
			}
		}
		if most != i && n >= leastJudged && row[most] > row[i] && 5*row[most] >= 2*n {
			pairs = append(pairs, fmt.Sprintf("%s swallows %s (%d of %d photos, %d are right)", photo.Shown(m.report.PerClass[most].Label),
				photo.Shown(m.report.PerClass[i].Label), row[most], n, row[i]))
		}
	}
	if len(pairs) == 0 {
		return nil
	}
	return say("Classes are taken for others: %s. Look at the photos of both: their labels, and whether a person could tell them apart.", photo.Few(mostNamed, pairs))
}

// leastTrained is the number of photos below which a class has too few, whatever the others have.
const leastTrained = 10

// fewPhotos: classes have fewer photos to learn from than that, or than a quarter of the middle one.
func fewPhotos(m *measured) []string {
	if len(m.trained) == 0 {
		return nil
	}
	middle := slices.Sorted(slices.Values(m.trained))[len(m.trained)/2]
	least := max(leastTrained, (middle+3)/4)
	var few []string
	for i, n := range m.trained {
		if n < least {
			few = append(few, fmt.Sprintf("%s %d", photo.Shown(m.classes[i]), n))
		}
	}
	if len(few) == 0 {
		return nil
	}
	return say("Too few photos to learn from: %s. At least %d would be good: classes with few photos are seldom the answer.", photo.Few(mostNamed, few), least)
}

// growing is what follows from a learning curve.
func growing(m *measured) []string {
	if m.result == nil || m.result.CurveAdvice == "" {
		return nil
	}
	return []string{m.result.CurveAdvice}
}

func mean(right []bool) float64 {
	n := 0
	for _, is := range right {
		if is {
			n++
		}
	}
	return share(n, len(right))
}
