package run

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"

	"regraft/engine"
	"regraft/engine/op"
	"regraft/engine/op/optest"
	"regraft/engine/plan"
)

// elsewhere are rows that TestEveryRowTrains alone compares: their operands have no fast form, or must be positive.
var elsewhere = []string{"PRelu of pixels", "ReduceLogSum"}

// rowObjective puts one row of the operators' table between a convolution and a classifier, both trainable, so that
// training runs the operator and its gradients. Operands after the first are trainable too: parameters, or a
// second convolution of the input where they are images. It is nil where the row does not fit that.
func rowObjective(t *testing.T, row optest.Row) *engine.Objective {
	t.Helper()
	shape := row.Shapes[0]
	if row.Build != nil || row.Differentiable == 0 || len(shape) != 4 || slices.Contains(elsewhere, row.Name) {
		return nil
	}
	b := &tiny{t: t, b: engine.NewBuilder()}
	x, err := b.b.Placeholder("x", shape[0], 3, shape[2], shape[3])
	b.check(err)
	pixelwise := func(channels int) *gorgonia.Node {
		return b.apply(&op.Conv{Strides: [2]int{1, 1}, Dilations: [2]int{1, 1}, Group: 1}, x, b.param(channels, 3, 1, 1))
	}
	in := gorgonia.Nodes{pixelwise(shape[1])}
	for _, s := range row.Shapes[1:] {
		switch {
		case len(s) == 4 && s[0] == shape[0] && row.Op.Name() != "Conv":
			other := pixelwise(s[1])
			if s[2] == 1 && s[3] == 1 {
				other = b.apply(&op.GlobalAveragePool{}, other)
			} else if s[2] != shape[2] || s[3] != shape[3] {
				return nil
			}
			in = append(in, other)
		case len(s) == 0:
			return nil
		default:
			in = append(in, b.param(s...))
		}
	}
	y := b.apply(row.Op, in...)
	if len(y.Shape()) != 4 && len(y.Shape()) != 2 || y.Shape()[0] != shape[0] {
		return nil
	}
	return b.objective(y)
}

// objective is the training of what was built, with a classifier of 4 classes behind y.
func (b *tiny) objective(y *gorgonia.Node) *engine.Objective {
	y = b.apply(&op.Flatten{Axis: 1}, y)
	y = b.apply(&op.Linear{}, y, b.param(4, y.Shape()[1]), b.param(4))
	net, err := b.b.Network(engine.Meta{}, engine.Output{Name: "y", Node: y})
	b.check(err)
	none := float32(0)
	obj, err := engine.NewObjective(net, engine.ObjectiveOptions{Batch: y.Shape()[0], Dropout: &none})
	b.check(err)
	return obj
}

// TestLayerNormOfChannels compares LayerNorms of images whose channels are put last and first again.
func TestLayerNormOfChannels(t *testing.T) {
	for _, size := range []int{3, 1} {
		b := &tiny{t: t, b: engine.NewBuilder()}
		x, err := b.b.Placeholder("x", 2, 3, size, size)
		b.check(err)
		y := b.apply(&op.Conv{Strides: [2]int{1, 1}, Dilations: [2]int{1, 1}, Group: 1}, x, b.param(20, 3, 1, 1))
		y = b.apply(&op.Transpose{Perm: []int{0, 2, 3, 1}}, y)
		y = b.apply(&op.LayerNorm{Axis: -1, Epsilon: 1e-3}, y, b.param(20), b.param(20))
		y = b.apply(&op.Transpose{Perm: []int{0, 3, 1, 2}}, y)
		compareRow(t, b.objective(y), true)
	}
}

// TestOperatorTableGradients compares loss and gradients of one training step with the interpreter, for every row
// that fits into a small network, on every instruction set, whose bits must agree.
func TestOperatorTableGradients(t *testing.T) {
	compared := 0
	for _, row := range optest.Rows() {
		obj := rowObjective(t, row)
		if obj == nil {
			continue
		}
		t.Run(row.Name, func(t *testing.T) {
			compareRow(t, obj, true)
			compared++
		})
	}
	t.Logf("%d operators compared", compared)
	if compared < 30 {
		t.Errorf("only %d operators were compared: the table has more rows that take images", compared)
	}
}

// slow are operators without a fast form for images, beside all reductions but the means and the largest over pixels.
var slow = []string{"LRN", "LRNGrad", "MatMul", "Pad", "ReduceMean", "ReduceMeanGrad", "Resize", "ResizeGrad", "Sub", "SumTo", "Transpose", "Where"}

// checkFast complains of other operators that only their reference computes.
func checkFast(t *testing.T, p *plan.Program) {
	t.Helper()
	for _, s := range p.Steps {
		if s.Prim.Name() == "interpreted" && !slices.Contains(slow, s.Op) && !strings.HasPrefix(s.Op, "Reduce") {
			t.Errorf("%s of %s has no fast form", s.Op, s.Shapes)
		}
	}
}

// compareRow compares a training step with the interpreter; fast tells that nothing but what is known to be slow may be
// interpreted.
func compareRow(t *testing.T, obj *engine.Objective, fast bool) {
	t.Helper()
	shape := obj.Net.Input.Shape()
	x, labels := noise(shape.TotalSize(), 7), make([]float32, shape[0])
	for i := range labels {
		labels[i] = float32(i % 4)
	}
	inputs := map[*gorgonia.Node][]float32{obj.Net.Input: x, obj.Targets: oneHot(labels, obj.Targets.Shape()[1])}
	want, err := Interpret(obj.Net, inputs, append(append(gorgonia.Nodes{}, obj.Losses...), obj.Grads...)...)
	if err != nil {
		t.Fatal(err)
	}
	var first []float32
	for _, isa := range isas(t) {
		p, err := plan.Training(obj, plan.Options{ISA: isa})
		if err != nil {
			t.Fatal(err)
		}
		m, err := New(p, 2)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // the second step finds memory that is not zero
			if err := m.Step(x, labels, 0); err != nil {
				t.Fatal(err)
			}
		}
		if fast {
			checkFast(t, p)
		}
		if d := distance(t, "loss", m.Losses()[:1], want[0]); d > 1e-5 {
			t.Errorf("%s: loss %v, want %v", isa, m.Losses(), want[0])
		}
		grads := m.Gradients()
		for k, param := range obj.Trainable {
			if d := distance(t, fmt.Sprintf("gradient of %s", param.Name), grads[param.Name], want[1+k]); d > gradientBound {
				t.Errorf("%s: gradient of %s %v: relative distance %g\n%s", isa, param.Name, param.Shape, d, p)
			}
		}
		if first == nil {
			first = slices.Clone(m.Grads())
		}
		if !slices.Equal(m.Grads(), first) {
			t.Errorf("%s: gradients have other bits than those of the first instruction set", isa)
		}
		m.Close()
	}
}

// oneHot is 1 at every label and 0 elsewhere, (labels, classes).
func oneHot(labels []float32, classes int) []float32 {
	targets := make([]float32, len(labels)*classes)
	for i, l := range labels {
		targets[i*classes+int(l)] = 1
	}
	return targets
}
