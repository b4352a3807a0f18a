package plan

import (
	"fmt"
	"testing"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"regraft/engine"
	"regraft/engine/op"
)

// sketch assembles a network whose parameters are zero: nothing runs.
type sketch struct {
	t *testing.T
	b *engine.Builder
	n int
}

// networks are small ones, each of a pattern that passes of the planner look for; x is a photo of 3 x 32 x 32.
var networks = map[string]func(d *sketch, x *gorgonia.Node) []*gorgonia.Node{
	// A residual sum behind BatchNorm, with a rectifier behind it.
	"residual": func(d *sketch, x *gorgonia.Node) []*gorgonia.Node {
		x = d.relu(d.norm(d.conv(x, 32, 3, 2)))
		y := d.relu(d.norm(d.conv(x, 32, 3, 1)))
		y = d.norm(d.conv(y, 32, 3, 1))
		x = d.relu(d.apply(&op.Add{}, y, x))
		y = d.norm(d.conv(d.relu(d.norm(d.conv(x, 64, 3, 2))), 64, 3, 1))
		return d.head(d.relu(d.apply(&op.Add{}, y, d.norm(d.conv(x, 64, 1, 2)))), 5)
	},
	// Inception's branches: kernels of many shapes, an average pool in front of a 1x1 convolution, a pool as a branch.
	"branches": func(d *sketch, x *gorgonia.Node) []*gorgonia.Node {
		x = d.relu(d.norm(d.conv(x, 32, 3, 1)))
		branch := func(x *gorgonia.Node, out int) *gorgonia.Node { return d.relu(d.norm(d.conv(x, out, 1, 1))) }
		three := d.relu(d.norm(d.conv(branch(x, 16), 32, 3, 1)))
		wide := d.relu(d.norm(d.window(branch(x, 16), 16, 1, 7)))
		average := d.apply(&op.AveragePool{Kernel: [2]int{3, 3}, Strides: [2]int{1, 1}, Pads: [4]int{1, 1, 1, 1}, CountIncludePad: true}, x)
		x = d.apply(&op.Concat{Axis: 1}, branch(x, 16), three, wide, branch(average, 16))
		x = d.apply(&op.Concat{Axis: 1}, d.relu(d.norm(d.conv(x, 16, 3, 2))), d.apply(&op.MaxPool{Kernel: [2]int{3, 3}, Strides: [2]int{2, 2}, Dilations: [2]int{1, 1}, Pads: [4]int{1, 1, 1, 1}}, x))
		return d.head(x, 5)
	},
	// Two classifiers, of which the second hangs off the middle.
	"auxiliary": func(d *sketch, x *gorgonia.Node) []*gorgonia.Node {
		x = d.relu(d.norm(d.conv(x, 16, 3, 2)))
		aux := d.head(d.relu(d.norm(d.conv(x, 16, 1, 1))), 5)
		x = d.relu(d.norm(d.conv(x, 32, 3, 2)))
		return append(d.head(x, 5), aux...)
	},
	// An inverted residual with squeeze and excitation.
	"squeeze": func(d *sketch, x *gorgonia.Node) []*gorgonia.Node {
		x = d.silu(d.norm(d.conv(x, 16, 3, 2)))
		y := d.silu(d.norm(d.conv(x, 64, 1, 1)))
		y = d.silu(d.norm(d.grouped(y, 64, 3, 1, 64)))
		s := d.apply(&op.GlobalAveragePool{}, y)
		s = d.apply(&op.Sigmoid{}, d.biased(d.silu(d.biased(s, 16)), 64))
		y = d.norm(d.conv(d.apply(&op.Mul{}, y, s), 16, 1, 1))
		return d.head(d.apply(&op.Add{}, y, x), 5)
	},
	// Depthwise and grouped convolutions with a limited rectifier and the hard activations.
	"grouped": func(d *sketch, x *gorgonia.Node) []*gorgonia.Node {
		relu6 := func(x *gorgonia.Node) *gorgonia.Node { return d.apply(&op.Clip{Min: 0, Max: 6}, x) }
		x = relu6(d.norm(d.conv(x, 32, 3, 2)))
		x = relu6(d.norm(d.grouped(x, 32, 3, 1, 32)))
		x = d.apply(&op.HardSwish{}, d.norm(d.grouped(x, 64, 3, 2, 2)))
		gate := d.apply(&op.HardSigmoid{Alpha: 1. / 6, Beta: 0.5}, d.biased(d.apply(&op.GlobalAveragePool{}, x), 64))
		return d.head(d.apply(&op.Mul{}, gate, x), 5)
	},
	// ConvNeXt's block: layer norm of channels that come last, a scale per channel.
	"channels last": func(d *sketch, x *gorgonia.Node) []*gorgonia.Node {
		x = d.conv(x, 16, 4, 4)
		y := d.apply(&op.Transpose{Perm: []int{0, 2, 3, 1}}, d.grouped(x, 16, 7, 1, 16))
		for range 2 {
			y = d.layerNorm(y)
		}
		y = d.apply(&op.Transpose{Perm: []int{0, 3, 1, 2}}, y)
		y = d.biased(d.apply(&op.Gelu{}, d.biased(y, 64)), 16)
		return d.head(d.apply(&op.Add{}, d.apply(&op.Mul{}, y, d.param(16, 1, 1)), x), 5)
	},
	// A transformer block's second half: tokens made of a map, layer norm, two layers and a residual sum; the mean of the tokens.
	"tokens": func(d *sketch, x *gorgonia.Node) []*gorgonia.Node {
		x = d.apply(&op.Reshape{Shape: []int{-1, 32, 64}}, d.conv(x, 32, 4, 4))
		x = d.apply(&op.Transpose{Perm: []int{0, 2, 1}}, x)
		for range 2 {
			y := d.linear(d.layerNorm(x), 48)
			x = d.apply(&op.Add{}, x, d.linear(d.dropout(d.apply(&op.Gelu{}, y)), 32))
		}
		x = d.apply(&op.ReduceMean{Axes: []int{1}}, d.layerNorm(x))
		return []*gorgonia.Node{d.linear(x, 5)}
	},
	// A class token in front of tokens, a position table; the token is classified, and others in another output.
	"class token": func(d *sketch, x *gorgonia.Node) []*gorgonia.Node {
		x = d.apply(&op.Transpose{Perm: []int{0, 2, 1}}, d.apply(&op.Reshape{Shape: []int{-1, 24, 64}}, d.conv(x, 24, 4, 4)))
		x = d.apply(&op.Concat{Axis: 1}, d.apply(&op.BatchTile{}, d.param(1, 1, 24), x), x, x)
		x = d.layerNorm(d.apply(&op.Add{}, d.param(1, 129, 24), x))
		part := func(from, to int) *gorgonia.Node {
			return d.apply(&op.Slice{Starts: []int{from}, Ends: []int{to}, Axes: []int{1}}, x)
		}
		rest := d.apply(&op.ReduceMean{Axes: []int{1}}, d.apply(&op.Mul{}, part(1, 33), part(-33, -1)))
		token := d.apply(&op.Gather{Axis: 1, Indices: []int{0}}, x)
		return []*gorgonia.Node{d.linear(token, 5), d.linear(rest, 5)}
	},
	// Attention as exporters write it: heads cut out of one layer's channels, or of three layers'.
	"attention": func(d *sketch, x *gorgonia.Node) []*gorgonia.Node {
		x = d.apply(&op.Transpose{Perm: []int{0, 2, 1}}, d.apply(&op.Reshape{Shape: []int{-1, 32, 64}}, d.conv(x, 32, 4, 4)))
		qkv := d.apply(&op.Reshape{Shape: []int{-1, 64, 3, 2, 16}}, d.linear(d.layerNorm(x), 96))
		qkv = d.apply(&op.Transpose{Perm: []int{2, 0, 3, 1, 4}}, qkv)
		part := func(k int) *gorgonia.Node {
			return d.apply(&op.Squeeze{Axes: []int{0}}, d.apply(&op.Slice{Starts: []int{k}, Ends: []int{k + 1}, Axes: []int{0}}, qkv))
		}
		attend := func(q, k, v *gorgonia.Node) *gorgonia.Node {
			scores := d.apply(&op.MatMul{}, q, d.apply(&op.Transpose{Perm: []int{0, 1, 3, 2}}, k))
			scores = d.apply(&op.Add{}, d.param(1, q.Shape()[1], 64, 64), scores)
			y := d.apply(&op.MatMul{}, d.apply(&op.Softmax{Axis: -1}, scores), v)
			return d.apply(&op.Reshape{Shape: []int{-1, 64, 32}}, d.apply(&op.Transpose{Perm: []int{0, 2, 1, 3}}, y))
		}
		x = d.apply(&op.Add{}, x, d.linear(attend(d.apply(&op.Scale{Factor: 0.25}, part(0)), part(1), part(2)), 32))
		heads := func(x *gorgonia.Node) *gorgonia.Node {
			return d.apply(&op.Transpose{Perm: []int{0, 2, 1, 3}}, d.apply(&op.Reshape{Shape: []int{-1, 64, 4, 8}}, d.linear(x, 32)))
		}
		x = d.apply(&op.Add{}, x, d.linear(attend(heads(x), heads(x), heads(x)), 32))
		return []*gorgonia.Node{d.linear(d.apply(&op.ReduceMean{Axes: []int{1}}, x), 5)}
	},
	// Images and tokens exchanged around a linear layer.
	"tokens first": func(d *sketch, x *gorgonia.Node) []*gorgonia.Node {
		x = d.apply(&op.Transpose{Perm: []int{0, 2, 1}}, d.apply(&op.Reshape{Shape: []int{-1, 16, 64}}, d.conv(x, 16, 4, 4)))
		x = d.linear(d.apply(&op.Transpose{Perm: []int{1, 0, 2}}, x), 24)
		x = d.apply(&op.ReduceMean{Axes: []int{1}}, d.apply(&op.Transpose{Perm: []int{1, 0, 2}}, x))
		return []*gorgonia.Node{d.linear(x, 5)}
	},
	// What leaves all values where they are; tokens that are a map again, around which a convolution wants a halo; a layer norm of rows.
	"moves": func(d *sketch, x *gorgonia.Node) []*gorgonia.Node {
		x = d.relu(d.conv(x, 16, 3, 2))
		y := d.apply(&op.Reshape{Shape: []int{-1, 16, 256}}, x)
		z := d.conv(d.layerNorm(d.apply(&op.Identity{}, x)), 16, 3, 2)
		x = d.apply(&op.Transpose{Perm: []int{0, 2, 1}}, y)
		x = d.apply(&op.Reshape{Shape: []int{-1, 16, 16, 16}}, d.apply(&op.Transpose{Perm: []int{0, 2, 1}}, d.layerNorm(x)))
		x = d.apply(&op.GlobalAveragePool{}, d.apply(&op.Add{}, d.conv(x, 16, 3, 2), z))
		x = d.apply(&op.Unsqueeze{Axes: []int{2, 3}}, d.apply(&op.Squeeze{Axes: []int{2, 3}}, x))
		return d.head(d.relu(d.conv(x, 16, 1, 1)), 5)
	},
	// Convolutions whose windows do not meet, of a photo and of a map that something else reads too.
	"patches": func(d *sketch, x *gorgonia.Node) []*gorgonia.Node {
		x = d.relu(d.norm(d.conv(x, 16, 8, 8)))
		return d.head(d.apply(&op.Add{}, d.conv(x, 16, 4, 4), d.apply(&op.GlobalAveragePool{}, x)), 5)
	},
	// DenseNet: BatchNorm in front of convolutions, concatenations of all that was made so far.
	"dense": func(d *sketch, x *gorgonia.Node) []*gorgonia.Node {
		x = d.apply(&op.MaxPool{Kernel: [2]int{2, 2}, Strides: [2]int{2, 2}, Dilations: [2]int{1, 1}}, d.relu(d.norm(d.conv(x, 16, 3, 1))))
		made := []*gorgonia.Node{x}
		for range 2 {
			y := d.relu(d.norm(d.conv(d.relu(d.norm(x)), 32, 1, 1)))
			made = append(made, d.conv(y, 16, 3, 1))
			x = d.apply(&op.Concat{Axis: 1}, made...)
		}
		x = d.conv(d.relu(d.norm(x)), 16, 1, 1)
		x = d.apply(&op.AveragePool{Kernel: [2]int{2, 2}, Strides: [2]int{2, 2}}, x)
		return d.head(d.relu(d.norm(x)), 5)
	},
	// Channels that are split, and a photo's that are shifted.
	"split": func(d *sketch, x *gorgonia.Node) []*gorgonia.Node {
		x = d.apply(&op.Affine{Scale: []float32{0.5, 0.5, 0.5}, Shift: []float32{0.1, 0.2, 0.3}}, x)
		x = d.relu(d.norm(d.conv(x, 32, 3, 2)))
		part := func(from, to int) *gorgonia.Node {
			return d.apply(&op.Slice{Starts: []int{from}, Ends: []int{to}, Axes: []int{1}, Steps: []int{1}}, x)
		}
		y := d.apply(&op.Mul{}, d.relu(d.norm(d.conv(part(0, 16), 16, 3, 1))), d.apply(&op.Sigmoid{}, part(16, 32)))
		return d.head(d.apply(&op.Concat{Axis: 1}, y, part(16, 32)), 5)
	},
	// VGG's classifier on a flattened map, and probabilities.
	"matrices": func(d *sketch, x *gorgonia.Node) []*gorgonia.Node {
		x = d.relu(d.apply(d.convOf(3, 2, 1), x, d.param(24, 3, 3, 3), d.param(24)))
		x = d.apply(&op.Flatten{Axis: 1}, d.apply(&op.MaxPool{Kernel: [2]int{4, 4}, Strides: [2]int{4, 4}, Dilations: [2]int{1, 1}}, x))
		x = d.dropout(d.relu(d.linear(x, 40)))
		x = d.relu(d.linear(x, 40))
		x = d.apply(&op.Add{}, d.linear(d.silu(d.linear(x, 24)), 40), x)
		return []*gorgonia.Node{d.linear(d.dropout(x), 5)}
	},
	// Activations that follow one another, and one that two layers use.
	"activations": func(d *sketch, x *gorgonia.Node) []*gorgonia.Node {
		x = d.apply(&op.Gelu{}, d.silu(d.norm(d.conv(x, 16, 3, 2))))
		x = d.apply(&op.Tanh{}, d.apply(&op.Scale{Factor: 2}, d.conv(x, 16, 1, 1)))
		y := d.relu(x)
		return d.head(d.apply(&op.Add{}, d.conv(y, 16, 1, 1), d.apply(&op.Sub{}, y, d.apply(&op.Exp{}, x))), 5)
	},
	// Probabilities of a map that is pooled behind the classifier.
	"softmax": func(d *sketch, x *gorgonia.Node) []*gorgonia.Node {
		x = d.apply(d.convOf(1, 1, 1), d.relu(d.conv(x, 16, 3, 2)), d.param(5, 16, 1, 1), d.param(5))
		x = d.apply(&op.Flatten{Axis: 1}, d.apply(&op.GlobalAveragePool{}, d.relu(x)))
		return []*gorgonia.Node{d.apply(&op.Softmax{Axis: 1}, x)}
	},
	// Padded convolutions on a map of one pixel.
	"one pixel": func(d *sketch, x *gorgonia.Node) []*gorgonia.Node {
		x = d.relu(d.conv(x, 16, 3, 2))
		x = d.apply(&op.MaxPool{Kernel: [2]int{16, 16}, Strides: [2]int{16, 16}, Dilations: [2]int{1, 1}}, x)
		return d.head(d.relu(d.conv(d.relu(d.conv(x, 32, 1, 1)), 16, 3, 1)), 5)
	},
	// GroupNorm behind convolutions, with a rectifier and without.
	"group norm": func(d *sketch, x *gorgonia.Node) []*gorgonia.Node {
		group := func(x *gorgonia.Node) *gorgonia.Node {
			c := x.Shape()[1]
			return d.apply(&op.GroupNorm{Groups: 4, Epsilon: 1e-5}, x, d.param(c), d.param(c))
		}
		x = d.relu(group(d.conv(x, 16, 3, 2)))
		return d.head(d.apply(&op.Sigmoid{}, group(d.conv(x, 32, 3, 2))), 5)
	},
	// ShuffleNet's unit: channels that are cut where no block ends, put together and shuffled; and a choice of channels.
	"shuffle": func(d *sketch, x *gorgonia.Node) []*gorgonia.Node {
		x = d.relu(d.norm(d.conv(x, 24, 3, 2)))
		part := func(from, to int) *gorgonia.Node {
			return d.apply(&op.Slice{Starts: []int{from}, Ends: []int{to}, Axes: []int{1}, Steps: []int{1}}, x)
		}
		x = d.apply(&op.Concat{Axis: 1}, part(0, 12), d.relu(d.norm(d.conv(part(12, 24), 12, 1, 1))))
		x = d.apply(&op.Reshape{Shape: []int{-1, 2, 12, 16, 16}}, x)
		x = d.apply(&op.Reshape{Shape: []int{-1, 24, 16, 16}}, d.apply(&op.Transpose{Perm: []int{0, 2, 1, 3, 4}}, x))
		x = d.relu(d.conv(x, 24, 3, 2))
		return d.head(d.relu(d.conv(d.apply(&op.Gather{Axis: 1, Indices: []int{3, 1, 7, 20}, IndexShape: []int{4}}, x), 16, 3, 1)), 5)
	},
	// What no kernel computes: the largest of every row.
	"interpreted": func(d *sketch, x *gorgonia.Node) []*gorgonia.Node {
		x = d.apply(&op.Reduce{ReduceMean: op.ReduceMean{Axes: []int{3}, KeepDims: true}, Kind: op.MaxOf}, d.conv(x, 16, 3, 2))
		return d.head(d.relu(d.conv(x, 16, 1, 1)), 5)
	},
	// Functions of every kind, in the convolution and by themselves.
	"rectifiers": func(d *sketch, x *gorgonia.Node) []*gorgonia.Node {
		x = d.conv(x, 16, 3, 2)
		for _, f := range []op.Op{
			&op.Elu{Alpha: 1, Gamma: 1, Rate: 1}, &op.LeakyRelu{Alpha: 0.1}, &op.ThresholdedRelu{Alpha: 1}, &op.Mish{}, &op.Softplus{}, &op.Softsign{},
			&op.HardSigmoid{Alpha: 0.2, Beta: 0.5},
		} {
			x = d.apply(f, d.apply(f, d.conv(x, 16, 1, 1)))
		}
		x = d.apply(&op.PRelu{}, d.apply(&op.PRelu{}, d.conv(x, 16, 1, 1), d.param(16, 1, 1)), d.param(1))
		return d.head(x, 5)
	},
	// Numbers for every channel: learned and constant; a table for every pixel that is added twice.
	"affine": func(d *sketch, x *gorgonia.Node) []*gorgonia.Node {
		x = d.apply(&op.Add{}, d.conv(x, 4, 3, 2), d.param(1, 4, 1, 1))
		x = d.apply(&op.Affine{Scale: []float32{1, 2, 3, 4}, Shift: []float32{1, 2, 3, 4}}, x)
		table := d.param(1, 4, 16, 16)
		x = d.apply(&op.Add{}, d.relu(d.apply(&op.Add{}, x, table)), table)
		return d.head(d.apply(&op.Div{}, x, d.param(4, 1, 1)), 5)
	},
	// Pools beside one another, whose gradients are summed.
	"pools": func(d *sketch, x *gorgonia.Node) []*gorgonia.Node {
		x = d.relu(d.conv(x, 16, 3, 2))
		window := func(k int) ([2]int, [2]int, [4]int) {
			return [2]int{k, k}, [2]int{1, 1}, [4]int{k / 2, k / 2, k / 2, k / 2}
		}
		largest := func(x *gorgonia.Node, k int) *gorgonia.Node {
			kernel, strides, pads := window(k)
			return d.apply(&op.MaxPool{Kernel: kernel, Strides: strides, Dilations: [2]int{1, 1}, Pads: pads}, x)
		}
		average := func(x *gorgonia.Node, k int) *gorgonia.Node {
			kernel, strides, pads := window(k)
			return d.apply(&op.AveragePool{Kernel: kernel, Strides: strides, Pads: pads}, x)
		}
		x = d.apply(&op.Concat{Axis: 1}, largest(x, 3), average(x, 3), largest(x, 5), average(x, 5))
		x = d.relu(d.conv(x, 16, 1, 1))
		return d.head(x, 5)
	},
	// Rows and columns picked out of a map (GoogLeNet's auxiliary classifier), layer norm of a matrix.
	"picked": func(d *sketch, x *gorgonia.Node) []*gorgonia.Node {
		x = d.relu(d.norm(d.conv(x, 16, 3, 2)))
		for axis := 2; axis < 4; axis++ {
			x = d.apply(&op.Gather{Axis: axis, Indices: []int{0, 5, 10, 15}, IndexShape: []int{4}}, x)
		}
		x = d.apply(&op.Flatten{Axis: 1}, x)
		x = d.apply(&op.LayerNorm{Axis: -1, Epsilon: 1e-5}, x, d.param(256), d.param(256))
		return []*gorgonia.Node{d.linear(x, 5)}
	},
}

