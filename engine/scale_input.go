package engine

import (
	"gorgonia.org/gorgonia"

	"regraft/engine/op"
)

// ScaleInput puts y = x*scale[c] + shift[c] in front of the network, for every channel c of its input.
func (n *Network) ScaleInput(scale, shift []float32) (*Network, error) {
	return n.Rewrite(nil, func(b *Builder, old *gorgonia.Node, in gorgonia.Nodes) (*gorgonia.Node, error) {
		for i, x := range op.Inputs(old) {
			if x != n.Input {
				continue
			}
			var err error
			if in[i], err = b.Apply("transform_input", &op.Affine{Scale: scale, Shift: shift}, in[i]); err != nil {
				return nil, err
			}
		}
		return nil, nil
	})
}
