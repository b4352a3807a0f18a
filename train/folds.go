package train

import (
	"cmp"
	"slices"

	"regraft/engine/random"
	"regraft/photo"
)

// defaultFolds is how many folds choose settings where nobody says otherwise.
const defaultFolds = 5

// mostFolds bounds Config.Folds.
const mostFolds = 20

// folds deals photos into k parts of about the same number of every class, chosen by the seed. All photos of a group come into the same
// part. The result has the part of every photo; -1 for those of classes that have but one group, which can be in no part without being
// absent from the others. It is nil where the photos are too few for two parts; k is never more than the groups of the largest class.
func folds(samples []photo.Sample, groups [][]int, classes, k int, seed uint64) (part []int, parts int) {
	count := make([]int, classes) // groups of a class
	for _, g := range groups {
		count[samples[g[0]].Label]++
	}
	if k = min(k, slices.Max(count)); k < 2 {
		return nil, 0
	}
	part = make([]int, len(samples))
	held := make([][]int, k) // photos of every class
	for f := range held {
		held[f] = make([]int, classes)
	}
	total := make([]int, k)
	order := random.At(seed, "folds").Perm(len(groups))
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(len(groups[b]), len(groups[a])) })
	for _, at := range order {
		g := groups[at]
		label := samples[g[0]].Label
		best := -1
		if count[label] > 1 {
			best = 0
			for f := range held {
				if c := cmp.Or(cmp.Compare(held[f][label], held[best][label]), cmp.Compare(total[f], total[best])); c < 0 {
					best = f
				}
			}
		}
		for _, i := range g {
			if part[i] = best; best >= 0 {
				held[best][samples[i].Label]++
				total[best]++
			}
		}
	}
	return part, k
}
