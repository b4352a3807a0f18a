package engine

import (
	"gorgonia.org/gorgonia"

	"regraft/engine/op"
)

// Gelu is a form of the Gaussian error linear unit (Hendrycks and Gimpel, 2016).
type Gelu int

const (
	// ExactGelu is x * Phi(x), Phi the normal distribution.
	ExactGelu Gelu = iota
	// TanhGelu approximates Phi with tanh.
	TanhGelu
	// QuickGelu is x * Sigmoid(1.702 x), CLIP's.
	QuickGelu
)

// quickGeluScale is the factor in QuickGelu.
const quickGeluScale = 1.702

// WithGelu changes the form of all Gelus.
func (n *Network) WithGelu(form Gelu) (*Network, error) {
	var scale *gorgonia.Node
	return n.Rewrite(nil, func(b *Builder, old *gorgonia.Node, in gorgonia.Nodes) (*gorgonia.Node, error) {
		if _, is := old.Op().(*op.Gelu); !is {
			return nil, nil
		}
		label := n.Label(old)
		if form != QuickGelu {
			return b.Apply(label, &op.Gelu{Tanh: form == TanhGelu}, in...)
		}
		if scale == nil {
			var err error
			if scale, err = b.Param(&Param{Name: "quick_gelu_scale", Value: []float32{quickGeluScale}, Constant: true}); err != nil {
				return nil, err
			}
		}
		scaled, err := b.Apply(label+"/Mul", &op.Mul{}, in[0], scale)
		if err != nil {
			return nil, err
		}
		gate, err := b.Apply(label+"/Sigmoid", &op.Sigmoid{}, scaled)
		if err != nil {
			return nil, err
		}
		return b.Apply(label, &op.Mul{}, in[0], gate)
	})
}
