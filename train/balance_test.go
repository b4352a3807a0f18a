package train

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"regraft/engine/op"
	"regraft/engine/random"
	"regraft/golden"
	"regraft/photo"
)

// TestWeightedLossIsPyTorchs: the loss with weights of classes and smoothed labels, and its gradients, are those of
// CrossEntropyLoss(weight, label_smoothing) in float64, of frozen features and of the whole network.
func TestWeightedLossIsPyTorchs(t *testing.T) {
	python := golden.Python(t, "import torch")
	const photos, classes, smoothing = 7, 4, 0.1
	weights := []float64{0.5, 2, 1.25, 0.3}
	r := random.At(5, "loss")
	logits, labels := make([]float64, photos*classes), make([]float32, photos)
	for i := range logits {
		logits[i] = float64(float32(2 * r.Normal()))
	}
	for i := range labels {
		labels[i] = float32(r.IntN(classes))
	}
	input, err := json.Marshal([]any{logits, labels, weights})
	must(t, err)
	command := exec.Command(python, "-c", `
import json, sys, torch, torch.nn.functional as F
x, y, w = json.load(sys.stdin)
x = torch.tensor(x, dtype=torch.float64).reshape(len(y), -1).requires_grad_()
loss = F.cross_entropy(x, torch.tensor(y).long(), weight=torch.tensor(w, dtype=torch.float64), label_smoothing=0.1)
loss.backward()
print(json.dumps([loss.item()] + x.grad.flatten().tolist()))`)
	command.Stdin = strings.NewReader(string(input))
	output, err := command.Output()
	must(t, err)
	var want []float64
	must(t, json.Unmarshal(output, &want))

	near := func(what string, got, want, bound float64) {
		t.Helper()
		if !(math.Abs(got-want) <= bound) {
			t.Errorf("%s is %v, PyTorch has %v", what, got, want)
		}
	}
	s := softmax{classes: classes, smoothing: smoothing, threads: 1, weights: weights}
	var sum outcome
	gradients := slices.Clone(logits)
	for i, label := range labels {
		sum.add(outcome{s.crossEntropy(gradients[i*classes:][:classes], int(label)), s.weight(int(label)), 0})
	}
	near("the loss on features", sum.mean(), want[0], 1e-14)
	for i, g := range gradients {
		near(fmt.Sprint("gradient on features ", i), g/sum.mass, want[1+i], 1e-14)
	}

	full := targets{classes: classes, smoothing: smoothing, weights: weights}
	x := tensor.New(tensor.WithShape(photos, classes), tensor.WithBacking(logits))
	wide := make([]float64, photos*classes)
	for i, v := range full.of(&photo.Batch{Labels: labels}) {
		wide[i] = float64(v)
	}
	y := tensor.New(tensor.WithShape(photos, classes), tensor.WithBacking(wide))
	loss, err := (&op.SoftmaxCrossEntropy{}).Do(x, y)
	must(t, err)
	near("the loss", loss.Data().(float64), want[0], 1e-7)
	grads, err := (&op.SoftmaxCrossEntropyGrad{}).Do(x, y, gorgonia.NewF64(1))
	must(t, err)
	for i, g := range grads.Data().([]float64) {
		near(fmt.Sprint("gradient ", i), g, want[1+i], 1e-7)
	}
}

// TestTargets: the mean loss by the targets of full mode is that of heads mode, with weights of the classes and smoothed labels.
func TestTargets(t *testing.T) {
	const photos, classes = 7, 4
	weights, labels, logits := []float64{0.5, 2, 1.25, 0.3}, []float32{0, 3, 3, 1, 2, 3, 0}, randomVector(photos*classes, 6)
	s := softmax{classes: classes, smoothing: 0.1, threads: 1, weights: weights}
	full := targets{classes: classes, smoothing: 0.1, weights: weights}
	var heads outcome
	mean := 0.0
	for i, want := range full.of(&photo.Batch{Labels: labels}) {
		row := logits[i/classes*classes:][:classes]
		mean += float64(want) * (logSumExp64(row) - row[i%classes]) / photos
	}
	for i, label := range labels {
		heads.add(outcome{s.crossEntropy(slices.Clone(logits[i*classes:][:classes]), int(label)), weights[int(label)], 0})
	}
	if math.Abs(mean-heads.mean()) > 1e-6 { // targets are float32
		t.Errorf("full mode has the loss %g, heads mode %g", mean, heads.mean())
	}
}

