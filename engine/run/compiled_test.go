package run

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"gorgonia.org/gorgonia"

	"regraft/engine"
	"regraft/engine/op"
	"regraft/engine/plan"
)

// relativeBound is for single-precision results of sums of a few thousand products: 64 roundings.
const relativeBound = 64.0 / (1 << 24)

func infer(t *testing.T, net *engine.Network, o plan.Options, threads int, x []float32, images int) [][]float32 {
	t.Helper()
	p, err := plan.Inference(net, o)
	if err != nil {
		t.Fatal(err)
	}
	m, err := New(p, threads)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	run := func() (outputs [][]float32) {
		if err := m.Infer(x, images); err != nil {
			t.Fatalf("%v\n%s", err, p)
		}
		for k := range p.Outputs {
			outputs = append(outputs, slices.Clone(m.Output(k)[:images*p.Outputs[k].Cols]))
		}
		return outputs
	}
	outputs := run()
	poison(m)
	for k, again := range run() {
		if !slices.Equal(again, outputs[k]) {
			t.Errorf("output %d has other values where the arena was not zero before", k)
		}
	}
	return outputs
}

// poison leaves NaN wherever a program may not look before it has written.
func poison(m *Machine) {
	arena := m.arenas[plan.Arena].Floats(0, m.program.Size[plan.Arena]/4)
	for i := range arena {
		arena[i] = float32(math.NaN())
	}
}

// TestInferenceAgainstInterpreter compares compiled networks with gorgonia's tape machine on the
// reference operators, for every instruction set; the bits must be the same for all of them, for
// any number of threads, and for a photo alone and in a batch.
func TestInferenceAgainstInterpreter(t *testing.T) {
	for _, width := range []int{16, 5} {
		for _, direct := range []bool{false, true} {
			t.Run(fmt.Sprintf("width %d direct %v", width, direct), func(t *testing.T) {
				const size, images = 35, 3
				net := tinyInception(t, images, size, width, 7)
				x := noise(images*3*size*size, 2)
				want, err := Interpret(net, map[*gorgonia.Node][]float32{net.Input: x}, net.Outputs[0].Node, net.Outputs[1].Node)
				if err != nil {
					t.Fatal(err)
				}
				var first [][]float32
				for _, isa := range isas(t) {
					got := infer(t, net, plan.Options{ISA: isa, Direct: direct}, 1, x, images)
					for k := range want {
						if d := distance(t, "output", got[k], want[k]); d > relativeBound {
							t.Errorf("%s output %d: relative distance %g to the interpreter, want at most %g", isa, k, d, relativeBound)
						}
					}
					if first == nil {
						first = got
					}
					for threads := 1; threads <= 3; threads++ {
						again := infer(t, net, plan.Options{ISA: isa, Direct: direct}, threads, x, images)
						alone, err := net.WithBatch(1)
						if err != nil {
							t.Fatal(err)
						}
						last := infer(t, alone, plan.Options{ISA: isa, Direct: direct}, threads, x[2*3*size*size:], 1)
						for k := range first {
							if !slices.Equal(again[k], first[k]) {
								t.Errorf("%s, %d threads: output %d has other bits", isa, threads, k)
							}
							if !slices.Equal(last[k], first[k][2*7:]) {
								t.Errorf("%s, %d threads: output %d of a photo alone has other bits than in a batch", isa, threads, k)
							}
						}
					}
				}
			})
		}
	}
}

// TestInnerOutputs: every node may be an output; what would be fused over it is not.
func TestInnerOutputs(t *testing.T) {
	const size, images = 35, 2
	net := tinyInception(t, images, size, 5, 7)
	var outputs []engine.Output
	for _, n := range net.Nodes() {
		outputs = append(outputs, engine.Output{Name: net.Label(n), Node: n})
	}
	net, err := net.Subgraph(outputs...)
	if err != nil {
		t.Fatal(err)
	}
	var nodes []*gorgonia.Node
	for _, o := range net.Outputs {
		nodes = append(nodes, o.Node)
	}
	x := noise(images*3*size*size, 2)
	want, err := Interpret(net, map[*gorgonia.Node][]float32{net.Input: x}, nodes...)
	if err != nil {
		t.Fatal(err)
	}
	for _, isa := range isas(t) {
		got := infer(t, net, plan.Options{ISA: isa}, 2, x, images)
		for k, o := range net.Outputs {
			if d := distance(t, o.Name, got[k], want[k]); d > relativeBound {
				t.Errorf("%s, %s: relative distance %g to the interpreter, want at most %g", isa, o.Name, d, relativeBound)
			}
		}
	}
}

