package train

import (
	"regraft/photo"
)

// Balance is what makes up for classes with few photos.
type Balance string

// The ways to balance.
const (
	NoBalance Balance = ""
	// BalanceLoss weights the loss of every photo by the number of photos of a class in the mean, divided by that of its own; means are
	// weighted ones, as those of PyTorch's CrossEntropyLoss(weight) are.
	BalanceLoss Balance = "loss"
	// BalanceSampler lets every epoch see all classes equally often: as many photos as there are, those of small classes several times and
	// some of large classes not (photo.LoaderOptions.Balance).
	BalanceSampler Balance = "sampler"
)

// Balances are both.
var Balances = []Balance{BalanceLoss, BalanceSampler}

// classWeights are those of the loss; nil where all are one.
func (c *Config) classWeights(train []photo.Sample, classes int) []float64 {
	if c.Balance != BalanceLoss {
		return nil
	}
	weights := make([]float64, classes)
	for _, s := range train {
		weights[s.Label]++
	}
	for i, n := range weights {
		weights[i] = float64(len(train)) / (float64(classes) * n)
	}
	return weights
}

// targets makes what the loss of a step wants of its photos: how much every class counts.
type targets struct {
	classes   int
	smoothing float64
	weights   []float64 // of the classes; nil: all are one
	values    []float32 // (photos, classes)
}

// of are the targets of a batch, (photos, classes), valid until the next call. PyTorch's mean loss of class ids is
// sum_i sum_c w_c s_ic (-log p_ic) / sum_i w_(y_i), with s the smoothed label; that of targets is divided by the number of photos. A photo
// that is mixed with another counts as the share of each.
func (t *targets) of(b *photo.Batch) []float32 {
	n := len(b.Labels)
	t.values = append(t.values[:0], make([]float32, n*t.classes)...)
	mass := 0.0
	for i := range n {
		label, other, share := parts(b, i)
		mass += float64((1-share)*t.weight(label)) + float64(share*t.weight(other))
	}
	scale := float64(n) / mass
	for i := range n {
		label, other, share := parts(b, i)
		row := t.values[i*t.classes : (i+1)*t.classes]
		for c := range row {
			v := t.smoothing / float64(t.classes)
			if c == label {
				v += float64((1 - t.smoothing) * (1 - share))
			}
			if c == other {
				v += float64((1 - t.smoothing) * share)
			}
			row[c] = float32(v * t.weight(c) * scale)
		}
	}
	return t.values
}

// parts are the class of photo i of a batch, that of the photo mixed with it, and the share of the latter.
func parts(b *photo.Batch, i int) (label, other int, share float64) {
	label = int(b.Labels[i])
	if len(b.Mixed) == 0 {
		return label, label, 0
	}
	return label, int(b.Labels[b.Mixed[i].Row]), b.Mixed[i].Share
}

func (t *targets) weight(class int) float64 {
	if t.weights == nil {
		return 1
	}
	return t.weights[class]
}
