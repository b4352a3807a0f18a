package engine

import (
	"slices"

	"gorgonia.org/gorgonia"

	"regraft/engine/op"
)

// Exporters cut the queries, keys and values that one layer makes apart behind a transposition that brings their axis to the front, before
// that of images. Here what belongs to an image stays together: parts are picked before what they are picked of is turned.

// picksBeforeTurns puts slices, the dropping of axes of size 1 and the picking of one index before transpositions that move the first axis.
func (n *Network) picksBeforeTurns() (*Network, error) {
	if !slices.ContainsFunc(n.Nodes(), movesImages) {
		return n, nil
	}
	return n.Rewrite(nil, func(b *Builder, old *gorgonia.Node, in gorgonia.Nodes) (*gorgonia.Node, error) {
		if len(in) != 1 || !movesImages(in[0]) {
			return nil, nil
		}
		perm := in[0].Op().(*op.Transpose).Perm
		picked, left := pickedBefore(old.Op(), perm)
		if picked == nil {
			return nil, nil
		}
		c := chained{b: b}
		x := c.apply(n.Label(old)+" pick", picked, op.Inputs(in[0])[0])
		return c.apply(n.Label(old), &op.Transpose{Perm: left}, x), c.err
	})
}

// movesImages tells whether a node is a transposition that moves the first axis.
func movesImages(node *gorgonia.Node) bool {
	t, ok := node.Op().(*op.Transpose)
	return ok && len(t.Perm) > 0 && t.Perm[0] != 0
}

// pickedBefore is what an operator on values that were transposed does on those before, and the transposition that is left; nil for others.
func pickedBefore(o gorgonia.Op, perm []int) (picked op.Op, left []int) {
	before := func(axis int) int { return perm[wrapped(axis, len(perm))] }
	switch o := o.(type) {
	case *op.Slice:
		if len(o.Axes) != len(o.Starts) {
			return nil, nil
		}
		axes := make([]int, len(o.Axes))
		for k, axis := range o.Axes {
			axes[k] = before(axis)
		}
		return &op.Slice{Starts: o.Starts, Ends: o.Ends, Axes: axes, Steps: o.Steps}, perm
	case *op.Squeeze:
		if len(o.Axes) != 1 {
			return nil, nil
		}
		return &op.Squeeze{Axes: []int{before(o.Axes[0])}}, without(perm, before(o.Axes[0]))
	case *op.Gather:
		if len(o.Indices) != 1 || len(o.IndexShape) > 0 {
			return nil, nil
		}
		return &op.Gather{Axis: before(o.Axis), Indices: o.Indices}, without(perm, before(o.Axis))
	}
	return nil, nil
}

// without is a transposition of what has an axis less.
func without(perm []int, axis int) (left []int) {
	for _, from := range perm {
		switch {
		case from > axis:
			left = append(left, from-1)
		case from < axis:
			left = append(left, from)
		}
	}
	return left
}