// TestChainsOfActivations: what is fused into a convolution or a linear layer is not lost when another activation follows.
func TestChainsOfActivations(t *testing.T) {
	const size, images = 6, 2
	clip6, sigmoid, silu, relu := &op.Clip{Min: 0, Max: 6}, &op.Sigmoid{}, &op.SiLU{}, &op.Relu{}
	for k, chain := range [][]op.Op{{sigmoid, silu}, {silu, clip6}, {clip6, silu}, {clip6, relu}, {relu, clip6}, {relu, sigmoid, silu}} {
		b := &tiny{t: t, b: engine.NewBuilder()}
		x, err := b.b.Placeholder("input", images, 3, size, size)
		b.check(err)
		x = b.apply(&op.Conv{Strides: [2]int{1, 1}, Dilations: [2]int{1, 1}, Group: 1}, x, b.param(20, 3, 1, 1))
		for _, o := range chain {
			x = b.apply(o, x)
		}
		x = b.linear(x, 7)
		for _, o := range chain {
			x = b.apply(o, x)
		}
		net, err := b.b.Network(engine.Meta{}, engine.Output{Name: "y", Node: x})
		b.check(err)
		in := noise(images*3*size*size, 2)
		want, err := Interpret(net, map[*gorgonia.Node][]float32{net.Input: in}, net.Outputs[0].Node)
		if err != nil {
			t.Fatal(err)
		}
		for _, isa := range isas(t) {
			got := infer(t, net, plan.Options{ISA: isa}, 1, in, images)
			if d := distance(t, "y", got[0], want[0]); d > relativeBound {
				t.Errorf("%s, chain %d: relative distance %g to the interpreter, want at most %g", isa, k, d, relativeBound)
			}
		}
	}
}

// TestSlicesThatAreConcatenated: half of the channels goes past a convolution and is concatenated with its result, as in a
// ShuffleNet's unit; halves change places; and halves of a concatenation are concatenated.
func TestSlicesThatAreConcatenated(t *testing.T) {
	const size, images = 6, 2
	for _, width := range []int{16, 5} {
		b := &tiny{t: t, b: engine.NewBuilder()}
		x, err := b.b.Placeholder("input", images, 3, size, size)
		b.check(err)
		part := func(x *gorgonia.Node, from int) *gorgonia.Node {
			return b.apply(&op.Slice{Starts: []int{from}, Ends: []int{from + width}, Axes: []int{1}, Steps: []int{1}}, x)
		}
		x = b.conv(x, 2*width, 1, 1, 1, 0, 0)
		unit := b.apply(&op.Concat{Axis: 1}, part(x, 0), b.conv(part(x, width), width, 1, 1, 1, 0, 0))
		swapped := b.apply(&op.Concat{Axis: 1}, part(unit, width), part(unit, 0))
		again := b.apply(&op.Concat{Axis: 1}, part(swapped, 0), part(swapped, width), b.conv(swapped, width, 1, 1, 1, 0, 0))
		net, err := b.b.Network(engine.Meta{}, engine.Output{Name: "y", Node: b.linear(again, 7)}, engine.Output{Name: "z", Node: b.linear(unit, 7)})
		b.check(err)
		in := noise(images*3*size*size, 2)
		want, err := Interpret(net, map[*gorgonia.Node][]float32{net.Input: in}, net.Outputs[0].Node, net.Outputs[1].Node)
		if err != nil {
			t.Fatal(err)
		}
		for _, isa := range isas(t) {
			got := infer(t, net, plan.Options{ISA: isa}, 1, in, images)
			for k := range want {
				if d := distance(t, "y", got[k], want[k]); d > relativeBound {
					t.Errorf("%s, width %d, output %d: relative distance %g to the interpreter, want at most %g", isa, width, k, d, relativeBound)
				}
			}
		}
	}
}

