package op

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// GroupNorm normalises every image over groups of channels and all positions: x (N, C, ...), gamma and beta (C)
// (ONNX GroupNormalization-21; Wu and He, 2018). As many groups as channels make ONNX's InstanceNormalization-6
// (Ulyanov et al., 2016).
type GroupNorm struct {
	base
	Groups  int // 0 stands for as many as channels
	Epsilon float32
}

// Name is GroupNormalization.
func (*GroupNorm) Name() string { return "GroupNormalization" }

// OutShape is the shape of x.
func (o *GroupNorm) OutShape(in ...tensor.Shape) (tensor.Shape, error) {
	if err := wantRanks(in, -1, 1, 1); err != nil {
		return nil, err
	}
	return in[0].Clone(), o.check(in[0], in[1:]...)
}

func (o *GroupNorm) check(x tensor.Shape, vectors ...tensor.Shape) error {
	if err := wantChannels(x, vectors...); err != nil {
		return err
	}
	if g := o.GroupsOf(x[1]); g < 1 || x[1]%g != 0 {
		return fmt.Errorf("%d groups of %d channels", o.Groups, x[1])
	}
	return nil
}

// GroupsOf is the number of groups of that many channels.
func (o *GroupNorm) GroupsOf(channels int) int {
	if o.Groups == 0 {
		return channels
	}
	return o.Groups
}

// Do computes the function.
func (o *GroupNorm) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

// DiffWRT is true for all operands.
func (*GroupNorm) DiffWRT(inputs int) []bool { return wrt(3, inputs) }

// SymDiff gives GroupNormGradX, and GroupNormReduce for gamma and beta.
func (o *GroupNorm) SymDiff(in gorgonia.Nodes, _, dy *gorgonia.Node) (gorgonia.Nodes, error) {
	var c chain
	reduced := c.apply(&GroupNormReduce{GroupNorm: *o}, in[0], dy)
	return gorgonia.Nodes{
		c.apply(&GroupNormGradX{GroupNorm: *o}, in[0], in[1], dy),
		c.apply(&Row{Index: 1}, reduced),
		c.apply(&Row{Index: 0}, reduced),
	}, c.err
}

// groups visits every group of every image: its elements in x, its first channel, and the elements of a channel.
func (o *GroupNorm) groups(x array, visit func(part []float64, at, channel, plane int)) {
	n, c := x.shape[0], x.shape[1]
	g, plane := o.GroupsOf(c), product(x.shape[2:])
	size := c / g * plane
	for k := range n * g {
		visit(x.data[k*size:(k+1)*size], k*size, k%g*(c/g), plane)
	}
}

// normalised is as for a LayerNorm of the group.
func (o *GroupNorm) normalised(part []float64) (hat []float64, scale float64) {
	return (&LayerNorm{Epsilon: o.Epsilon}).normalised(part)
}

func (o *GroupNorm) eval(in []array, out array) {
	gamma, beta := in[1].data, in[2].data
	o.groups(in[0], func(part []float64, at, channel, plane int) {
		hat, _ := o.normalised(part)
		for i, h := range hat {
			c := channel + i/plane
			out.data[at+i] = float64(gamma[c]*h) + beta[c]
		}
	})
}

// GroupNormReduce sums up what the gradients of gamma and beta are: x and dy give (2, C), the sums of dy, and of dy times
// normalised x.
type GroupNormReduce struct{ GroupNorm }

// Name is GroupNormReduce.
func (*GroupNormReduce) Name() string { return "GroupNormReduce" }

// OutShape is (2, C).
func (o *GroupNormReduce) OutShape(in ...tensor.Shape) (tensor.Shape, error) {
	x, err := sameShape(in, 2)
	if err != nil {
		return nil, err
	}
	if err := o.check(x); err != nil {
		return nil, err
	}
	return tensor.Shape{2, x[1]}, nil
}

// Do computes the sums.
func (o *GroupNormReduce) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

// DiffWRT is false.
func (*GroupNormReduce) DiffWRT(inputs int) []bool { return wrt(0, inputs) }

// SymDiff is an error: there are no second derivatives.
func (o *GroupNormReduce) SymDiff(gorgonia.Nodes, *gorgonia.Node, *gorgonia.Node) (gorgonia.Nodes, error) {
	return noDerivative(o)
}

func (o *GroupNormReduce) eval(in []array, out array) {
	dy, channels := in[1].data, in[0].shape[1]
	o.groups(in[0], func(part []float64, at, channel, plane int) {
		hat, _ := o.normalised(part)
		for i, h := range hat {
			c := channel + i/plane
			out.data[c] += dy[at+i]
			out.data[channels+c] += float64(dy[at+i] * h)
		}
	})
}

// GroupNormGradX is the gradient of GroupNorm in x: x, gamma and dy give dx.
type GroupNormGradX struct{ GroupNorm }

// Name is GroupNormGradX.
func (*GroupNormGradX) Name() string { return "GroupNormGradX" }

// OutShape is the shape of x.
func (o *GroupNormGradX) OutShape(in ...tensor.Shape) (tensor.Shape, error) {
	if err := wantRanks(in, -1, 1, -1); err != nil {
		return nil, err
	}
	if err := wantEqual(in, 2, in[0]...); err != nil {
		return nil, err
	}
	return in[0].Clone(), o.check(in[0], in[1])
}

// Do computes the gradient.
func (o *GroupNormGradX) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

// DiffWRT is false.
func (*GroupNormGradX) DiffWRT(inputs int) []bool { return wrt(0, inputs) }

// SymDiff is an error: there are no second derivatives.
func (o *GroupNormGradX) SymDiff(gorgonia.Nodes, *gorgonia.Node, *gorgonia.Node) (gorgonia.Nodes, error) {
	return noDerivative(o)
}

func (o *GroupNormGradX) eval(in []array, out array) {
	gamma, dy := in[1].data, in[2].data
	o.groups(in[0], func(part []float64, at, channel, plane int) {
		hat, scale := o.normalised(part)
		sum, sumHat := 0.0, 0.0
		for i, h := range hat {
			g := float64(gamma[channel+i/plane] * dy[at+i])
			sum += g
			sumHat += float64(g * h)
		}
		size := float64(len(part))
		for i, h := range hat {
			g := float64(gamma[channel+i/plane] * dy[at+i])
			out.data[at+i] = scale * (g - sum/size - float64(h*(sumHat/size)))
		}
	})
}
