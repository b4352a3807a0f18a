package train

import (
	"cmp"
	"math"
	"slices"

	"regraft/engine/kernel"
	"regraft/engine/random"
	"regraft/photo"
)

// loss is the mean cross entropy; of independent classes binary cross entropy, averaged over the classes too.
func (e *Evaluation) loss() float64 {
	sum := 0.0
	for i, s := range e.Samples {
		row := e.row(i)
		if e.Independent {
			sum += binaryCrossEntropy(row, s.Label)
		} else {
			sum += logSumExp(row) - float64(row[s.Label])
		}
	}
	return sum / float64(max(len(e.Samples), 1))
}

// accuracy is the share of photos whose largest logit is that of their class.
func (e *Evaluation) accuracy() float64 {
	correct := 0
	for i, s := range e.Samples {
		if argmax(e.row(i)) == s.Label {
			correct++
		}
	}
	return float64(correct) / float64(max(len(e.Samples), 1))
}

// probabilities of photo i: the softmax of its logits, or the sigmoid of each.
func (e *Evaluation) probabilities(i int) []float64 {
	row := e.row(i)
	total := logSumExp(row)
	p := make([]float64, len(row))
	for c, l := range row {
		if e.Independent {
			total = softplus(float64(l))
		}
		p[c] = kernel.Exp(float64(l) - total)
	}
	return p
}

// binaryCrossEntropy is the mean over all classes of -log(p) for the photo's own and -log(1-p) for the others.
func binaryCrossEntropy(logits []float32, label int) float64 {
	sum := 0.0
	for _, l := range logits {
		sum += softplus(float64(l))
	}
	return (sum - float64(logits[label])) / float64(len(logits))
}

// softplus is log(1 + exp(x)).
func softplus(x float64) float64 { return max(x, 0) + kernel.Log(1+kernel.Exp(-math.Abs(x))) }

func logSumExp(logits []float32) float64 {
	top, sum := math.Inf(-1), 0.0
	for _, l := range logits {
		top = max(top, float64(l))
	}
	for _, l := range logits {
		sum += kernel.Exp(float64(l) - top)
	}
	return top + kernel.Log(sum)
}

// Report counts: confusion matrix, precision, recall and F1 of every class. labels name the classes.
func (e *Evaluation) Report(labels []string) *Report {
	r := &Report{Images: len(e.Samples), Loss: e.loss(), Accuracy: e.accuracy(), Confusion: make(Confusion, len(labels))}
	for i := range r.Confusion {
		r.Confusion[i] = make([]int, len(labels))
	}
	for i, s := range e.Samples {
		r.Confusion[s.Label][argmax(e.row(i))]++
	}
	for c, label := range labels {
		right, is, said := r.Confusion[c][c], 0, 0
		for k := range labels {
			is += r.Confusion[c][k]
			said += r.Confusion[k][c]
		}
		// 2 right / (is + said) is the harmonic mean of precision and recall. Where nothing is counted the figures are 0, as scikit-learn's.
		r.PerClass = append(r.PerClass, PerClass{label, is, share(right, said), share(right, is), share(2*right, is+said)})
	}
	r.Confused = r.Confusion.confused(labels)
	return r
}

// confused lists the counts beside the diagonal, the largest first, equal ones in the order of the labels.
func (c Confusion) confused(labels []string) []Confused {
	pairs := []Confused{}
	for i, row := range c {
		for k, n := range row {
			if n > 0 && k != i {
				pairs = append(pairs, Confused{labels[i], labels[k], n})
			}
		}
	}
	slices.SortStableFunc(pairs, func(a, b Confused) int { return cmp.Compare(b.N, a.N) })
	return pairs
}

func share(part, whole int) float64 { return float64(part) / float64(max(whole, 1)) }

// example is a random photo with the probabilities of all classes.
func (e *Evaluation) example(labels []string, seed uint64) *Example {
	i := random.At(seed, "example").IntN(len(e.Samples))
	return &Example{Path: photo.Text(e.Samples[i].Path), Label: labels[e.Samples[i].Label], P: e.probabilities(i)}
}