// network builds the named one for so many images.
func network(t *testing.T, name string, images int) *engine.Network {
	t.Helper()
	d := &sketch{t: t, b: engine.NewBuilder()}
	x, err := d.b.Placeholder("input", images, 3, 32, 32)
	if err != nil {
		t.Fatal(err)
	}
	var outputs []engine.Output
	for i, node := range networks[name](d, x) {
		outputs = append(outputs, engine.Output{Name: fmt.Sprint("output", i), Node: node})
	}
	net, err := d.b.Network(engine.Meta{}, outputs...)
	if err != nil {
		t.Fatal(err)
	}
	return net
}

func (d *sketch) param(shape ...int) *gorgonia.Node {
	d.t.Helper()
	d.n++
	node, err := d.b.Param(&engine.Param{Name: fmt.Sprint("p", d.n), Shape: shape, Value: make([]float32, tensor.Shape(shape).TotalSize())})
	if err != nil {
		d.t.Fatal(err)
	}
	return node
}

func (d *sketch) apply(o op.Op, in ...*gorgonia.Node) *gorgonia.Node {
	d.t.Helper()
	d.n++
	node, err := d.b.Apply(fmt.Sprint(o.Name(), d.n), o, in...)
	if err != nil {
		d.t.Fatal(err)
	}
	return node
}