// TestMixedTargets: the mean loss of mixed photos by their targets is the sum of the losses by each of their labels, times their shares.
func TestMixedTargets(t *testing.T) {
	const classes = 4
	labels, logits := []float32{0, 3, 3, 1}, randomVector(4*classes, 6)
	mixed := []photo.Mixed{{Row: 3, Share: 0.25}, {Row: 0, Share: 0.7}, {Row: 1, Share: 0.5}, {Row: 2, Share: 0}}
	for _, weights := range [][]float64{nil, {0.5, 2, 1.25, 0.3}} {
		s := softmax{classes: classes, smoothing: 0.1, threads: 1, weights: weights}
		full := targets{classes: classes, smoothing: 0.1, weights: weights}
		mean, want, mass := 0.0, 0.0, 0.0
		for i, target := range full.of(&photo.Batch{Labels: labels, Mixed: mixed}) {
			row := logits[i/classes*classes:][:classes]
			mean += float64(target) * (logSumExp64(row) - row[i%classes]) / float64(len(labels))
		}
		for i, m := range mixed {
			for label, share := range map[int]float64{int(labels[i]): 1 - m.Share, -1: m.Share} {
				if label < 0 {
					label = int(labels[m.Row])
				}
				want += share * s.crossEntropy(slices.Clone(logits[i*classes:][:classes]), label)
				mass += share * s.weight(label)
			}
		}
		if math.Abs(mean-want/mass) > 1e-6 { // targets are float32
			t.Errorf("the loss by targets is %g, that by shares %g", mean, want/mass)
		}
	}
}

func logSumExp64(row []float64) float64 {
	all := 0.0
	for _, z := range row {
		all += math.Exp(z)
	}
	return math.Log(all)
}

// unevenPhotos has few photos of the class plain, in train alone.
func unevenPhotos(t *testing.T) string {
	t.Helper()
	data := photos(t, map[string]int{"train": 3, "val": 8})
	for class, name := range []string{"across", "down", "plain"} {
		if class == 2 {
			continue
		}
		for i := range 27 {
			writePhoto(t, filepath.Join(data, "train", name, fmt.Sprintf("more%03d.png", i)), class, random.At(uint64(i), "more"+name))
		}
	}
	return data
}

// TestBalance: with 3 photos of one class and 30 of each other, the small class is found more often than without, by either way, in both
// modes; the weights of the loss add up to the number of photos, and the sampler shows all classes equally often.
func TestBalance(t *testing.T) {
	data := unevenPhotos(t)
	recall := func(mode Mode, optimizer Optimizer, balance Balance) float64 {
		t.Helper()
		c := narrowRun(t, mode, data)
		if mode == Heads {
			c.Optimizer, c.WeightDecay = optimizer, 10
			if optimizer != LBFGS {
				c.LearningRate, c.Batch, c.Momentum, c.Schedule, c.Epochs = 0.05, 8, 0, Constant, 10
			}
		} else {
			c.Epochs, c.Batch, c.LearningRate = 2, 6, 1e-3
		}
		c.Balance = balance
		r := fit(t, c)
		return r.Report.PerClass[2].Recall
	}
	for _, run := range []struct {
		mode      Mode
		optimizer Optimizer
		ways      []Balance
	}{{Heads, LBFGS, []Balance{BalanceLoss}}, {Heads, SGD, Balances}, {Full, AdamW, Balances}} {
		none := recall(run.mode, run.optimizer, NoBalance)
		for _, way := range run.ways {
			r := recall(run.mode, run.optimizer, way)
			t.Logf("%s by %s: recall of the small class %.2f, balanced by the %s %.2f", run.mode, run.optimizer, none, way, r)
			if r <= none {
				t.Errorf("%s by %s: the small class is not found more often by the %s", run.mode, run.optimizer, way)
			}
		}
	}
	c := narrowRun(t, Full, data)
	sets, err := scan(&c)
	must(t, err)
	c.Balance, c.Mode = BalanceLoss, Full
	sum := 0.0
	weights := c.classWeights(sets.train, 3)
	for _, s := range sets.train {
		sum += weights[s.Label]
	}
	if math.Abs(sum-float64(len(sets.train))) > 1e-9 {
		t.Errorf("%d photos weigh %g", len(sets.train), sum)
	}
	labels := make([]int, len(sets.train))
	for i, s := range sets.train {
		labels[i] = s.Label
	}
	for epoch := range 4 {
		order, seen, times := photo.Balanced(labels, 7, epoch), make([]int, 3), make([]int, len(labels))
		for _, i := range order {
			seen[labels[i]]++
			times[i]++
		}
		if len(order) != len(labels) || slices.Max(seen)-slices.Min(seen) > 1 {
			t.Errorf("epoch %d shows the classes %v times", epoch, seen)
		}
		for i, n := range times {
			if most := (seen[labels[i]] + 2) / 3; labels[i] == 2 && (n < most-1 || n > most) || labels[i] != 2 && n > 1 {
				t.Errorf("epoch %d shows photo %d of class %d %d times", epoch, i, labels[i], n)
			}
		}
		if slices.Equal(order, photo.Balanced(labels, 7, epoch+1)) || slices.Equal(order, photo.Balanced(labels, 8, epoch)) {
			t.Error("another epoch or seed has the same order")
		}
	}
	c.Optimizer, c.Mode, c.Balance = LBFGS, Heads, BalanceSampler
	if _, err := Fit(context.Background(), c, Silent{}); err == nil || !strings.Contains(err.Error(), "Balance sampler does nothing with Optimizer lbfgs") {
		t.Errorf("a sampler for all photos at once: %v", err)
	}
}
