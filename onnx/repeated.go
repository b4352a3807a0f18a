package onnx

import (
	"fmt"
	"slices"

	"gorgonia.org/tensor"

	"regraft/engine/op"
)

// What is known and the same for every image, such as a class token: it stays one row for as long as operators broadcast it, and
// becomes a row for every image (BatchTile) where only that fits, which is in front of a Concat.

// forEachImage repeats the rows of x for every image as the node's result.
func (c *call) forEachImage(x *value) error {
	if c.image == nil {
		return errOpen
	}
	return c.emit(&op.BatchTile{}, x, c.image)
}

// repeatedFrom is what v repeats for every image, nil where it is something else.
func repeatedFrom(v *value) *value {
	if s := v.resolve().step; s != nil {
		if _, ok := s.op.(*op.BatchTile); ok {
			return s.in[0].resolve()
		}
	}
	return nil
}

// repeats rewrites a step on what is the same for every image: it takes one row where that broadcasts to the other operand, and
// where nothing else is computed from the image it is done for one image at import. done tells that there is no step left.
func (c *call) repeats(s *step) (done bool, err error) {
	once, known := slices.Clone(s.in), true
	for i, v := range s.in {
		if source := repeatedFrom(v); source != nil {
			once[i] = source
		}
		known = known && once[i].resolve().constant != nil
	}
	if slices.Equal(once, s.in) {
		return false, nil
	}
	single := &step{s.label, s.op, once, &value{name: s.out.name + "/once"}}
	if single.infer() != nil {
		return false, nil
	}
	switch {
	case known && slices.Equal(single.out.shape, forImages(s.out.shape, 1)) && openAxis(s.out.shape) == 0:
		if err := c.compute(single); err != nil {
			return true, err
		}
		return true, c.add(s.label+"/rows", &op.BatchTile{}, []*value{single.out, c.image}, s.out)
	case slices.Equal(single.out.shape, s.out.shape) && broadcasts(s.op):
		s.in = once
	}
	return false, nil
}

// broadcasts tells whether the operands of an operator are broadcast to each other.
func broadcasts(o op.Op) bool {
	_, product := o.(*op.MatMul)
	return product || op.Elementwise(o)
}

// acrossImages is an error where an operator computes along the axis of the batch, though its result has a row for every image. A
// Softmax of scores (N, classes) over the batch may end a network (mixing): package head says what they mean.
func acrossImages(o op.Op, shapes []tensor.Shape) error {
	if len(shapes) == 0 || openAxis(shapes[0]) < 0 {
		return nil
	}
	axis, rank := openAxis(shapes[0]), len(shapes[0])
	along := false
	switch o := o.(type) {
	case *op.Softmax, *op.LogSoftmax:
		along = softmaxAxis(o, rank) == axis && (axis > 0 || rank != 2)
	case *op.LayerNorm:
		along = (o.Axis+rank)%rank <= axis
	case *op.Conv, *op.MaxPool, *op.AveragePool, *op.GlobalAveragePool, *op.BatchNorm, *op.GroupNorm, *op.LRN, *op.Resize:
		along = axis > 0
	}
	if along {
		return alongImages(axis, shapes[0])
	}
	return nil
}

func alongImages(axis int, shape tensor.Shape) error {
	return fmt.Errorf("it works along axis %d of shape %s: the answer for an image would depend on the others", axis, shapeText(shape))
}

// softmaxAxis is the axis of a Softmax or LogSoftmax of so many axes, -1 for other operators.
func softmaxAxis(o op.Op, rank int) int {
	switch o := o.(type) {
	case *op.Softmax:
		return (o.Axis + rank) % rank
	case *op.LogSoftmax:
		return (o.Axis + rank) % rank
	}
	return -1
}

// overBatch finds a Softmax over the images of a batch that another step reads.
func (n *normaliser) overBatch() *step {
	for _, s := range n.steps {
		for _, v := range s.in {
			if from := v.resolve().step; from != nil && openAxis(from.out.shape) == 0 && softmaxAxis(from.op, len(from.out.shape)) == 0 {
				return from
			}
		}
	}
	return nil
}

// writeBatchTile writes a Tile whose first repeat is the number of images.
func writeBatchTile(e *exporter, _ *op.BatchTile, in []string) {
	images := e.inner("Slice", []string{e.inner("Shape", in[1:]), e.ints("start", 0), e.ints("end", 1)})
	if rank := e.current.Shape().Dims(); rank > 1 {
		ones := slices.Repeat([]int{1}, rank-1)
		images = e.inner("Concat", []string{images, e.ints("ones", ones...)}, intAttribute("axis", 0))
	}
	e.node("Tile", []string{in[0], images})
}