// convOf is a square convolution that keeps the size, but for its stride; a kernel as large as its stride has no padding.
func (d *sketch) convOf(kernel, stride, groups int) *op.Conv {
	pad := kernel / 2
	if kernel == stride {
		pad = 0
	}
	return &op.Conv{Strides: [2]int{stride, stride}, Dilations: [2]int{1, 1}, Pads: [4]int{pad, pad, pad, pad}, Group: groups}
}

func (d *sketch) grouped(x *gorgonia.Node, out, kernel, stride, groups int) *gorgonia.Node {
	d.t.Helper()
	return d.apply(d.convOf(kernel, stride, groups), x, d.param(out, x.Shape()[1]/groups, kernel, kernel))
}

func (d *sketch) conv(x *gorgonia.Node, out, kernel, stride int) *gorgonia.Node {
	d.t.Helper()
	return d.grouped(x, out, kernel, stride, 1)
}

// biased is a 1x1 convolution with a bias.
func (d *sketch) biased(x *gorgonia.Node, out int) *gorgonia.Node {
	d.t.Helper()
	return d.apply(d.convOf(1, 1, 1), x, d.param(out, x.Shape()[1], 1, 1), d.param(out))
}

// window is a convolution with a kernel that is not square.
func (d *sketch) window(x *gorgonia.Node, out, rows, cols int) *gorgonia.Node {
	d.t.Helper()
	o := &op.Conv{Strides: [2]int{1, 1}, Dilations: [2]int{1, 1}, Pads: [4]int{rows / 2, cols / 2, rows / 2, cols / 2}, Group: 1}
	return d.apply(o, x, d.param(out, x.Shape()[1], rows, cols))
}

