package op

import (
	"math"

	"gorgonia.org/gorgonia"

	"regraft/engine/kernel"
)

// Neg is -x (ONNX Neg-13).
type Neg struct{ unary }

// Name is Neg.
func (*Neg) Name() string { return "Neg" }

// Do negates.
func (o *Neg) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

// SymDiff gives -dy.
func (*Neg) SymDiff(_ gorgonia.Nodes, _, dy *gorgonia.Node) (gorgonia.Nodes, error) {
	return gradient(&Neg{}, dy)
}

func (*Neg) point() func(x float64) float64 {
	return func(x float64) float64 { return -x }
}

func (o *Neg) eval(in []array, out array) { in[0].mapTo(out, o.point()) }

// Reciprocal is 1/x (ONNX Reciprocal-13).
type Reciprocal struct{ unary }

// Name is Reciprocal.
func (*Reciprocal) Name() string { return "Reciprocal" }

// Do divides.
func (o *Reciprocal) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

// SymDiff gives -dy*y*y.
func (*Reciprocal) SymDiff(_ gorgonia.Nodes, y, dy *gorgonia.Node) (gorgonia.Nodes, error) {
	var c chain
	return gorgonia.Nodes{c.apply(&Neg{}, c.apply(&Mul{}, dy, c.apply(&Mul{}, y, y)))}, c.err
}

func (*Reciprocal) point() func(x float64) float64 {
	return func(x float64) float64 { return 1 / x }
}

func (o *Reciprocal) eval(in []array, out array) { in[0].mapTo(out, o.point()) }

// Sqrt is the square root (ONNX Sqrt-13).
type Sqrt struct{ unary }

// Name is Sqrt.
func (*Sqrt) Name() string { return "Sqrt" }

// Do takes roots.
func (o *Sqrt) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

// SymDiff gives dy/(2y).
func (*Sqrt) SymDiff(_ gorgonia.Nodes, y, dy *gorgonia.Node) (gorgonia.Nodes, error) {
	var c chain
	return gorgonia.Nodes{c.apply(&Scale{Factor: 0.5}, c.apply(&Div{}, dy, y))}, c.err
}

func (*Sqrt) point() func(x float64) float64 { return math.Sqrt }

func (o *Sqrt) eval(in []array, out array) { in[0].mapTo(out, o.point()) }

// Exp is the exponential (ONNX Exp-13).
type Exp struct{ unary }

// Name is Exp.
func (*Exp) Name() string { return "Exp" }

// Do computes exponentials.
func (o *Exp) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

// SymDiff gives dy*y.
func (*Exp) SymDiff(_ gorgonia.Nodes, y, dy *gorgonia.Node) (gorgonia.Nodes, error) {
	return gradient(&Mul{}, dy, y)
}

func (*Exp) point() func(x float64) float64 { return kernel.Exp }

func (o *Exp) eval(in []array, out array) { in[0].mapTo(out, o.point()) }

// Log is the natural logarithm (ONNX Log-13).
type Log struct{ unary }

// Name is Log.
func (*Log) Name() string { return "Log" }

// Do computes logarithms.
func (o *Log) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

// SymDiff gives dy/x.
func (*Log) SymDiff(in gorgonia.Nodes, _, dy *gorgonia.Node) (gorgonia.Nodes, error) {
	return gradient(&Div{}, dy, in[0])
}

func (*Log) point() func(x float64) float64 { return kernel.Log }

func (o *Log) eval(in []array, out array) { in[0].mapTo(out, o.point()) }

// Scale multiplies x by Factor.
type Scale struct {
	unary
	Factor float32
}

// Name is Scale.
func (*Scale) Name() string { return "Scale" }

// Do multiplies.
func (o *Scale) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

// SymDiff gives Factor*dy.
func (o *Scale) SymDiff(_ gorgonia.Nodes, _, dy *gorgonia.Node) (gorgonia.Nodes, error) {
	return gradient(&Scale{Factor: o.Factor}, dy)
}

func (o *Scale) point() func(x float64) float64 {
	return func(x float64) float64 { return x * float64(o.Factor) }
}

func (o *Scale) eval(in []array, out array) { in[0].mapTo(out, o.point()) }
