package engine

import (
	"slices"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"regraft/engine/op"
)

// added is what is added to the scores of attention, (N, heads, queries, keys): a bias of theirs, which is a parameter, and masks of one
// image after the other, where the images are the windows of photos (Swin).
type added struct {
	to, bias, masks *gorgonia.Node
	windows         int // of a photo, each with a mask
}

// added reads scores as sums with known values; false where these are none of attention's.
func (j *joiner) added(scores *gorgonia.Node) (a added, ok bool) {
	a.to = scores
	for {
		node := a.to
		if inner, ok := regrouped(node); ok {
			a.to = inner
			continue
		}
		if _, sum := node.Op().(*op.Add); !sum {
			return a, true
		}
		known := slices.IndexFunc(op.Inputs(node), func(in *gorgonia.Node) bool { return j.table(in) != nil })
		if known < 0 {
			return a, true
		}
		table := j.table(op.Inputs(node)[known])
		shape := node.Shape()
		if table != op.Inputs(node)[known] { // it is tiled: the windows of one photo after those of the other
			shape = append(tensor.Shape{shape[0] / table.Shape()[0], table.Shape()[0]}, shape[1:]...)
		}
		isMasks := j.isMasks(table, shape)
		switch {
		case isMasks && a.masks == nil:
			a.masks, a.windows = table, shape[1]
		case !isMasks && a.bias == nil && len(shape) < 5:
			a.bias = table
		default:
			return a, false
		}
		a.to = op.Inputs(node)[1-known]
	}
}

// regrouped reads a node as scores whose windows have an axis of their own, (N, windows, heads, queries, keys), or no longer have one, and
// gives these scores as they were before.
func regrouped(node *gorgonia.Node) (*gorgonia.Node, bool) {
	if _, ok := node.Op().(*op.Reshape); !ok {
		return nil, false
	}
	x := op.Inputs(node)[0]
	long, short := x.Shape(), node.Shape()
	if len(long) < len(short) {
		long, short = short, long
	}
	return x, len(long) == 5 && len(short) == 4 && slices.Equal(long[2:], short[1:]) && long[0]*long[1] == short[0]
}

// table is a parameter or what is computed of such alone, or the one of which a node has a copy for every photo; nil for what is neither.
func (j *joiner) table(node *gorgonia.Node) *gorgonia.Node {
	if _, ok := node.Op().(*op.BatchTile); ok && node.Dims() == 4 {
		node = op.Inputs(node)[0]
	}
	if j.computed[node] || node == j.net.Input {
		return nil
	}
	return node
}

// isMasks tells whether a constant is masks (windows, 1 or heads, queries, keys) that are the same for all photos, where it is added to
// scores of such a shape.
func (j *joiner) isMasks(table *gorgonia.Node, scores tensor.Shape) bool {
	p := j.net.ParamOf(table)
	if p == nil || p.Trainable() || len(scores) != 5 || len(p.Shape) < 4 {
		return false
	}
	s := p.Shape[len(p.Shape)-4:]
	return (len(p.Shape) == 4 || p.Shape[0] == 1) && s[0] == scores[1] && (s[1] == 1 || s[1] == scores[2]) && s[2] == scores[3] && s[3] == scores[4]
}
