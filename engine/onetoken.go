package engine

import (
	"slices"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"regraft/engine/op"
)

// everyToken is the place of the token that is wanted of a value where all are.
const everyToken = -1

// OneToken computes nothing of tokens (N, T, C) that nobody reads: where all that reads them goes on with one and the same token, as classifiers
// that look at the class token do, the layers before that treat every token by itself work on (N, 1, C). In a vision transformer these are
// those behind the attention of the last block. Every token that is computed has the bits that it had.
func (n *Network) OneToken() (*Network, error) {
	wanted := n.wantedTokens()
	if !slices.ContainsFunc(n.Nodes(), func(node *gorgonia.Node) bool { return wanted[node] != everyToken && byTokens(n, node) }) {
		return n, nil
	}
	cuts, narrow := map[*gorgonia.Node]*gorgonia.Node{}, map[*gorgonia.Node]bool{}
	return n.Rewrite(nil, func(b *Builder, old *gorgonia.Node, in gorgonia.Nodes) (*gorgonia.Node, error) {
		if _, picks := pickedToken(old); picks && narrow[in[0]] {
			if old.Dims() == 3 {
				return in[0], nil
			}
			return b.Apply(n.Label(old), &op.Squeeze{Axes: []int{1}}, in[0])
		}
		token := wanted[old]
		if token == everyToken || !byTokens(n, old) {
			return nil, nil
		}
		for k, x := range op.Inputs(old) {
			if !tokensOf(x, old) || narrow[in[k]] {
				continue
			}
			if cuts[in[k]] == nil {
				var err error
				one := &op.Slice{Starts: []int{token}, Ends: []int{token + 1}, Axes: []int{1}}
				if cuts[in[k]], err = b.Apply(n.Label(x)+" of one token", one, in[k]); err != nil {
					return nil, err
				}
			}
			in[k] = cuts[in[k]]
		}
		node, err := b.Apply(n.Label(old), old.Op().(op.Op), in...)
		narrow[node] = true
		return node, err
	})
}

// wantedTokens is which token is wanted of what is computed.
func (n *Network) wantedTokens() map[*gorgonia.Node]int {
	wanted := map[*gorgonia.Node]int{}
	want := func(node *gorgonia.Node, token int) {
		if other, known := wanted[node]; known && other != token {
			token = everyToken
		}
		wanted[node] = token
	}
	for _, o := range n.Outputs {
		want(o.Node, everyToken)
	}
	for _, node := range slices.Backward(n.Nodes()) {
		token, picks := pickedToken(node)
		if !picks {
			if token = everyToken; byTokens(n, node) {
				token = wanted[node]
			}
		}
		for _, x := range op.Inputs(node) {
			want(x, token)
		}
	}
	return wanted
}

// pickedToken is the one that node takes of tokens, if it does that.
func pickedToken(node *gorgonia.Node) (token int, ok bool) {
	in := op.Inputs(node)
	if len(in) != 1 || in[0].Dims() != 3 {
		return 0, false
	}
	count := in[0].Shape()[1]
	switch o := node.Op().(type) {
	case *op.Gather:
		if (o.Axis != 1 && o.Axis != -2) || len(o.Indices) != 1 || len(o.IndexShape) > 1 {
			return 0, false
		}
		token = o.Indices[0]
	case *op.Slice:
		if len(o.Axes) != 1 || (o.Axes[0] != 1 && o.Axes[0] != -2) || node.Shape()[1] != 1 {
			return 0, false
		}
		if token = max(o.Starts[0], -count); token >= count { // a step backwards from beyond the end
			token = count - 1
		}
	default:
		return 0, false
	}
	if token < 0 {
		token += count
	}
	return token, true
}

// byTokens tells whether node computes every token of several (N, T, C) from the same one of its operands.
func byTokens(n *Network, node *gorgonia.Node) bool {
	if node.Dims() != 3 || node.Shape()[1] < 2 {
		return false
	}
	in, o := op.Inputs(node), node.Op().(op.Op)
	switch o := o.(type) {
	case *op.LayerNorm:
		return o.Axis == 2 || o.Axis == -1
	case *op.Linear:
		return true
	}
	return op.Elementwise(o) && !slices.ContainsFunc(in, func(x *gorgonia.Node) bool {
		if tokensOf(x, node) {
			return n.ParamOf(x) != nil
		}
		return !alikeForTokens(x.Shape())
	})
}

// tokensOf tells whether x has as many tokens as node, for as many images.
func tokensOf(x, node *gorgonia.Node) bool {
	return x.Dims() == 3 && slices.Equal(x.Shape()[:2], node.Shape()[:2])
}

// alikeForTokens tells whether a value of that shape is the same for all tokens (N, T, C) that it is broadcast to.
func alikeForTokens(s tensor.Shape) bool { return s.Dims() < 2 || s[s.Dims()-2] == 1 }
