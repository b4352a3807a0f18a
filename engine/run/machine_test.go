package run

import (
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

	obj, err := engine.NewObjective(net, engine.ObjectiveOptions{Batch: 1})
	if err != nil {
		t.Fatal(err)
	}
	training, err := plan.Training(obj, plan.Options{ISA: isas(t)[0]})
	if err != nil {
		t.Fatal(err)
	}
	m, err := New(training, 1)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	b := &tiny{t: t, b: engine.NewBuilder()}
	x, err := b.b.Placeholder("input", 1, 3, 35, 35)
	b.check(err)
	other, err := b.b.Network(engine.Meta{}, engine.Output{Name: "other", Node: b.linear(x, 2)})
	b.check(err)
	if err := m.Store(other); err == nil || !strings.Contains(err.Error(), "has no parameter") {
		t.Errorf("stored in another network: %v", err)
	}
}
