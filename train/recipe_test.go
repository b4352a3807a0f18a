package train

import (
	"math"
	"path/filepath"
	"slices"
	"testing"

	"regraft/engine"
	"regraft/engine/op"
	"regraft/engine/plan"
)

// plainNet is a network without BatchNorm and Dropout.
func plainNet(t *testing.T) *engine.Network {
	t.Helper()
	s := newSketch(t, 2)
	x := s.must(s.Placeholder("input", 1, 3, side, side))
	for _, name := range []string{"a", "b"} {
		x = s.apply(name+".relu", &op.Relu{}, s.conv(name, x, 12, 2))
	}
	return s.network(x)
}

// TestMicroBatch: batches in parts end where whole ones do but for the order of sums, where the network has no BatchNorm, with weights of
// classes and smoothed labels too, and tell the same of the photos; with BatchNorm they do not; the number of threads changes no bit, and
// a run that was interrupted goes on to the same ones. Batches are as large as whole parts allow.
func TestMicroBatch(t *testing.T) {
	data := unevenPhotos(t)
	config := func(net *engine.Network, micro int) Config {
		c := narrowRun(t, Full, data)
		c.Net, c.Epochs, c.Batch, c.MicroBatch, c.Optimizer, c.LearningRate, c.Momentum, c.Schedule = net, 2, 12, micro, SGD, 0.05, 0.9, Constant
		c.WarmupEpochs, c.WeightDecay, c.Balance, c.Smoothing = 0, 1e-3, BalanceLoss, 0.1
		return c
	}
	var told Epoch
	weights := func(c Config) []float32 {
		t.Helper()
		told = fit(t, c).Epochs[0]
		return endOf(t, c)[0].Float32[0]
	}
	apart := func(a, b []float32) (most float64) {
		for i := range a {
			most = max(most, math.Abs(float64(a[i]-b[i])))
		}
		return most
	}
	whole := weights(config(plainNet(t), 0))
	first := told
	moved := apart(whole, weights(func() Config { c := config(plainNet(t), 0); c.LearningRate = 1e-9; return c }()))
	for _, micro := range []int{1, 3, 4, 6} {
		d := apart(whole, weights(config(plainNet(t), micro)))
		t.Logf("parts of %d: weights differ by %.1e at most, having moved by %.2f", micro, d, moved)
		if d > 2e-7 || moved < 0.01 {
			t.Errorf("parts of %d end elsewhere", micro)
		}
		if math.Abs(told.TrainLoss-first.TrainLoss) > 1e-6 || told.TrainAcc != first.TrainAcc {
			t.Errorf("parts of %d have loss %g and %g right, the whole %g and %g", micro, told.TrainLoss, told.TrainAcc, first.TrainLoss, first.TrainAcc)
		}
	}
	if same := weights(config(plainNet(t), 12)); !slices.Equal(same, whole) {
		t.Error("a part that is the batch has other bits")
	}
	large, fitting := config(plainNet(t), 4), config(plainNet(t), 4)
	large.Batch, fitting.Batch = 64, 60 // of 63 photos
	if !slices.Equal(weights(large), weights(fitting)) {
		t.Error("a batch of more photos than there are is not as large as whole parts allow")
	}
	normed := weights(config(narrow(t), 0))
	parted := weights(config(narrow(t), 4))
	if apart(normed, parted) < 1e-3 {
		t.Error("BatchNorm does not notice the parts")
	}
	other := config(narrow(t), 4)
	other.Threads, other.Workers = 1, 1
	if !slices.Equal(weights(other), parted) {
		t.Error("the number of threads changes bits")
	}
	killed(t, config(narrow(t), 4), 7).endAt(sum(t, filepath.Join(other.Out, BestFile)))
	r, l := begun(t, config(narrow(t), 4))
	if l.dropoutKey(1, 0, 0) == l.dropoutKey(1, 0, 1) {
		t.Error("Dropout keeps the same in all parts")
	}
	l.close()
	r.out.close(true)
	fails(t, config(narrow(t), 5), "MicroBatch 5: must be a divisor of Batch, 12")
}

// TestEMA: what is judged and saved is the average of the weights and running statistics of all steps, TensorFlow's at first; it depends
// on no number of threads, and a resumed run goes on with it.
func TestEMA(t *testing.T) {
	data := photos(t, map[string]int{"train": 12, "val": 4})
	config := func(ema float64) Config {
		c := narrowRun(t, Full, data)
		c.EMA, c.Epochs, c.Batch, c.WarmupEpochs = ema, 2, 4, 0
		return c
	}
	// The same run by hand.
	c := config(0.9)
	r, l := begun(t, c)
	var params, running []float64
	wide := func(v []float32) []float64 {
		w := make([]float64, len(v))
		for i := range v {
			w[i] = float64(v[i])
		}
		return w
	}
	params, running = wide(l.session.Params()), wide(l.session.Running())
	n := 0
	for epoch := 1; epoch <= 2; epoch++ {
		must(t, l.train(t.Context(), epoch, &progress{}, Silent{}, func() error {
			n++
			keep := min(0.9, float64(1+n)/float64(10+n))
			for i, v := range l.session.Params() {
				params[i] = keep*params[i] + (1-keep)*float64(v)
			}
			for i, v := range l.session.Running() {
				running[i] = keep*running[i] + (1-keep)*float64(v)
			}
			return nil
		}))
	}
	for name, v := range map[string]struct {
		got  []float32
		want []float64
	}{"weights": {l.ema.params, params}, "running statistics": {l.ema.running, running}} {
		worst := 0.0
		for i := range v.got {
			worst = max(worst, math.Abs(float64(v.got[i])-v.want[i]))
		}
		if worst > 1e-6 || n != 18 {
			t.Errorf("%d steps: the average of the %s is off by %g", n, name, worst)
		}
	}
	must(t, l.store())
	stored, err := l.net.Param("c.conv.weight")
	must(t, err)
	if !slices.Equal(stored.Value, plan.ByName(l.compiled.Params, l.ema.params)["c.conv.weight"]) {
		t.Error("the network does not get the average")
	}
	l.close()
	r.out.close(true)

	other := config(0.9)
	other.Threads, other.Workers = 1, 3
	model := sum(t, fit(t, other).Model)
	killed(t, config(0.9), 7).endAt(model)
	if sum(t, fit(t, config(0)).Model) == model {
		t.Error("the average is not what is saved")
	}
}

// TestLossOfMainHead: the loss that a run tells is that of the main head, whatever weight the auxiliary one has.
func TestLossOfMainHead(t *testing.T) {
	data := photos(t, map[string]int{"train": 4, "val": 2})
	var losses []float64
	for _, weight := range []float64{0.1, 0.9} {
		c := narrowRun(t, Full, data)
		c.AuxWeight, c.Epochs, c.WarmupEpochs, c.Batch = weight, 1, 0, 12
		losses = append(losses, fit(t, c).Epochs[0].TrainLoss) // before the only step
	}
	if losses[0] != losses[1] {
		t.Errorf("losses %g and %g", losses[0], losses[1])
	}
}
