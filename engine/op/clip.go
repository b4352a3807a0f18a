package op

import "gorgonia.org/gorgonia"

// Clip limits x to [Min, Max], element by element (ONNX Clip with constant bounds; ReLU6 is [0, 6]).
type Clip struct {
	unary
	Min, Max float32
}

// Name is Clip.
func (*Clip) Name() string { return "Clip" }

// Do computes min(max(x, Min), Max); NaN stays NaN.
func (o *Clip) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

// SymDiff gives ClipGrad of the operand.
func (o *Clip) SymDiff(in gorgonia.Nodes, _, dy *gorgonia.Node) (gorgonia.Nodes, error) {
	return gradient(&ClipGrad{Min: o.Min, Max: o.Max}, in[0], dy)
}

func (o *Clip) eval(in []array, out array) {
	in[0].mapTo(out, func(x float64) float64 { return min(max(x, float64(o.Min)), float64(o.Max)) })
}

// ClipGrad is the gradient of Clip: x and dy give dy where Min < x < Max, else 0 (PyTorch's ReLU6).
type ClipGrad struct {
	unaryGrad
	Min, Max float32
}

// Name is ClipGrad.
func (*ClipGrad) Name() string { return "ClipGrad" }

// Do computes the gradient.
func (o *ClipGrad) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

func (o *ClipGrad) eval(in []array, out array) {
	zip(in[0], in[1], out, func(x, dy float64) float64 {
		if x > float64(o.Min) && x < float64(o.Max) {
			return dy
		}
		return 0
	})
}
