package train

import (
	"fmt"
	"math"
	"slices"

	"regraft/engine"
)

// Decisions are what a model's file says about how sure it must be: found on photos that it was not trained on.
type Decisions struct {
	// Temperature is what its logits are divided by already.
	Temperature float64 `json:"temperature"`
	// Threshold is nil where none was asked for.
	Threshold *Threshold `json:"threshold,omitempty"`
	// Scores are 1 less the probability of the true class, of photos that were held out, ascending; of many photos as many quantiles.
	Scores []float64 `json:"scores"`
}

// Threshold is the least probability at which an answer counts; below it is unknown.
type Threshold struct {
	Value float64 `json:"value"`
	// Precision is the share of the answers that count that is right, Coverage the share of photos with such an answer.
	Precision float64 `json:"precision"`
	Coverage  float64 `json:"coverage"`
}

// decisionsKey is where they are in the metadata of the file.
const decisionsKey = "regraft.decisions"

// mostScores bounds those in a file.
const mostScores = 1000

// DecisionsOf are those of a network; nil where its file has none.
func DecisionsOf(net *engine.Network) (*Decisions, error) {
	d, err := told[Decisions](net, decisionsKey)
	if err != nil || d == nil {
		return nil, err
	}
	share := func(v float64) bool { return v >= 0 && v <= 1 }
	bad := !(d.Temperature >= 1/hottest && d.Temperature <= hottest) || len(d.Scores) > mostScores || !slices.IsSorted(d.Scores) ||
		slices.ContainsFunc(d.Scores, func(v float64) bool { return !share(v) })
	if t := d.Threshold; t != nil {
		bad = bad || !share(t.Value) || !share(t.Precision) || !share(t.Coverage)
	}
	if bad {
		return nil, fmt.Errorf("%s: its numbers are out of range", decisionsKey)
	}
	return d, nil
}

// Sure is the least probability of the classes in a prediction set that has the true class for so great a share of photos (split
// conformal prediction, Vovk 2005; the score is Sadinle's, 2019). It is 0, all classes, where the photos were too few to promise it.
func (d *Decisions) Sure(coverage float64) float64 {
	n := len(d.Scores)
	k := int(math.Ceil(float64(n+1) * coverage))
	if k > n {
		return 0
	}
	return 1 - d.Scores[max(k, 1)-1]
}

// largest are the largest probability of every photo and whether that class is the true one, the surest first.
func (e *Evaluation) largest() (p []float64, right []bool) {
	type answer struct {
		p     float64
		right bool
	}
	var all []answer
	for i, s := range e.Samples {
		row := e.probabilities(i)
		best := argmax(row)
		all = append(all, answer{row[best], best == s.Label})
	}
	slices.SortStableFunc(all, func(a, b answer) int {
		if a.p > b.p {
			return -1
		} else if a.p < b.p {
			return 1
		}
		return 0
	})
	for _, a := range all {
		p, right = append(p, a.p), append(right, a.right)
	}
	return p, right
}

// threshold is the lowest with which so great a share of the answers that count is right; nil where there is none.
func (e *Evaluation) threshold(precision float64) *Threshold {
	p, right := e.largest()
	var best *Threshold
	correct := 0
	for i := range p {
		if right[i] {
			correct++
		}
		if i+1 < len(p) && p[i+1] == p[i] { // a threshold does not tell them apart
			continue
		}
		if got := float64(correct) / float64(i+1); got >= precision {
			best = &Threshold{p[i], got, float64(i+1) / float64(len(p))}
			if i+1 < len(p) {
				best.Value = (p[i] + p[i+1]) / 2
			} else {
				best.Value = 0
			}
		}
	}
	return best
}

// scores are those of Decisions.
func (e *Evaluation) scores() []float64 {
	var all []float64
	for i, s := range e.Samples {
		all = append(all, 1-e.probabilities(i)[s.Label])
	}
	slices.Sort(all)
	if len(all) <= mostScores {
		return all
	}
	few := make([]float64, mostScores)
	for k := range few {
		few[k] = all[min((k+1)*len(all)/mostScores, len(all)-1)] // the next above, to be on the safe side
	}
	return few
}
