package train

import (
	"context"
	"fmt"
	"math"

	"regraft/engine/random"
	"regraft/photo"
)

// CurvePoint is how heads do that were solved on a share of the training photos, on photos that were held out.
type CurvePoint struct {
	Share    float64    `json:"share"`
	Photos   int        `json:"photos"`
	Accuracy float64    `json:"accuracy"`
	Interval [2]float64 `json:"interval"`
	Loss     float64    `json:"loss"`

	right []bool
}

// curveShares are the shares of a learning curve, before the whole.
var curveShares = []float64{0.25, 0.5, 0.75}

// curve solves again on growing shares of the photos, each with the one before in it; best is what all of them gave.
func (c *chooser) curve(ctx context.Context, best *trial, samples []photo.Sample, groups [][]int, seed uint64) ([]CurvePoint, error) {
	count, order := make([]int, c.classes), random.At(seed, "curve").Perm(len(groups))
	for _, s := range samples {
		count[s.Label]++
	}
	defer func() { c.keep = nil }()
	var points []CurvePoint
	c.expect(len(curveShares) * usualIterations)
	for _, share := range curveShares {
		c.keep = make([]bool, len(samples))
		taken, kept := make([]int, c.classes), 0
		for _, g := range order {
			for _, i := range groups[g] {
				if label := samples[i].Label; float64(taken[label]) < share*float64(count[label]) {
					c.keep[i] = true
					taken[label]++
					kept++
				}
			}
		}
		t, err := c.try(ctx, best.decay, best.views, best, 0)
		if err != nil {
			return nil, err
		}
		c.trials = c.trials[:len(c.trials)-1] // it tries no setting
		points = append(points, c.point(t, share, kept))
	}
	return append(points, c.point(best, 1, len(samples))), nil
}

func (c *chooser) point(t *trial, share float64, photos int) CurvePoint {
	n := c.held()
	p := CurvePoint{
		Share: share, Photos: photos, Accuracy: float64(t.correct[t.end]) / float64(n), Interval: Interval(t.correct[t.end], n), Loss: t.loss() / c.mass(),
	}
	for i, fold := range c.part {
		if fold >= 0 {
			p.right = append(p.right, argmax(t.logits[i*c.classes:(i+1)*c.classes]) == c.products.x.labels[i])
		}
	}
	return p
}

// Interval is Wilson's of 95 % for a share of n of which so many are right. It takes photos for independent of each other.
func Interval(right, n int) [2]float64 {
	if n == 0 {
		return [2]float64{0, 1}
	}
	const z = 1.959963984540054
	p, m := float64(right)/float64(n), float64(n)
	centre := (p + z*z/(2*m)) / (1 + z*z/m)
	half := z / (1 + z*z/m) * math.Sqrt(p*(1-p)/m+z*z/(4*m*m))
	return [2]float64{max(centre-half, 0), min(centre+half, 1)}
}

// curveAdvice is what a learning curve says about more photos; report has the classes.
func curveAdvice(points []CurvePoint, report *Report) string {
	all, half := points[len(points)-1], points[len(points)-3]
	gain, deviation := PairedGain(all.right, half.right)
	weakest := PerClass{F1: 2}
	for _, c := range report.PerClass {
		if c.N > 0 && c.F1 < weakest.F1 {
			weakest = c
		}
	}
	what := fmt.Sprintf("twice as many photos (%d instead of %d) brought %+.1f points", all.Photos, half.Photos, 100*gain)
	switch {
	case gain > 2*deviation:
		return fmt.Sprintf("More photos would help: %s. The weakest class is %s (F1 %.2f): begin there.", what, photo.Shown(weakest.Label), weakest.F1)
	case gain > deviation:
		return fmt.Sprintf("More photos may help: %s, which could be chance. The weakest class is %s (F1 %.2f).", what, photo.Shown(weakest.Label), weakest.F1)
	}
	return fmt.Sprintf("More photos of the same kind would hardly help: %s, no more than chance; another model, or better labels, may.", what)
}

// PairedGain is how many more of the photos a has right than b, as a share, and the standard deviation of that by chance.
func PairedGain(a, b []bool) (gain, deviation float64) {
	better, worse := 0.0, 0.0
	for i := range a {
		switch {
		case a[i] && !b[i]:
			better++
		case b[i] && !a[i]:
			worse++
		}
	}
	n := float64(max(len(a), 1))
	return (better - worse) / n, math.Sqrt(better+worse) / n
}
