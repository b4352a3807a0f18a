package head

import (
	"fmt"
	"slices"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"regraft/engine"
	"regraft/engine/op"
	"regraft/engine/random"
)

// AuxPlace finds the map (N, C, H, W) from which Inception-v3's auxiliary classifier starts, the last one before the second
// reduction of the grid (Mixed_6e, 768 x 17 x 17), in a network that has the trunk but not that classifier; nil elsewhere.
//
// Inception-v3 is known by its four blocks of factorised 7x7 convolutions: maps put together of branches of which one ends
// in 7x1, another in 1x7 (Szegedy and others, "Rethinking the Inception Architecture for Computer Vision", 2016, figure 6).
func AuxPlace(net *engine.Network) *gorgonia.Node {
	const blocks = 4
	if heads, err := Find(net); err != nil || len(heads) != 1 {
		return nil
	}
	var found []*gorgonia.Node
	for _, n := range net.Nodes() {
		if _, concat := n.Op().(*op.Concat); concat && factorised(n) {
			found = append(found, n)
		}
	}
	if len(found) != blocks {
		return nil
	}
	last := found[blocks-1]
	for _, n := range found {
		if !n.Shape().Eq(last.Shape()) {
			return nil
		}
	}
	return last
}

// factorised tells whether one branch of a Concat ends in a 7x1 convolution and another in a 1x7 one.
func factorised(concat *gorgonia.Node) bool {
	ends := map[[2]int]bool{}
	for _, x := range op.Inputs(concat) {
		for {
			switch x.Op().(type) {
			case *op.Relu, *op.BatchNorm:
				x = op.Inputs(x)[0]
				continue
			case *op.Conv:
				w := op.Inputs(x)[1].Shape()
				ends[[2]int{w[2], w[3]}] = true
			}
			break
		}
	}
	return ends[[2]int{7, 1}] && ends[[2]int{1, 7}]
}

// auxKernel and auxStride are those of the classifier's pool; its last convolution has the same kernel.
const auxKernel, auxStride = 5, 3

// AuxFits tells whether the map is large enough for the auxiliary classifier: 17 x 17, which photos of 299 pixels give.
func AuxFits(at *gorgonia.Node) bool {
	const least = (auxKernel-1)*auxStride + auxKernel
	return at.Shape()[2] >= least && at.Shape()[3] >= least
}

// AddAux attaches a new auxiliary classifier for so many classes at the node, torchvision's InceptionAux (average pool 5 by 3, 1x1
// convolution to a sixth of the channels, 5x5 to as many as there were, 128 and 768, each with BatchNorm and Relu, global
// pool, linear layer) with its names and initialisation, drawn from seed.
func AddAux(net *engine.Network, at *gorgonia.Node, classes int, seed uint64) (*engine.Network, error) {
	ends := append(slices.Clone(net.Outputs), engine.Output{Name: "aux_logits", Node: at})
	return net.Extend(ends, func(b *engine.Builder, i int, x *gorgonia.Node) (*gorgonia.Node, error) {
		if i < len(net.Outputs) {
			return x, nil
		}
		a := &auxBuilder{Builder: b, seed: seed}
		channels := x.Shape()[1]
		x = a.apply("pool", &op.AveragePool{Kernel: [2]int{auxKernel, auxKernel}, Strides: [2]int{auxStride, auxStride}}, x)
		x = a.conv("conv0", x, max(channels/6, 1), 1, 0.1)
		x = a.conv("conv1", x, channels, auxKernel, 0.01)
		x = a.apply("global pool", &op.GlobalAveragePool{}, x)
		x = a.apply("flatten", &op.Flatten{Axis: 1}, x)
		weight := a.param("fc.weight", tensor.Shape{classes, channels}, a.normal("fc", classes*channels, 0.001))
		bias := a.param("fc.bias", tensor.Shape{classes}, constant(classes, 0))
		return a.apply("fc", &op.Linear{}, x, weight, bias), a.err
	})
}

// auxBuilder adds nodes until the first error, which it keeps.
type auxBuilder struct {
	*engine.Builder
	seed uint64
	err  error
}

func (a *auxBuilder) apply(label string, o op.Op, in ...*gorgonia.Node) *gorgonia.Node {
	if a.err != nil {
		return nil
	}
	var n *gorgonia.Node
	if n, a.err = a.Apply("AuxLogits "+label, o, in...); a.err != nil {
		a.err = fmt.Errorf("auxiliary classifier: %w", a.err)
	}
	return n
}

func (a *auxBuilder) param(name string, shape tensor.Shape, values []float32) *gorgonia.Node {
	return a.add(&engine.Param{Name: "AuxLogits." + name, Shape: shape, Value: values})
}

func (a *auxBuilder) add(p *engine.Param) *gorgonia.Node {
	if a.err != nil {
		return nil
	}
	var n *gorgonia.Node
	n, a.err = a.Param(p)
	return n
}

// conv is a convolution with BatchNorm and Relu.
func (a *auxBuilder) conv(name string, x *gorgonia.Node, out, kernel int, deviation float64) *gorgonia.Node {
	if a.err != nil {
		return nil
	}
	shape := tensor.Shape{out, x.Shape()[1], kernel, kernel}
	weight := a.param(name+".conv.weight", shape, a.normal(name, shape.TotalSize(), deviation))
	x = a.apply(name, &op.Conv{Strides: [2]int{1, 1}, Dilations: [2]int{1, 1}, Group: 1}, x, weight)
	per := tensor.Shape{out}
	gamma := a.param(name+".bn.weight", per, constant(out, 1))
	beta := a.param(name+".bn.bias", per, constant(out, 0))
	mean := a.add(&engine.Param{Name: "AuxLogits." + name + ".bn.running_mean", Shape: per, Value: constant(out, 0), Running: true})
	variance := a.add(&engine.Param{Name: "AuxLogits." + name + ".bn.running_var", Shape: per, Value: constant(out, 1), Running: true})
	x = a.apply(name+" norm", &op.BatchNorm{Epsilon: 1e-3, Momentum: 0.9}, x, gamma, beta, mean, variance)
	return a.apply(name+" relu", &op.Relu{}, x)
}

// normal draws n numbers of the given deviation; torchvision cuts them off at 2, which is twenty deviations and more away.
func (a *auxBuilder) normal(name string, n int, deviation float64) []float32 {
	r := random.At(a.seed, "aux "+name)
	values := make([]float32, n)
	for i := range values {
		values[i] = float32(r.Normal() * deviation)
	}
	return values
}

func constant(n int, v float32) []float32 {
	values := make([]float32, n)
	for i := range values {
		values[i] = v
	}
	return values
}
