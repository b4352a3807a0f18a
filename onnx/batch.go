package onnx

import (
	"fmt"
	"slices"

	"gorgonia.org/tensor"

	"regraft/engine/op"
)

// free opens the batch of a file that was exported for a certain number of images: the input gets N, and every step what it
// needs to work on N images as it did on the file's own. The list names the first step that is bound to the file's number.
func (n *normaliser) free() []Unsupported {
	own := n.input.shape[0]
	if isOpen(own) {
		return nil
	}
	n.input.shape = n.input.shape.Clone()
	n.input.shape[0] = images(1)
	var steps []*step
	tokens := merged{}
	for _, s := range n.steps {
		err := n.freeStep(s, own, tokens)
		if err == nil {
			err = s.infer()
		}
		if err != nil {
			return []Unsupported{{s.op.Name(), s.label, fmt.Sprintf("it is bound to the %d images of a batch that the file was exported with: %v", own, err)}}
		}
		steps = append(append(steps, n.before...), s)
		n.before = nil
	}
	n.steps = steps
	return nil
}

// freeStep rewrites a step whose operands have got an open batch.
func (n *normaliser) freeStep(s *step, own int, tokens merged) error {
	if len(s.in) == 0 {
		return nil
	}
	x, before := s.in[0].resolve(), s.out.shape
	switch o := s.op.(type) {
	case *op.Reshape, *op.Flatten:
		if !tokens.freeReshape(s, before, own) {
			return fmt.Errorf("nothing tells where in shape %s the images are", shapeText(before))
		}
		return nil
	case *op.Expand:
		if axis := openAxis(x.shape); axis >= 0 {
			free := slices.Clone(o.Shape)
			if at := axis + len(free) - len(x.shape); at >= 0 && at < len(free) {
				free[at] = 1
			}
			s.op = &op.Expand{Shape: free}
		}
	case *op.Concat:
		if o.Axis != 0 {
			n.repeatTables(s, own, false)
		}
	default:
		if broadcasts(o) {
			n.repeatTables(s, own, len(before) > 0)
		}
	}
	if !tokens.follow(s) {
		return fmt.Errorf("it works on tokens and images in one axis, in shape %s", shapeText(x.shape))
	}
	return nil
}

// repeatTables makes of known operands that hold the same for each of the file's images what holds for every image, where another operand
// has an open first axis. A single row need not be repeated where it broadcasts.
func (n *normaliser) repeatTables(s *step, own int, broadcast bool) {
	rows, rank := 0, 0
	for _, v := range s.in {
		if shape := v.resolve().shape; openAxis(shape) == 0 {
			rows, rank = -shape[0], len(shape)
		}
	}
	for i, v := range s.in {
		v = v.resolve()
		table := forOneImage(v, own, rows)
		switch {
		case rows == 0 || table == nil || len(v.shape) != rank:
		case broadcast && rows == 1:
			s.in[i] = table
		default:
			s.in[i] = n.tile(fmt.Sprintf("%s/rows%d", s.label, i), table)
		}
	}
}

// freedShape is the shape to which a Reshape of the file's own batch takes any batch: the images lie one behind the other along one
// axis of the operand, and an axis of the result along which they do so is open, the same one where sizes of 1 leave a choice, else the
// first. The last axis, of features, takes no images in. nil where there is none.
func freedShape(x, to tensor.Shape, own int) tensor.Shape {
	axis := openAxis(x)
	if axis < 0 {
		return nil
	}
	each, ok := dimProduct(x[axis:]) // elements of one image, which lie together
	if !ok {
		return nil
	}
	each = -each
	found, inner := -1, 1
	for i := len(to) - 1; i >= 0; i-- {
		outer := inner * to[i]
		features := i > 0 && i == len(to)-1 && axis < len(x)-1
		if outer == each*own && inner > 0 && each%inner == 0 && !features && found != axis {
			found = i
		}
		inner = outer
	}
	if found < 0 {
		return nil
	}
	free := to.Clone()
	free[found] = images(to[found] / own)
	return free
}

// forOneImage is the part of a known table for one image, which has so many rows, where it is the same for each of the file's own; nil
// where it is not.
func forOneImage(v *value, own, rows int) *value {
	k := v.constant
	if k == nil || k.floats == nil || len(v.shape) < 2 || v.shape[0] != own*rows {
		return nil
	}
	each := k.size() / own
	for i, f := range k.floats[each:] {
		if f != k.floats[i] {
			return nil
		}
	}
	if own == 1 {
		return v
	}
	shape := v.shape.Clone()
	shape[0] = rows
	return derived(v, shape, k.floats[:each])
}

// tile repeats what is known for every image, in front of the step at hand.
func (n *normaliser) tile(label string, row *value) *value {
	shape := row.shape.Clone()
	shape[0] *= images(1)
	return n.insert(label, &op.BatchTile{}, shape, row, n.input)
}

// tileByInput makes the network's input, where that has changed, what tells BatchTiles the number of images.
func (n *normaliser) tileByInput() {
	for _, s := range n.steps {
		if _, tile := s.op.(*op.BatchTile); tile {
			s.in[1] = n.input
		}
	}
}

// mixing finds outputs without a row for every image, and the first step that makes one of all images of a batch: an operand's
// shape depends on the batch, the result's does not.
func (n *normaliser) mixing() []Unsupported {
	depends := func(v *value) bool { return v.constant == nil && openAxis(v.shape) >= 0 }
	for _, out := range n.outputs {
		if shape := out.value.shape; depends(out.value) && shape[0] != images(1) {
			return []Unsupported{{"graph output", out.name, fmt.Sprintf("it has shape %s: there must be one row for every image", shapeText(shape))}}
		}
	}
	if s := n.overBatch(); s != nil {
		return []Unsupported{{s.op.Name(), s.label, alongImages(0, s.out.shape).Error()}}
	}
	for _, s := range n.steps {
		if _, tile := s.op.(*op.BatchTile); tile && s.in[0].constant != nil && s.in[0].constant.dtype != typeFloat {
			return []Unsupported{{s.op.Name(), s.label, fmt.Sprintf("it makes %v for every image: only float32 is computed on", s.in[0].constant.dtype)}}
		}
		if depends(s.out) || !slices.ContainsFunc(s.in, depends) {
			continue
		}
		reason := "it makes one result of all images of a batch: the answer for an image would depend on the others"
		if _, mean := s.op.(*op.ReduceMean); mean {
			reason = "it averages over the images of a batch, as BatchNorm does in training when it is spelled out (tf2onnx of a model called " +
				"with training=True): its running statistics are lost; convert the model as it is called with training=False"
		}
		return []Unsupported{{s.op.Name(), s.label, reason}}
	}
	for _, out := range n.outputs {
		if out.value.constant == nil && !depends(out.value) {
			return []Unsupported{{"graph output", out.name, fmt.Sprintf("it has shape %s: there must be one row for every image", shapeText(out.value.shape))}}
		}
	}
	return nil
}
