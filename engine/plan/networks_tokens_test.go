package plan

import (
	"fmt"
	"math"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"regraft/engine"
	"regraft/engine/op"
)

// Further networks: of ConvNeXt V2 and of transformers.
func init() {
	// Global response normalisation, in front of it channels that come first or last.
	networks["response norm"] = func(d *sketch, x *gorgonia.Node) []*gorgonia.Node {
		x = d.conv(x, 24, 4, 4)
		for _, o := range []*op.ResponseNorm{{Epsilon: 1e-6}, {Last: true, Epsilon: 1e-6}} {
			y := d.apply(&op.Gelu{}, x)
			if o.Last {
				y = d.apply(&op.Transpose{Perm: []int{0, 2, 3, 1}}, y)
			}
			strong := d.apply(&op.Mul{}, y, d.responses(y, o))
			if o.Last {
				strong = d.apply(&op.Transpose{Perm: []int{0, 3, 1, 2}}, strong)
			}
			strong = d.apply(&op.Add{}, d.param(1, 24, 1, 1), d.apply(&op.Mul{}, d.param(1, 24, 1, 1), strong))
			x = d.biased(d.apply(&op.Add{}, x, strong), 24)
		}
		return d.head(x, 5)
	}
	// Attention whose queries and keys are turned by their tokens' positions, but for the first token's, as transformers spells it.
	networks["rotary"] = func(d *sketch, x *gorgonia.Node) []*gorgonia.Node {
		x = d.apply(&op.Transpose{Perm: []int{0, 2, 1}}, d.apply(&op.Reshape{Shape: []int{-1, 32, 64}}, d.conv(x, 32, 4, 4)))
		heads := func(x *gorgonia.Node) *gorgonia.Node {
			return d.apply(&op.Transpose{Perm: []int{0, 2, 1, 3}}, d.apply(&op.Reshape{Shape: []int{-1, 64, 2, 16}}, d.linear(x, 32)))
		}
		part := func(x *gorgonia.Node, axis, from, to int) *gorgonia.Node {
			return d.apply(&op.Slice{Starts: []int{from}, Ends: []int{to}, Axes: []int{axis}}, x)
		}
		turn := func(x *gorgonia.Node) *gorgonia.Node {
			rest := part(x, 2, 1, 64)
			half := d.apply(&op.Concat{Axis: 3}, d.apply(&op.Neg{}, part(rest, 3, 8, 16)), part(rest, 3, 0, 8))
			turned := d.apply(&op.Add{}, d.apply(&op.Mul{}, rest, d.constants(63, 16)), d.apply(&op.Mul{}, half, d.constants(63, 16)))
			return d.apply(&op.Concat{Axis: 2}, part(x, 2, 0, 1), turned)
		}
		scores := d.apply(&op.MatMul{}, turn(heads(x)), d.apply(&op.Transpose{Perm: []int{0, 1, 3, 2}}, turn(heads(x))))
		y := d.apply(&op.MatMul{}, d.apply(&op.Softmax{Axis: -1}, scores), heads(x))
		y = d.apply(&op.Reshape{Shape: []int{-1, 64, 32}}, d.apply(&op.Transpose{Perm: []int{0, 2, 1, 3}}, y))
		return []*gorgonia.Node{d.linear(d.apply(&op.ReduceMean{Axes: []int{1}}, d.linear(y, 32)), 5)}
	}
	// A classifier that reads one token behind layers that treat every token by itself.
	networks["one token"] = func(d *sketch, x *gorgonia.Node) []*gorgonia.Node {
		x = d.apply(&op.Transpose{Perm: []int{0, 2, 1}}, d.apply(&op.Reshape{Shape: []int{-1, 24, 64}}, d.conv(x, 24, 4, 4)))
		x = d.apply(&op.Add{}, d.param(1, 64, 24), x)
		x = d.apply(&op.Add{}, x, d.linear(d.apply(&op.Gelu{}, d.linear(d.layerNorm(x), 40)), 24))
		return []*gorgonia.Node{d.linear(d.apply(&op.Gather{Axis: 1, Indices: []int{0}}, d.layerNorm(x)), 5)}
	}
	// Attention by cosines with a temperature for each head and a bias of positions that two layers make, as in Swin V2.
	networks["cosines"] = func(d *sketch, x *gorgonia.Node) []*gorgonia.Node {
		x = d.apply(&op.Transpose{Perm: []int{0, 2, 1}}, d.apply(&op.Reshape{Shape: []int{-1, 32, 64}}, d.conv(x, 32, 4, 4)))
		unit := func(x *gorgonia.Node) *gorgonia.Node {
			length := d.apply(&op.Reduce{ReduceMean: op.ReduceMean{Axes: []int{-1}, KeepDims: true}, Kind: op.L2Of}, x)
			return d.apply(&op.Div{}, x, d.apply(&op.Expand{Shape: x.Shape()}, d.apply(&op.Clip{Min: 1e-12, Max: math.MaxFloat32}, length)))
		}
		qkv := d.apply(&op.Reshape{Shape: []int{-1, 64, 3, 2, 16}}, d.linear(x, 96))
		heads := func(k int) *gorgonia.Node {
			return d.apply(&op.Transpose{Perm: []int{0, 2, 1, 3}}, d.apply(&op.Gather{Axis: 2, Indices: []int{k}}, qkv))
		}
		scores := d.apply(&op.MatMul{}, unit(heads(0)), d.apply(&op.Transpose{Perm: []int{0, 1, 3, 2}}, unit(heads(1))))
		scores = d.apply(&op.Mul{}, scores, d.apply(&op.Exp{}, d.apply(&op.Clip{Min: -math.MaxFloat32, Max: 4.6}, d.param(1, 2, 1, 1))))
		index := make([]int, 64*64)
		for k := range index {
			index[k] = k % 9
		}
		bias := d.apply(&op.Linear{}, d.apply(&op.Relu{}, d.apply(&op.Linear{}, d.constants(9, 2), d.param(20, 2), d.param(20))), d.param(2, 20))
		bias = d.apply(&op.Reshape{Shape: []int{64, 64, 2}}, d.apply(&op.Gather{Indices: index, IndexShape: []int{64 * 64}}, bias))
		bias = d.apply(&op.Unsqueeze{Axes: []int{0}}, d.apply(&op.Transpose{Perm: []int{2, 0, 1}}, bias))
		scores = d.apply(&op.Add{}, scores, d.apply(&op.Mul{}, d.apply(&op.Sigmoid{}, bias), d.number(16)))
		y := d.apply(&op.MatMul{}, d.apply(&op.Softmax{Axis: -1}, scores), heads(2))
		y = d.apply(&op.Reshape{Shape: []int{-1, 64, 32}}, d.apply(&op.Transpose{Perm: []int{0, 2, 1, 3}}, y))
		return []*gorgonia.Node{d.linear(d.apply(&op.ReduceMean{Axes: []int{1}}, d.linear(y, 32)), 5)}
	}
	// Swin's windows, rolled by two: tokens of windows, a layer of each token, and back; then every other pixel of every other row, side by
	// side.
	networks["windows"] = func(d *sketch, x *gorgonia.Node) []*gorgonia.Node {
		part := func(x *gorgonia.Node, axis, from, to, step int) *gorgonia.Node {
			return d.apply(&op.Slice{Starts: []int{from}, Ends: []int{to}, Axes: []int{axis}, Steps: []int{step}}, x)
		}
		roll := func(x *gorgonia.Node, by int) *gorgonia.Node {
			for axis := 1; axis < 3; axis++ {
				x = d.apply(&op.Concat{Axis: axis}, part(x, axis, by, 8, 1), part(x, axis, 0, by, 1))
			}
			return x
		}
		x = d.apply(&op.Transpose{Perm: []int{0, 2, 3, 1}}, d.conv(x, 24, 4, 4))
		y := d.apply(&op.Pad{Pads: []int{0, 0, 0, 0, 0, 0, 1, 0}}, part(roll(d.layerNorm(x), 2), 2, 0, 7, 1))
		y = d.apply(&op.Transpose{Perm: []int{0, 1, 3, 2, 4, 5}}, d.apply(&op.Reshape{Shape: []int{-1, 2, 4, 2, 4, 24}}, y))
		y = d.linear(d.apply(&op.Reshape{Shape: []int{-1, 16, 24}}, y), 24)
		y = d.apply(&op.Transpose{Perm: []int{0, 1, 3, 2, 4, 5}}, d.apply(&op.Reshape{Shape: []int{-1, 2, 2, 4, 4, 24}}, y))
		x = d.apply(&op.Add{}, x, roll(d.apply(&op.Reshape{Shape: []int{-1, 8, 8, 24}}, y), 6))
		var quarters []*gorgonia.Node
		for k := range 4 {
			quarters = append(quarters, part(part(x, 1, k%2, 8, 2), 2, k/2, 8, 2))
		}
		x = d.linear(d.layerNorm(d.apply(&op.Concat{Axis: 3}, quarters...)), 24)
		return []*gorgonia.Node{d.linear(d.apply(&op.ReduceMean{Axes: []int{1, 2}}, x), 5)}
	}
	// MobileViT's: each pixel of a patch in turn with those of all other patches, tokens of four images for each, a layer, and back.
	networks["unfolded patches"] = func(d *sketch, x *gorgonia.Node) []*gorgonia.Node {
		cut := func(x *gorgonia.Node, shape ...int) *gorgonia.Node { return d.apply(&op.Reshape{Shape: shape}, x) }
		turn := func(x *gorgonia.Node, perm ...int) *gorgonia.Node { return d.apply(&op.Transpose{Perm: perm}, x) }
		x = d.conv(x, 24, 4, 4)
		y := cut(turn(cut(x, -1, 2, 4, 2), 0, 2, 1, 3), -1, 24, 16, 4)
		y = d.linear(d.layerNorm(cut(turn(y, 0, 3, 2, 1), -1, 16, 24)), 24)
		y = cut(turn(cut(y, -1, 4, 16, 24), 0, 3, 2, 1), -1, 4, 2, 2)
		return d.head(d.apply(&op.Add{}, x, cut(turn(y, 0, 2, 1, 3), -1, 24, 8, 8)), 5)
	}
}

