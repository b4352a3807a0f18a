// Package op holds the operators of a network as Gorgonia operators, one file per family: shape
// inference, a plain reference computation on row-major tensors, and symbolic differentiation with
// the gradient operators beside.
//
// An operator value such as &Conv{...} only describes. Apply turns it into a node; the node's own
// operator is a copy that knows its operands' types.
//
// Every computation gives the same bits on every architecture: exponentials and their kin come from package kernel, not from math.
package op

import (
	"fmt"
	"math"
	"slices"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"
)

// Op is what every operator here implements besides gorgonia.SDOp.
type Op interface {
	gorgonia.SDOp
	// Name is the operator's name, ONNX's where ONNX has the operator.
	Name() string
	// OutShape is the shape of the result for operands of the given shapes, all of them with sizes of
	// at least 1. Infer adds the checks that all operators share.
	OutShape(in ...tensor.Shape) (tensor.Shape, error)

	// eval computes out, which is zeroed and has the shape of OutShape, from operands of checked shapes.
	eval(in []array, out array)
	binding() *base
}

// MaxElements bounds the number of elements of every tensor, so that no file can ask for more than a
// machine could hold and no product of sizes overflows.
const MaxElements = min(1<<33, math.MaxInt/8)

// Infer is o.OutShape with checks of the operands' and the result's sizes.
func Infer(o Op, in ...tensor.Shape) (tensor.Shape, error) {
	for i, s := range in {
		if err := checkSizes(s); err != nil {
			return nil, fmt.Errorf("%s: operand %d: %w", o.Name(), i, err)
		}
	}
	out, err := o.OutShape(in...)
	if err == nil {
		err = checkSizes(out)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.Name(), err)
	}
	return out, nil
}

func checkSizes(s tensor.Shape) error {
	n := 1
	for _, d := range s {
		if d < 1 {
			return fmt.Errorf("shape %v has a size below 1", s)
		}
		if d > MaxElements/n {
			return fmt.Errorf("shape %v has more than %d elements", s, MaxElements)
		}
		n *= d
	}
	return nil
}

// Apply adds the node o(in...) to the operands' graph, or returns the equal node that the graph already has.
//
// Gorgonia keeps one node where hashes of 32 bits are equal, without comparing operands, so two
// different nodes may silently become one. Apply sees that and tries again with another hash.
func Apply(o Op, in ...*gorgonia.Node) (*gorgonia.Node, error) {
	shapes := make([]tensor.Shape, len(in))
	for i, n := range in {
		if n == nil {
			return nil, fmt.Errorf("%s: operand %d is missing", o.Name(), i)
		}
		shapes[i] = n.Shape()
	}
	shape, err := Infer(o, shapes...)
	if err != nil {
		return nil, err
	}
	const attempts = 16
	for salt := range attempts {
		bound := bind(o, in, shape, salt)
		node, err := gorgonia.ApplyOp(bound, slices.Clone(in)...)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", o.Name(), err)
		}
		made, ok := node.Op().(Op)
		if ok && made.String() == bound.String() && slices.Equal(Inputs(node), in) {
			return node, nil
		}
	}
	return nil, fmt.Errorf("%s: gorgonia took it for another node of equal hash %d times", o.Name(), attempts)
}

// Inputs lists the operands of n in order, repeated ones as often as they occur.
func Inputs(n *gorgonia.Node) gorgonia.Nodes {
	if n.Graph() == nil {
		return nil
	}
	from := n.Graph().From(n.ID())
	if from == nil {
		return nil
	}
	in := make(gorgonia.Nodes, 0, from.Len())
	for from.Next() {
		in = append(in, from.Node().(*gorgonia.Node))
	}
	return in
}

// chain applies operators one after the other until one fails.
type chain struct{ err error }

func (c *chain) apply(o Op, in ...*gorgonia.Node) *gorgonia.Node {
	if c.err != nil {
		return nil
	}
	var n *gorgonia.Node
	n, c.err = Apply(o, in...)
	return n
}

// gradient is the result of SymDiff where one operand has a gradient, made by a single operator.
func gradient(o Op, in ...*gorgonia.Node) (gorgonia.Nodes, error) {
	n, err := Apply(o, in...)
	return gorgonia.Nodes{n}, err
}
