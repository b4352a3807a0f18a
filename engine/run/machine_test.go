package run

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"regraft/engine"
	"regraft/engine/plan"
)

// TestMachine: as many workers as asked for and never none, constants that are given back when nobody has them any more, and values
// that another network has no place for.
func TestMachine(t *testing.T) {
	net := tinyInception(t, 1, 35, 3, 2)
	p, err := plan.Inference(net, plan.Options{ISA: isas(t)[0]})
	if err != nil {
		t.Fatal(err)
	}
	var constants Constants
	var machines []*Machine
	for _, c := range []struct{ threads, workers int }{{0, 1}, {-1, 1}, {1, 1}, {3, 3}} {
		m, err := NewSharing(&constants, p, c.threads)
		if err != nil {
			t.Fatal(err)
		}
		machines = append(machines, m)
		if n := len(m.pool.workers); n != c.workers {
			t.Errorf("%d threads: %d workers", c.threads, n)
		}
		if constants.users != len(machines) {
			t.Errorf("%d machines: %d users of constants", len(machines), constants.users)
		}
	}
	for k, m := range machines {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
		if constants.users != len(machines)-1-k {
			t.Errorf("%d machines closed: %d users of constants", k+1, constants.users)
		}
	}

	m := training(t, net)
	b := &tiny{t: t, b: engine.NewBuilder()}
	x, err := b.b.Placeholder("input", 1, 3, 35, 35)
	b.check(err)
	other, err := b.b.Network(engine.Meta{}, engine.Output{Name: "other", Node: b.linear(x, 2)})
	b.check(err)
	if err := m.Store(other); err == nil || !strings.Contains(err.Error(), "has no parameter") {
		t.Errorf("stored in another network: %v", err)
	}
}

// training is a machine for steps of one image, on one thread.
func training(t *testing.T, net *engine.Network) *Machine {
	t.Helper()
	obj, err := engine.NewObjective(net, engine.ObjectiveOptions{Batch: 1})
	if err != nil {
		t.Fatal(err)
	}
	p, err := plan.Training(obj, plan.Options{ISA: isas(t)[0]})
	if err != nil {
		t.Fatal(err)
	}
	m, err := New(p, 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

// TestTooLarge: memory that there is not is an error of the space that wants it, before anything runs.
func TestTooLarge(t *testing.T) {
	p, err := plan.Inference(tinyInception(t, 1, 35, 3, 2), plan.Options{ISA: isas(t)[0]})
	if err != nil {
		t.Fatal(err)
	}
	for s := plan.Arena; s <= plan.Const; s++ {
		large := *p
		large.Size[s] = 1 << 60
		if m, err := New(&large, 1); err == nil || !strings.Contains(err.Error(), "memory for "+s.String()) {
			t.Errorf("%s of 2^60 bytes: %v, %v", s, m, err)
		}
	}
	large := *p
	large.Scratch = 1 << 58
	if m, err := New(&large, 1); err == nil || !strings.Contains(err.Error(), "scratch memory for 1 threads") {
		t.Errorf("scratch of 2^60 bytes: %v, %v", m, err)
	}
}

// TestTargets: a loss is counted towards numbers that are not negative, as many as there are classes and images.
func TestTargets(t *testing.T) {
	net := tinyInception(t, 1, 35, 3, 2)
	m := training(t, net)
	x, nan := noise(3*35*35, 1), float32(math.NaN())
	for _, c := range []struct {
		targets []float32
		fault   string
	}{
		{[]float32{0, 1}, ""},
		{[]float32{0.25, 0.75}, ""},
		{[]float32{1}, "1 targets for a batch of 1"},
		{[]float32{1, 0, 0}, "3 targets for a batch of 1"},
		{[]float32{1, -1}, "target -1: must be"},
		{[]float32{nan, 1}, "target NaN: must be"},
		{[]float32{1, float32(math.Inf(1))}, "target +Inf: must be"},
	} {
		err := m.StepTo(x, c.targets, 0)
		if got := fmt.Sprint(err); (c.fault == "") != (err == nil) || c.fault != "" && !strings.HasPrefix(got, c.fault) {
			t.Errorf("targets %v: %v", c.targets, err)
		}
	}
	if err := m.Step(x, []float32{1}, 0); err != nil {
		t.Fatal(err)
	}
	byLabel := m.Losses()[0]
	if err := m.StepTo(x, []float32{0, 1}, 0); err != nil || m.Losses()[0] != byLabel {
		t.Errorf("loss of a label %g, of its targets %g, %v", byLabel, m.Losses()[0], err)
	}
}