// TestSumsThatAreConcatenated: the sum of a residual block is made in its place in a concatenation (DLA).
func TestSumsThatAreConcatenated(t *testing.T) {
	const size, images, width = 10, 2, 16
	b := &tiny{t: t, b: engine.NewBuilder()}
	x, err := b.b.Placeholder("input", images, 3, size, size)
	b.check(err)
	x = b.conv(x, width, 3, 3, 1, 1, 1)
	sum := func(x *gorgonia.Node) *gorgonia.Node {
		c := &op.Conv{Strides: [2]int{1, 1}, Dilations: [2]int{1, 1}, Pads: [4]int{1, 1, 1, 1}, Group: 1}
		return b.apply(&op.Relu{}, b.apply(&op.Add{}, b.apply(c, b.conv(x, width, 3, 3, 1, 1, 1), b.param(width, width, 3, 3)), x))
	}
	one := sum(x)
	two := sum(one)
	x = b.conv(b.apply(&op.Concat{Axis: 1}, two, one), width, 1, 1, 1, 0, 0)
	net, err := b.b.Network(engine.Meta{}, engine.Output{Name: "y", Node: b.linear(x, 7)})
	b.check(err)
	in := noise(images*3*size*size, 2)
	want, err := Interpret(net, map[*gorgonia.Node][]float32{net.Input: in}, net.Outputs[0].Node)
	if err != nil {
		t.Fatal(err)
	}
	for _, isa := range isas(t) {
		if d := distance(t, "y", infer(t, net, plan.Options{ISA: isa}, 2, in, images)[0], want[0]); d > relativeBound {
			t.Errorf("%s: relative distance %g to the interpreter, want at most %g", isa, d, relativeBound)
		}
	}
}

// TestConvolutionAddedToItsOperand: x + conv(x) must not write over x while neighbours of what it writes are still to be read.
func TestConvolutionAddedToItsOperand(t *testing.T) {
	const size, images, width = 20, 2, 16
	for _, kernel := range []int{1, 3, 5} {
		b := &tiny{t: t, b: engine.NewBuilder()}
		x, err := b.b.Placeholder("input", images, 3, size, size)
		b.check(err)
		x = b.conv(x, width, 3, 3, 1, 1, 1)
		for range 2 {
			pad := kernel / 2
			c := &op.Conv{Strides: [2]int{1, 1}, Dilations: [2]int{1, 1}, Pads: [4]int{pad, pad, pad, pad}, Group: 1}
			x = b.apply(&op.Relu{}, b.apply(&op.Add{}, x, b.apply(c, x, b.param(width, width, kernel, kernel))))
		}
		net, err := b.b.Network(engine.Meta{}, engine.Output{Name: "y", Node: b.linear(x, 7)})
		b.check(err)
		in := noise(images*3*size*size, 2)
		want, err := Interpret(net, map[*gorgonia.Node][]float32{net.Input: in}, net.Outputs[0].Node)
		if err != nil {
			t.Fatal(err)
		}
		for _, isa := range isas(t) {
			for _, direct := range []bool{false, true} {
				got := infer(t, net, plan.Options{ISA: isa, Direct: direct}, 2, in, images)
				if d := distance(t, "y", got[0], want[0]); d > relativeBound {
					t.Errorf("%s, direct %v, kernel %d: relative distance %g to the interpreter, want at most %g", isa, direct, kernel, d, relativeBound)
				}
			}
		}
	}
}

// TestTrainingAgainstInterpreter compares losses, every gradient and every running statistic of a
// compiled training step with gorgonia's tape machine.
func TestTrainingAgainstInterpreter(t *testing.T) {
	for _, width := range []int{16, 5} {
		for _, images := range []int{4, 20} { // 20: activations are computed again
			if testing.Short() && (width == 16) == (images == 20) {
				continue // each width and each number of images once
			}
			t.Run(fmt.Sprintf("width %d images %d", width, images), func(t *testing.T) { testTraining(t, width, images) })
		}
	}
}

