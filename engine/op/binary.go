package op

import (
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Add is a + b with NumPy's broadcasting (ONNX Add-14).
type Add struct{ binary }

// Name is Add.
func (*Add) Name() string { return "Add" }

// Do adds.
func (o *Add) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

// SymDiff gives dy for both operands, summed over what was broadcast.
func (*Add) SymDiff(in gorgonia.Nodes, _, dy *gorgonia.Node) (gorgonia.Nodes, error) {
	var c chain
	return gorgonia.Nodes{c.sumTo(dy, in[0]), c.sumTo(dy, in[1])}, c.err
}

func (*Add) point() func(a, b float64) float64 {
	return func(a, b float64) float64 { return a + b }
}

func (o *Add) eval(in []array, out array) { broadcast(in[0], in[1], out, o.point()) }

// Sub is a - b with NumPy's broadcasting (ONNX Sub-14).
type Sub struct{ binary }

// Name is Sub.
func (*Sub) Name() string { return "Sub" }

// Do subtracts.
func (o *Sub) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

// SymDiff gives dy and -dy, summed over what was broadcast.
func (*Sub) SymDiff(in gorgonia.Nodes, _, dy *gorgonia.Node) (gorgonia.Nodes, error) {
	var c chain
	return gorgonia.Nodes{c.sumTo(dy, in[0]), c.sumTo(c.apply(&Neg{}, dy), in[1])}, c.err
}

func (*Sub) point() func(a, b float64) float64 {
	return func(a, b float64) float64 { return a - b }
}

func (o *Sub) eval(in []array, out array) { broadcast(in[0], in[1], out, o.point()) }

// Mul is a * b with NumPy's broadcasting (ONNX Mul-14).
type Mul struct{ binary }

// Name is Mul.
func (*Mul) Name() string { return "Mul" }

// Do multiplies.
func (o *Mul) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

// SymDiff gives dy*b and dy*a, summed over what was broadcast.
func (*Mul) SymDiff(in gorgonia.Nodes, _, dy *gorgonia.Node) (gorgonia.Nodes, error) {
	var c chain
	return gorgonia.Nodes{
		c.sumTo(c.apply(&Mul{}, dy, in[1]), in[0]),
		c.sumTo(c.apply(&Mul{}, dy, in[0]), in[1]),
	}, c.err
}

func (*Mul) point() func(a, b float64) float64 {
	return func(a, b float64) float64 { return a * b }
}

func (o *Mul) eval(in []array, out array) { broadcast(in[0], in[1], out, o.point()) }

// Div is a / b with NumPy's broadcasting (ONNX Div-14).
type Div struct{ binary }

// Name is Div.
func (*Div) Name() string { return "Div" }

// Do divides.
func (o *Div) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

// SymDiff gives dy/b and -dy*y/b, summed over what was broadcast.
func (*Div) SymDiff(in gorgonia.Nodes, y, dy *gorgonia.Node) (gorgonia.Nodes, error) {
	var c chain
	da := c.apply(&Div{}, dy, in[1])
	return gorgonia.Nodes{
		c.sumTo(da, in[0]),
		c.sumTo(c.apply(&Neg{}, c.apply(&Mul{}, da, y)), in[1]),
	}, c.err
}

func (*Div) point() func(a, b float64) float64 {
	return func(a, b float64) float64 { return a / b }
}

func (o *Div) eval(in []array, out array) { broadcast(in[0], in[1], out, o.point()) }

// binary is the base of operators that compute every element from one element of each of two operands.
type binary struct{ base }

// OutShape is the shape that both operands are broadcast to.
func (*binary) OutShape(in ...tensor.Shape) (tensor.Shape, error) {
	if err := wantRanks(in, -1, -1); err != nil {
		return nil, err
	}
	return BroadcastShape(in[0], in[1])
}

// DiffWRT is true for both operands.
func (*binary) DiffWRT(inputs int) []bool { return wrt(2, inputs) }
