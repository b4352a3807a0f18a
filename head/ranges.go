package head

import (
	"math"

	"gorgonia.org/gorgonia"

	"regraft/engine"
	"regraft/engine/op"
)

// probabilities tells whether the values of node are probabilities by construction: they come from Softmax, Sigmoid or the like
// and cannot leave the range from 0 to 1.
func probabilities(net *engine.Network, node *gorgonia.Node) bool {
	r := ranges{net: net, known: map[*gorgonia.Node]interval{}, scores: map[*gorgonia.Node]bool{}}
	for _, n := range net.Nodes(node) {
		r.known[n] = r.compute(n)
	}
	v := r.of(node)
	const rounding = 1e-6
	return r.scores[node] && v[0] >= -rounding && v[1] <= 1+rounding
}

// interval holds all values that a node can have.
type interval [2]float64

var anything = interval{math.Inf(-1), math.Inf(1)}

// ranges works out the intervals of nodes behind Softmax, Sigmoid and the like, operands before their users.
type ranges struct {
	net    *engine.Network
	known  map[*gorgonia.Node]interval
	scores map[*gorgonia.Node]bool // such an operator takes part
}

func (r *ranges) of(node *gorgonia.Node) interval {
	if p := r.net.ParamOf(node); p != nil {
		return valuesOf(p)
	}
	if v, ok := r.known[node]; ok {
		return v
	}
	return anything
}

// compute is the interval of a node's results, given those of its operands.
func (r *ranges) compute(node *gorgonia.Node) interval {
	v := r.result(node)
	if v == anything {
		return v
	}
	for _, x := range op.Inputs(node) {
		r.scores[node] = r.scores[node] || r.scores[x]
	}
	return v
}

func (r *ranges) result(node *gorgonia.Node) interval {
	in := op.Inputs(node)
	switch o := node.Op().(type) {
	case *op.Softmax, *op.Sigmoid, *op.HardSigmoid:
		r.scores[node] = true
		return interval{0, 1}
	case *op.Exp:
		r.scores[node] = true
		x := r.of(in[0])
		return interval{math.Exp(x[0]), math.Exp(x[1])}
	case *op.Flatten, *op.Reshape, *op.Squeeze, *op.Unsqueeze, *op.Transpose, *op.Identity, *op.Dropout, *op.Slice, *op.Gather,
		*op.ReduceMean, *op.AveragePool, *op.GlobalAveragePool, *op.MaxPool:
		return r.of(in[0])
	case *op.Reduce:
		if o.Kind == op.MaxOf || o.Kind == op.MinOf {
			return r.of(in[0])
		}
	case *op.Softplus:
		return interval{0, math.Inf(1)}
	case *op.LogSoftmax:
		return interval{math.Inf(-1), 0}
	case *op.Relu:
		x := r.of(in[0])
		return interval{max(x[0], 0), max(x[1], 0)}
	case *op.Clip:
		x := r.of(in[0])
		low, high := float64(o.Min), float64(o.Max)
		return interval{min(max(x[0], low), high), min(max(x[1], low), high)}
	case *op.Concat:
		v := r.of(in[0])
		for _, x := range in[1:] {
			w := r.of(x)
			v = interval{min(v[0], w[0]), max(v[1], w[1])}
		}
		return v
	case *op.Neg:
		x := r.of(in[0])
		return interval{-x[1], -x[0]}
	case *op.Add:
		a, b := r.of(in[0]), r.of(in[1])
		return interval{a[0] + b[0], a[1] + b[1]}
	case *op.Sub:
		a, b := r.of(in[0]), r.of(in[1])
		return interval{a[0] - b[1], a[1] - b[0]}
	case *op.Mul:
		return product(r.of(in[0]), r.of(in[1]))
	case *op.Div:
		if isShare(node) && r.of(in[0])[0] >= 0 {
			r.scores[node] = true
			return interval{0, 1}
		}
		return product(r.of(in[0]), inverse(r.of(in[1])))
	case *op.Reciprocal:
		return inverse(r.of(in[0]))
	}
	return anything
}

// isShare tells whether a node is x / sum(x): Softmax where it is spelled out.
func isShare(node *gorgonia.Node) bool {
	if _, div := node.Op().(*op.Div); !div {
		return false
	}
	in := op.Inputs(node)
	by := shaped(in[1])
	sum, ok := by.Op().(*op.Reduce)
	return ok && sum.Kind == op.SumOf && shaped(op.Inputs(by)[0]) == shaped(in[0])
}

// inverse is the interval of 1 / x.
func inverse(x interval) interval {
	if x[0] <= 0 && x[1] >= 0 {
		return anything
	}
	return interval{1 / x[1], 1 / x[0]}
}

func product(a, b interval) interval {
	v := interval{math.Inf(1), math.Inf(-1)}
	for _, x := range a {
		for _, y := range b {
			p := x * y
			if math.IsNaN(p) { // 0 times infinity
				return anything
			}
			v = interval{min(v[0], p), max(v[1], p)}
		}
	}
	return v
}

func valuesOf(p *engine.Param) interval {
	v := interval{math.Inf(1), math.Inf(-1)}
	for _, x := range p.Value {
		v = interval{min(v[0], float64(x)), max(v[1], float64(x))}
	}
	return v
}
