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

// of are the targets of photos with these labels, (photos, classes), valid until the next call. PyTorch's mean loss of class ids is
// sum_i sum_c w_c s_ic (-log p_ic) / sum_i w_(y_i), with s the smoothed label; that of targets is divided by the number of photos.
func (t *targets) of(labels []float32) []float32 {
	t.values = append(t.values[:0], make([]float32, len(labels)*t.classes)...)
	mass := 0.0
	for _, label := range labels {
		mass += t.weight(int(label))
	}
	scale := float64(len(labels)) / mass
	for i, label := range labels {
		row := t.values[i*t.classes : (i+1)*t.classes]
		for c := range row {
			share := t.smoothing / float64(t.classes)
			if c == int(label) {
				share += 1 - t.smoothing
			}
			row[c] = float32(share * t.weight(c) * scale)
		}
	}
	return t.values
}

func (t *targets) weight(class int) float64 {
	if t.weights == nil {
		return 1
	}
	return t.weights[class]
}
