package run

import (
	"testing"

	"gorgonia.org/gorgonia"

	"regraft/engine"
	"regraft/engine/kernel"
	"regraft/engine/op"
	"regraft/engine/plan"
	"regraft/engine/solver"
)

// TestStepsAllocateNothing: once a machine is made, inference and training steps, with the optimizer's part, leave
// nothing to the garbage collector.
func TestStepsAllocateNothing(t *testing.T) {
	const size, images, classes = 35, 4, 5
	isa, err := kernel.Detect()
	if err != nil {
		t.Fatal(err)
	}
	net := tinyInception(t, images, size, 16, classes)
	x, labels := noise(images*3*size*size, 2), make([]float32, images)

	p, err := plan.Inference(net, plan.Options{ISA: isa})
	if err != nil {
		t.Fatal(err)
	}
	allocatesNothing(t, "inference", p, func(m *Machine) error {
		err := m.Infer(x, images)
		m.Output(0)
		return err
	})

	obj, err := engine.NewObjective(net, engine.ObjectiveOptions{Batch: images, AuxWeight: 0.4})
	if err != nil {
		t.Fatal(err)
	}
	if p, err = plan.Training(obj, plan.Options{ISA: isa}); err != nil {
		t.Fatal(err)
	}
	for _, name := range solver.Names() {
		config, err := solver.Defaults(name)
		if err != nil {
			t.Fatal(err)
		}
		s, err := solver.New(name, config, isa, 2)
		if err != nil {
			t.Fatal(err)
		}
		key := uint64(0)
		allocatesNothing(t, "training with "+string(name), p, func(m *Machine) error {
			key++
			err := m.Step(x, labels, key)
			s.Step(m.Params(), m.Grads(), 1e-4)
			m.Losses()
			return err
		})
	}
}

func allocatesNothing(t *testing.T, what string, p *plan.Program, step func(m *Machine) error) {
	t.Helper()
	for _, s := range p.Steps {
		if s.Prim.Name() == "interpreted" {
			t.Errorf("%s: %s %q runs through its reference", what, s.Op, s.Node)
		}
	}
	m, err := New(p, 2)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	allocations := testing.AllocsPerRun(5, func() { // after one run that is not counted
		if err := step(m); err != nil {
			t.Error(err)
		}
	})
	if allocations != 0 {
		t.Errorf("%s: %v allocations a step, want none", what, allocations)
	}
}

// TestLinesAllocateNothing: nor do steps over elements, reductions and lines, in inference and training.
func TestLinesAllocateNothing(t *testing.T) {
	const images = 2
	b := &tiny{t: t, b: engine.NewBuilder()}
	y := b.form(images, func(b *tiny, x *gorgonia.Node) *gorgonia.Node {
		weights := b.apply(&op.Softmax{Axis: -1}, x)
		lengths := b.apply(&op.Reduce{Kind: op.L2Of, ReduceMean: op.ReduceMean{Axes: []int{-1}, KeepDims: true}}, weights)
		return b.apply(&op.Div{}, weights, b.apply(&op.Expand{Shape: x.Shape()}, lengths))
	})
	y = b.apply(&op.Flatten{Axis: 1}, y)
	net, err := b.b.Network(engine.Meta{}, engine.Output{Name: "y", Node: b.apply(&op.Linear{}, y, b.param(4, y.Shape()[1]), b.param(4))})
	b.check(err)
	x, labels := noise(net.Input.Shape().TotalSize(), 2), make([]float32, images)
	p, err := plan.Inference(net, plan.Options{ISA: isas(t)[0]})
	b.check(err)
	allocatesNothing(t, "inference", p, func(m *Machine) error { return m.Infer(x, images) })
	obj, err := engine.NewObjective(net, engine.ObjectiveOptions{Batch: images})
	b.check(err)
	p, err = plan.Training(obj, plan.Options{ISA: isas(t)[0]})
	b.check(err)
	allocatesNothing(t, "training", p, func(m *Machine) error { return m.Step(x, labels, 0) })
}
