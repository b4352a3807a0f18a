package engine

import (
	"slices"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"regraft/engine/op"
)

// joinPositionBiases makes one operator of every continuous relative position bias, however it is spelled: Scale sigmoid(w2 relu(w1 x + b1))
// of distances x that do not depend on the image, moved to where queries and keys are as far apart.
func (n *Network) joinPositionBiases() (*Network, error) {
	computed := n.computed()
	found := map[*gorgonia.Node]*positionBias{}
	for _, node := range n.Nodes() {
		if computed[node] || node.Dims() != 4 {
			continue
		}
		if p := n.positionBias(node); p != nil {
			found[node] = p
		}
	}
	if len(found) == 0 {
		return n, nil
	}
	return n.replaced(func(b *Builder, old *gorgonia.Node, _ gorgonia.Nodes, moved map[*gorgonia.Node]*gorgonia.Node) (*gorgonia.Node, error) {
		p := found[old]
		if p == nil {
			return nil, nil
		}
		operands := make(gorgonia.Nodes, len(p.in))
		for k, x := range p.in {
			operands[k] = moved[x]
		}
		return b.Apply(n.Label(old), p.op, operands...)
	})
}

// positionBias is one that was found, with its operands.
type positionBias struct {
	op *op.PositionBias
	in gorgonia.Nodes
}

// positionBias reads a node (1, heads, queries, keys) as such a bias; nil where it is none.
func (n *Network) positionBias(node *gorgonia.Node) *positionBias {
	scale := 1.0
	behind, curve := n.picked(node, &scale)
	if _, ok := curve.Op().(*op.Sigmoid); !ok || node.Shape()[0] != 1 {
		return nil
	}
	one := 1.0
	before, second := n.picked(op.Inputs(curve)[0], &one)
	in := n.twoLayers(second)
	if in == nil || one != 1 {
		return nil
	}
	shape, heads := node.Shape(), in[0].Shape()[0]
	from := make([]float64, second.Shape().TotalSize())
	for k := range from {
		from[k] = float64(k)
	}
	value := gorgonia.Value(tensor.New(tensor.WithShape(second.Shape()...), tensor.WithBacking(from)))
	for _, move := range slices.Concat(before, behind) {
		var err error
		if value, err = op.Compute(move, 1, value); err != nil {
			return nil
		}
	}
	places := value.Data().([]float64)
	each := len(places) / shape[1]
	index := make([]int, each)
	for k, place := range places { // of a distance and a head, the same for all heads
		distance := int(place) / heads
		if k < each {
			index[k] = distance
		}
		if index[k%each] != distance || int(place)%heads != k/each {
			return nil
		}
	}
	bias := &op.PositionBias{Index: index, Queries: shape[2], Scale: float32(scale)}
	shapes := make([]tensor.Shape, len(in))
	for k, x := range in {
		shapes[k] = x.Shape()
	}
	if out, err := op.Infer(bias, shapes...); err != nil || !out.Eq(shape) { // layers that broadcast, or heads that share a bias
		return nil
	}
	return &positionBias{bias, in}
}

// maxMoves bounds the moves between a bias and its layers.
const maxMoves = 64

// picked goes back through what moves elements and multiplications with numbers, and lists the moves, the first one first; from is one of
// these where there are too many.
func (n *Network) picked(node *gorgonia.Node, scale *float64) (moves []op.Op, from *gorgonia.Node) {
	for {
		in := op.Inputs(node)
		if len(moves) > maxMoves {
			return nil, node
		}
		switch o := node.Op().(type) {
		case *op.Identity, *op.Reshape, *op.Flatten, *op.Squeeze, *op.Unsqueeze, *op.Transpose, *op.Slice, *op.Gather:
			moves = append(moves, o.(op.Op))
		default:
			x, factor := (&joiner{net: n}).factor(node)
			if x == nil {
				slices.Reverse(moves)
				return moves, node
			}
			*scale *= factor
			node = x
			continue
		}
		node = in[0]
	}
}

// twoLayers reads values (..., heads) of distances as those of two layers, of which the first has a bias and the second none, and gives the
// operands of op.PositionBias; nil where they are none. All but the distances must be parameters.
func (n *Network) twoLayers(second *gorgonia.Node) gorgonia.Nodes {
	if _, ok := second.Op().(*op.Linear); !ok || len(op.Inputs(second)) != 2 {
		return nil
	}
	relu := op.Inputs(second)[0]
	if _, ok := relu.Op().(*op.Relu); !ok {
		return nil
	}
	first := op.Inputs(relu)[0]
	in := op.Inputs(first)
	operands := gorgonia.Nodes{op.Inputs(second)[1]}
	switch first.Op().(type) {
	case *op.Linear:
		if len(in) != 3 {
			return nil
		}
		operands = append(operands, in[2], in[1], in[0])
		if p := n.ParamOf(in[0]); p == nil || p.Trainable() {
			return nil
		}
	case *op.Add:
		bias := slices.IndexFunc(in, func(x *gorgonia.Node) bool { return x.Dims() == 1 })
		if bias < 0 || !in[1-bias].Shape().Eq(first.Shape()) {
			return nil
		}
		operands = append(operands, in[bias], in[1-bias])
	default:
		return nil
	}
	if slices.ContainsFunc(operands, func(x *gorgonia.Node) bool { return n.ParamOf(x) == nil }) {
		return nil
	}
	return operands
}
