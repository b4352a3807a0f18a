package onnx

import (
	"fmt"
	"slices"

	"gorgonia.org/tensor"

	"regraft/engine/op"
)

// batchBound finds steps that only work for the batch that the file was exported with, or that mix its images, by
// working out all shapes for two other batches.
func batchBound(n *normaliser) []Unsupported {
	own := n.input.shape[0]
	larger := map[*value]tensor.Shape{}
	for _, batch := range []int{own + 1, 1} {
		n.input.shape = n.input.shape.Clone()
		n.input.shape[0] = batch
		for _, s := range n.steps {
			if err := s.infer(); err != nil {
				return []Unsupported{{s.op.Name(), s.label, fmt.Sprintf("it is bound to the %d images of a batch that the file was exported with: %v", own, err)}}
			}
		}
		for _, out := range n.outputs {
			if shape := out.value.shape; len(shape) == 0 || shape[0] != batch {
				return []Unsupported{{"graph output", out.name, fmt.Sprintf("for %d images it has shape %v: there must be one row for every image", batch, shape)}}
			}
		}
		if batch > 1 {
			larger[n.input] = n.input.shape
			for _, s := range n.steps {
				larger[s.out] = s.out.shape
			}
		}
	}
	return mixing(n, larger)
}

// mixing finds the first step that makes one of all images of a batch: its operand's shape depends on the batch, its
// result's does not. The shapes are those for one image and, in larger, for more.
func mixing(n *normaliser, larger map[*value]tensor.Shape) []Unsupported {
	depends := func(v *value) bool { return larger[v] != nil && !slices.Equal(larger[v], v.shape) }
	for _, s := range n.steps {
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
	return nil
}
