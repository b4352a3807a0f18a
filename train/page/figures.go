package page

import (
	"cmp"
	"fmt"
	"slices"
)

// Accuracy is the share of the judged photos that is right.
func (r *Report) Accuracy() float64 { return float64(r.Right) / float64(max(len(r.Judged), 1)) }

// steps are the thresholds that can be tried: k/steps for k from 0 to steps.
const steps = 1000

// outcome is what a threshold makes of the judged photos: Answered have a probability that is not below it, Right of these are right.
type outcome struct{ Answered, Right int }

// outcomes are those of every step.
func (r *Report) outcomes() []outcome {
	all := make([]outcome, steps+1)
	for _, p := range r.Judged {
		if len(p.Guesses) == 0 {
			continue
		}
		last := min(int(p.Guesses[0].P*steps), steps) // the highest threshold that lets the answer through
		if last < steps && p.Guesses[0].P >= float64(last+1)/steps {
			last++
		} else if p.Guesses[0].P < float64(last)/steps {
			last--
		}
		all[last].Answered++
		if !p.wrong() {
			all[last].Right++
		}
	}
	for k := steps - 1; k >= 0; k-- {
		all[k].Answered += all[k+1].Answered
		all[k].Right += all[k+1].Right
	}
	return all
}

// mistakes are the judged photos that are wrong, those with the surest answers first.
func (r *Report) mistakes() []*Photo {
	var all []*Photo
	for _, p := range r.Judged {
		if p.wrong() {
			all = append(all, p)
		}
	}
	slices.SortStableFunc(all, func(a, b *Photo) int { return cmp.Compare(b.Guesses[0].P, a.Guesses[0].P) })
	return all
}

// margin is how much more probable the answer is than the next class.
func (p *Photo) margin() float64 {
	if len(p.Guesses) < 2 {
		return 1
	}
	return p.Guesses[0].P - p.Guesses[1].P
}

// uncertain are the judged photos, those with the smallest margin first.
func (r *Report) uncertain() []*Photo {
	all := slices.Clone(r.Judged)
	slices.SortStableFunc(all, func(a, b *Photo) int { return cmp.Compare(a.margin(), b.margin()) })
	return all
}

// pair are the photos of a class that were taken for another.
type pair struct{ True, Answer, Photos int }

// pairs are the mistakes of the confusion matrix, the most frequent first.
func (r *Report) pairs() []pair {
	var all []pair
	for t, row := range r.Confusion {
		for a, n := range row {
			if n > 0 && t != a {
				all = append(all, pair{t, a, n})
			}
		}
	}
	slices.SortStableFunc(all, func(a, b pair) int { return cmp.Compare(b.Photos, a.Photos) })
	return all
}

// percent writes a share, so that no line breaks before the sign.
func percent(share float64) string { return fmt.Sprintf("%.1f\u00a0%%", 100*share) }

// count writes a number of things, the plural of which ends in s.
func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