// responses spells a ResponseNorm out, as exporters do.
func (d *sketch) responses(x *gorgonia.Node, o *op.ResponseNorm) *gorgonia.Node {
	d.t.Helper()
	pixels, channels := []int{2, 3}, 1
	if o.Last {
		pixels, channels = []int{1, 2}, -1
	}
	norms := d.apply(&op.Reduce{ReduceMean: op.ReduceMean{Axes: pixels, KeepDims: true}, Kind: op.L2Of}, x)
	mean := d.apply(&op.ReduceMean{Axes: []int{channels}, KeepDims: true}, norms)
	return d.apply(&op.Div{}, norms, d.apply(&op.Add{}, mean, d.number(o.Epsilon)))
}

// number is a constant that is not trained.
func (d *sketch) number(v float32) *gorgonia.Node {
	d.t.Helper()
	return d.constant([]int{1}, v)
}

// constants are numbers that are not trained.
func (d *sketch) constants(shape ...int) *gorgonia.Node {
	d.t.Helper()
	return d.constant(shape, 0.5)
}

func (d *sketch) constant(shape []int, v float32) *gorgonia.Node {
	d.t.Helper()
	d.n++
	values := make([]float32, tensor.Shape(shape).TotalSize())
	for k := range values {
		values[k] = v
	}
	node, err := d.b.Param(&engine.Param{Name: fmt.Sprint("p", d.n), Shape: shape, Value: values, Constant: true})
	if err != nil {
		d.t.Fatal(err)
	}
	return node
}
