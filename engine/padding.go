package engine

import (
	"gorgonia.org/gorgonia"

	"regraft/engine/op"
)

// PadAsTensorFlow gives convolutions with strides the padding SAME of TensorFlow (SAME_UPPER of ONNX) for the sizes that the network is
// built for: as much as ceil(size / stride) results need, and where that is odd, one more below and right. Without strides it is that
// of PyTorch.
func (n *Network) PadAsTensorFlow() (*Network, error) {
	return n.Rewrite(nil, func(b *Builder, old *gorgonia.Node, in gorgonia.Nodes) (*gorgonia.Node, error) {
		conv, ok := old.Op().(*op.Conv)
		if !ok || conv.Strides == [2]int{1, 1} {
			return nil, nil
		}
		padded := *conv
		for axis := range 2 {
			size, kernel := in[0].Shape()[2+axis], in[1].Shape()[2+axis]
			stride := conv.Strides[axis]
			total := max(0, (size-1)/stride*stride+(kernel-1)*conv.Dilations[axis]+1-size)
			padded.Pads[axis], padded.Pads[2+axis] = total/2, total-total/2
		}
		return b.Apply(n.Label(old), &padded, in...)
	})
}