func testTraining(t *testing.T, width, images int) {
	const size, classes = 35, 5
	net := tinyInception(t, images, size, width, classes)
	obj, err := engine.NewObjective(net, engine.ObjectiveOptions{Batch: images, AuxWeight: 0.4})
	if err != nil {
		t.Fatal(err)
	}
	x := noise(images*3*size*size, 5) // of seeds 3 to 12, 3 has a value so near zero that rounding decides about a ReLU: 0.08
	labels := make([]float32, images)
	for i := range labels {
		labels[i] = float32(i % classes)
	}
	nodes := append(gorgonia.Nodes{obj.Total}, obj.Losses...)
	nodes = append(nodes, obj.Grads...)
	for _, u := range obj.Updates {
		nodes = append(nodes, u.Node)
	}
	want, err := Interpret(obj.Net, map[*gorgonia.Node][]float32{obj.Net.Input: x, obj.Targets: oneHot(labels, classes), obj.Key: {5, 0, 3, 0}}, nodes...)
	if err != nil {
		t.Fatal(err)
	}
	for _, direct := range []bool{true, false} {
		testSteps(t, obj, x, labels, want, direct)
	}
}

// testSteps compares steps of training, on all instruction sets and one or two threads, with each other and the interpreter's values.
func testSteps(t *testing.T, obj *engine.Objective, x, labels []float32, want [][]float32, direct bool) {
	var firstGrads, firstRunning []float32
	for _, isa := range isas(t) {
		for threads := 1; threads <= 2; threads++ {
			if testing.Short() && isa.Name == "go" && threads == 2 {
				continue
			}
			p, err := plan.Training(obj, plan.Options{ISA: isa, Direct: direct})
			if err != nil {
				t.Fatal(err)
			}
			m, err := New(p, threads)
			if err != nil {
				t.Fatal(err)
			}
			for range 2 { // the second step finds memory that is not zero
				m.load(plan.Stats, p.Running)
				if err := m.Step(x, labels, 3<<32|5); err != nil {
					t.Fatal(err)
				}
			}
			if firstGrads == nil {
				firstGrads, firstRunning = slices.Clone(m.Grads()), slices.Clone(m.Running())
				compareStep(t, obj, m, want)
			}
			if !slices.Equal(m.Grads(), firstGrads) || !slices.Equal(m.Running(), firstRunning) {
				t.Errorf("direct %v, %s, %d threads: gradients or running statistics have other bits", direct, isa, threads)
			}
			m.Close()
		}
	}
}

// gradientBound allows for BatchNorm, which amplifies the rounding of sums over a batch: the largest distance that was met is 2.7e-5.
const gradientBound = 3e-5

func compareStep(t *testing.T, obj *engine.Objective, m *Machine, want [][]float32) {
	losses := m.Losses()
	for k := range losses {
		if d := distance(t, "loss", losses[k:k+1], want[k]); d > 1e-5 {
			t.Errorf("loss %d is %g, want %g", k, losses[k], want[k][0])
		}
	}
	grads := m.Gradients()
	if len(grads) != len(obj.Trainable) {
		t.Fatalf("%d gradients, want %d", len(grads), len(obj.Trainable))
	}
	rest := want[len(losses):]
	for k, p := range obj.Trainable {
		if d := distance(t, p.Name, grads[p.Name], rest[k]); d > gradientBound {
			t.Errorf("gradient of %s %v: relative distance %g", p.Name, p.Shape, d)
		}
	}
	running := m.RunningStatistics()
	for k, u := range obj.Updates {
		if d := distance(t, u.Param.Name, running[u.Param.Name], rest[len(obj.Trainable)+k]); d > 1e-5 {
			t.Errorf("running statistic %s: relative distance %g", u.Param.Name, d)
		}
	}
}