func (d *sketch) norm(x *gorgonia.Node) *gorgonia.Node {
	d.t.Helper()
	c := x.Shape()[1]
	return d.apply(&op.BatchNorm{Epsilon: 1e-5, Momentum: 0.9}, x, d.param(c), d.param(c), d.param(c), d.param(c))
}

func (d *sketch) relu(x *gorgonia.Node) *gorgonia.Node { return d.apply(&op.Relu{}, x) }
func (d *sketch) silu(x *gorgonia.Node) *gorgonia.Node { return d.apply(&op.SiLU{}, x) }

func (d *sketch) dropout(x *gorgonia.Node) *gorgonia.Node {
	return d.apply(&op.Dropout{Ratio: 0.5, ID: fmt.Sprint("dropout", d.n)}, x)
}

func (d *sketch) layerNorm(x *gorgonia.Node) *gorgonia.Node {
	d.t.Helper()
	size := x.Shape()[x.Dims()-1]
	return d.apply(&op.LayerNorm{Axis: -1, Epsilon: 1e-6}, x, d.param(size), d.param(size))
}

func (d *sketch) linear(x *gorgonia.Node, out int) *gorgonia.Node {
	d.t.Helper()
	return d.apply(&op.Linear{}, x, d.param(out, x.Shape()[x.Dims()-1]), d.param(out))
}

// head is a classifier of pooled features.
func (d *sketch) head(x *gorgonia.Node, classes int) []*gorgonia.Node {
	d.t.Helper()
	x = d.apply(&op.Flatten{Axis: 1}, d.apply(&op.GlobalAveragePool{}, x))
	return []*gorgonia.Node{d.linear(d.dropout(x), classes)}
}
