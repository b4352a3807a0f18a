package run

import (
	"math"
	"strings"
	"testing"

	"regraft/engine"
	"regraft/engine/kernel"
	"regraft/engine/op"
	"regraft/engine/plan"
)

// TestTrace: a step with sound numbers has no first bad node, and a weight that is no number, or so large that a product overflows, is
// told by the node that reads it, whatever the number of threads.
func TestTrace(t *testing.T) {
	const images, size, classes = 2, 75, 3
	net := tinyInception(t, images, size, 16, classes)
	isa, err := kernel.Detect()
	if err != nil {
		t.Fatal(err)
	}
	obj, err := engine.NewObjective(net, engine.ObjectiveOptions{Batch: images, AuxWeight: 0.4})
	if err != nil {
		t.Fatal(err)
	}
	p, err := plan.Training(obj, plan.Options{ISA: isa})
	if err != nil {
		t.Fatal(err)
	}
	x, labels := noise(images*3*size*size, 2), make([]float32, images)
	for threads := 1; threads <= 3; threads++ {
		m, err := New(p, threads)
		if err != nil {
			t.Fatal(err)
		}
		step := func() error { return m.Step(x, labels, 1) }
		if node, err := m.Trace(step); err != nil || node != "" || !m.FiniteGrads() {
			t.Errorf("a sound step: %q, %v", node, err)
		}
		if name, is := m.Damaged(); is {
			t.Errorf("%s counts as damaged", name)
		}
		for _, v := range []float32{float32(math.NaN()), math.MaxFloat32} {
			for _, slot := range p.Params {
				if slot.Param.Shape.Dims() != 4 {
					continue
				}
				weights := m.Params()[slot.Off/4:][:slot.Len]
				before := weights[0]
				weights[0] = v
				node, err := m.Trace(step)
				if want := readerOf(obj.Net, slot.Param); err != nil || node != want {
					t.Errorf("%g in %s, which %s reads, is first seen in %q, %v", v, slot.Param.Name, want, node, err)
				}
				if name, is := m.Damaged(); is != (v != v) || is && name != slot.Param.Name {
					t.Errorf("%g in %s: %q is damaged", v, slot.Param.Name, name)
				}
				weights[0] = before
			}
		}
		m.Close()
	}
	// Products that only the gradients overflow in, those of activations before those of parameters.
	if obj, err = engine.NewObjective(net, engine.ObjectiveOptions{Batch: images, AuxWeight: 1e37}); err != nil {
		t.Fatal(err)
	}
	if p, err = plan.Training(obj, plan.Options{ISA: isa}); err != nil {
		t.Fatal(err)
	}
	m, err := New(p, 2)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	for _, slot := range p.Params {
		if slot.Param.Shape.Dims() == 2 { // the classifiers
			for i := range m.Params()[slot.Off/4:][:slot.Len] {
				m.Params()[slot.Off/4+i] *= 1000
			}
		}
	}
	step := func() error { return m.Step(x, labels, 1) }
	node, err := m.Trace(step)
	if err != nil || step() != nil || m.FiniteGrads() {
		t.Fatal(err, "no gradient overflows")
	}
	param, is := strings.CutPrefix(node, "the gradient of ")
	if g := m.Gradients()[param]; !is || g == nil || engine.Finite(g) {
		t.Errorf("gradients that overflow are first seen in %q", node)
	}
}

// readerOf is the name of the node that reads a parameter first.
func readerOf(net *engine.Network, p *engine.Param) string {
	for _, node := range net.Nodes() {
		for _, in := range op.Inputs(node) {
			if net.ParamOf(in) == p {
				return net.Label(node)
			}
		}
	}
	return ""
}
