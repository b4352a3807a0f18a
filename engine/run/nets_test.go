package run

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"gorgonia.org/gorgonia"

	"regraft/engine"
	"regraft/engine/kernel"
	"regraft/engine/op"
	"regraft/engine/random"
)

// tiny builds a small network in the manner of Inception-v3: convolutions with BatchNorm and Relu
// in branches that are concatenated, pools of both kinds, asymmetric kernels, an auxiliary head.
type tiny struct {
	t *testing.T
	b *engine.Builder
	n int
}

func (b *tiny) param(shape ...int) *gorgonia.Node {
	b.n++
	total := 1
	for _, d := range shape {
		total *= d
	}
	s := random.At(1, "tiny", uint64(b.n))
	value := make([]float32, total)
	fan := float64(total / shape[0])
	for i := range value {
		value[i] = float32(s.Normal() * math.Sqrt(2/fan))
	}
	if len(shape) == 1 {
		for i := range value {
			value[i] = float32(s.Uniform(0.5, 1.5))
		}
	}
	node, err := b.b.Param(&engine.Param{Name: fmt.Sprintf("p%d", b.n), Shape: shape, Value: value})
	b.check(err)
	return node
}

func (b *tiny) check(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *tiny) apply(o op.Op, in ...*gorgonia.Node) *gorgonia.Node {
	b.t.Helper()
	b.n++
	node, err := b.b.Apply(fmt.Sprintf("%s%d", o.Name(), b.n), o, in...)
	b.check(err)
	return node
}

// conv is convolution, BatchNorm, Relu.
func (b *tiny) conv(x *gorgonia.Node, out, kh, kw, stride, ph, pw int) *gorgonia.Node {
	c := &op.Conv{Strides: [2]int{stride, stride}, Dilations: [2]int{1, 1}, Pads: [4]int{ph, pw, ph, pw}, Group: 1}
	y := b.apply(c, x, b.param(out, x.Shape()[1], kh, kw))
	y = b.apply(&op.BatchNorm{Epsilon: 1e-3, Momentum: 0.9}, y, b.param(out), b.param(out), b.param(out), b.param(out))
	return b.apply(&op.Relu{}, y)
}

func (b *tiny) linear(x *gorgonia.Node, classes int) *gorgonia.Node {
	y := b.apply(&op.GlobalAveragePool{}, x)
	y = b.apply(&op.Flatten{Axis: 1}, y)
	y = b.apply(&op.Dropout{Ratio: 0.5, ID: fmt.Sprint("drop", b.n)}, y)
	return b.apply(&op.Linear{}, y, b.param(classes, y.Shape()[1]), b.param(classes))
}

// tinyInception has w channels where Inception-v3 has 64.
func tinyInception(t *testing.T, images, size, w, classes int) *engine.Network {
	b := &tiny{t: t, b: engine.NewBuilder()}
	x, err := b.b.Placeholder("input", images, 3, size, size)
	b.check(err)
	x = b.conv(x, w, 3, 3, 2, 0, 0)
	x = b.conv(x, 2*w, 3, 3, 1, 1, 1)
	x = b.apply(&op.MaxPool{Kernel: [2]int{3, 3}, Strides: [2]int{2, 2}, Dilations: [2]int{1, 1}}, x)
	block := func(x *gorgonia.Node) *gorgonia.Node {
		one := b.conv(x, w, 1, 1, 1, 0, 0)
		five := b.conv(b.conv(x, w, 1, 1, 1, 0, 0), 2*w, 5, 5, 1, 2, 2)
		seven := b.conv(b.conv(b.conv(x, w, 1, 1, 1, 0, 0), w, 1, 7, 1, 0, 3), w, 7, 1, 1, 3, 0)
		pool := b.apply(&op.AveragePool{Kernel: [2]int{3, 3}, Strides: [2]int{1, 1}, Pads: [4]int{1, 1, 1, 1}, CountIncludePad: true}, x)
		return b.apply(&op.Concat{Axis: 1}, one, five, seven, b.conv(pool, w, 1, 1, 1, 0, 0))
	}
	x = block(x)
	aux := b.linear(b.conv(x, w, 1, 1, 1, 0, 0), classes)
	max := b.apply(&op.MaxPool{Kernel: [2]int{3, 3}, Strides: [2]int{2, 2}, Dilations: [2]int{1, 1}}, x)
	x = b.apply(&op.Concat{Axis: 1}, b.conv(x, 2*w, 3, 3, 2, 0, 0), max)
	x = block(x)
	main := b.linear(x, classes)
	net, err := b.b.Network(engine.Meta{}, engine.Output{Name: "main", Node: main}, engine.Output{Name: "aux", Node: aux})
	b.check(err)
	return net
}

// noise is n standard normal numbers.
func noise(n int, seed uint64) []float32 {
	s := random.At(seed, "noise")
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(s.Normal())
	}
	return x
}

// isas lists the instruction sets of this machine, plain Go first.
func isas(t *testing.T) []*kernel.Set {
	sets, err := kernel.Usable()
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(sets)
	return sets
}

// distance is the largest difference relative to the largest magnitude of want.
func distance(t *testing.T, what string, got, want []float32) float64 {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d values, want %d", what, len(got), len(want))
	}
	worst, largest := 0.0, 0.0
	for i, w := range want {
		d := math.Abs(float64(got[i]) - float64(w))
		if !(d <= math.MaxFloat64) {
			d = math.Inf(1)
		}
		worst, largest = max(worst, d), max(largest, math.Abs(float64(w)))
	}
	if largest == 0 {
		return worst
	}
	return worst / largest
}
