package head

import (
	"fmt"
	"slices"
	"strings"

	"gorgonia.org/gorgonia"

	"regraft/engine"
	"regraft/engine/op"
)

// Pooling says how the tokens (N, T, C) of a network without a classifier become features of a photo.
type Pooling string

const (
	// PoolAuto takes the network's own pool, else the class token, else the mean; networks that answer for a photo stay as they are.
	PoolAuto Pooling = "auto"
	// PoolClass takes the class token, the first one.
	PoolClass Pooling = "cls"
	// PoolMean takes the mean of the patches, without class and register tokens.
	PoolMean Pooling = "mean"
	// PoolBoth takes the class token and the mean behind it, 2C numbers.
	PoolBoth Pooling = "cls+mean"
)

// Poolings lists all.
var Poolings = []Pooling{PoolAuto, PoolClass, PoolMean, PoolBoth}

// ownPool is what transformers calls the output of a network's own pool.
const ownPool = "pooler_output"

// featureOutputs are outputs that hold features by the name that transformers gives them, even where a linear layer comes last.
var featureOutputs = []string{"last_hidden_state", ownPool, "image_embeds"}

// Pool returns the network that ends in features (N, F) made of its tokens, and says in words what was taken and why. PoolAuto returns a
// network that has no tokens, or a classifier, unchanged and says nothing.
func Pool(net *engine.Network, how Pooling) (pooled *engine.Network, said string, err error) {
	at := slices.IndexFunc(net.Outputs, isTokens)
	if how == PoolAuto && (at < 0 || slices.ContainsFunc(net.Outputs, func(o engine.Output) bool { return classifies(net, o) })) {
		return net, "", nil
	}
	if at < 0 {
		return nil, "", fmt.Errorf("no output holds tokens (N, T, C) to pool: %s", shapes(net))
	}
	p := pool{net: net, tokens: net.Outputs[at]}
	p.count()
	if how == PoolAuto {
		if own := p.own(); own != nil {
			pooled, err = p.ending(own.Node, PoolAuto)
			return pooled, fmt.Sprintf("the network's own pool, output %q", own.Name), err
		}
		how, said = PoolMean, "the mean of the tokens, since the network has no class token"
		if p.special > 0 {
			how, said = PoolClass, "the class token, to which pretraining gives the photo's meaning (cls+mean adds the mean of the patches)"
		}
	}
	if how != PoolMean && p.special <= 0 {
		return nil, "", fmt.Errorf("output %q has %d tokens for %d patches: no class token among them", p.tokens.Name, p.tokens.Node.Shape()[1], p.patches)
	}
	if said == "" {
		said = "as asked for"
	}
	pooled, err = p.ending(p.tokens.Node, how)
	return pooled, fmt.Sprintf("%s of output %q: %s", how, p.tokens.Name, said), err
}

// pool is the end of a network in tokens.
type pool struct {
	net    *engine.Network
	tokens engine.Output
	// patches is the number of places of the last convolution that all tokens come from, special that of tokens in front: the class token
	// and registers. Where the network joins patches on its way there are fewer tokens than patches, and none is special.
	patches, special int
}

func (p *pool) count() {
	nodes := p.net.Nodes(p.tokens.Node)
	for _, at := range slices.Backward(bottlenecks(p.net, nodes, pixels)) {
		if _, is := nodes[at].Op().(*op.Conv); is {
			shape := nodes[at].Shape()
			p.patches = shape[2] * shape[3]
			p.special = p.tokens.Node.Shape()[1] - p.patches
			return
		}
	}
}

// pixels are the operands of which a node computes with more than the number of photos.
func pixels(node *gorgonia.Node) gorgonia.Nodes {
	in := op.Inputs(node)
	if _, is := node.Op().(*op.BatchTile); is {
		return in[:1]
	}
	return in
}

// own is the output in which the network pools its tokens itself: by attention, or by a norm of the class token. A tanh belongs to a
// layer of pretraining that most files of weights do not have, and a projection to the embeddings of texts.
func (p *pool) own() *engine.Output {
	var own *engine.Output
	for i, out := range p.net.Outputs {
		_, tanh := out.Node.Op().(*op.Tanh)
		if out.Node.Dims() != 2 || tanh || layerAt(p.net, out.Node) != nil {
			continue
		}
		if own == nil || out.Name == ownPool {
			own = &p.net.Outputs[i]
		}
	}
	return own
}

// ending is the network whose only output is what how makes of x.
func (p *pool) ending(x *gorgonia.Node, how Pooling) (*engine.Network, error) {
	cut, err := p.net.Extend([]engine.Output{{Name: "features", Node: x}}, func(b *engine.Builder, _ int, x *gorgonia.Node) (*gorgonia.Node, error) {
		switch how {
		case PoolClass:
			return first(b, x)
		case PoolMean:
			return p.mean(b, x)
		case PoolBoth:
			class, err := first(b, x)
			if err != nil {
				return nil, err
			}
			mean, err := p.mean(b, x)
			if err != nil {
				return nil, err
			}
			return b.Apply("pool cls+mean", &op.Concat{Axis: 1}, class, mean)
		}
		return b.Apply("pool", &op.Identity{}, x)
	})
	if err == nil {
		cut.Outputs[0].Chosen = true
	}
	return cut, err
}

// first is the first token, (N, C).
func first(b *engine.Builder, x *gorgonia.Node) (*gorgonia.Node, error) {
	return b.Apply("pool cls", &op.Gather{Axis: 1, Indices: []int{0}}, x)
}

// mean is that of the tokens behind the special ones, (N, C).
func (p *pool) mean(b *engine.Builder, x *gorgonia.Node) (*gorgonia.Node, error) {
	if p.special > 0 {
		var err error
		patches := &op.Slice{Starts: []int{p.special}, Ends: []int{x.Shape()[1]}, Axes: []int{1}, Steps: []int{1}}
		if x, err = b.Apply("pool patches", patches, x); err != nil {
			return nil, err
		}
	}
	return b.Apply("pool mean", &op.ReduceMean{Axes: []int{1}}, x)
}

// isTokens tells whether an output has several rows of numbers for every photo.
func isTokens(out engine.Output) bool {
	shape := out.Node.Shape()
	return len(shape) == 3 && shape[1] > 1 && shape[2] > 1
}

// classifies tells whether an output beside tokens holds the scores of a classifier: a linear layer with a bias. One without is a
// projection to embeddings.
func classifies(net *engine.Network, out engine.Output) bool {
	if isTokens(out) || slices.Contains(featureOutputs, out.Name) {
		return false
	}
	h, err := find(net, slices.Index(net.Outputs, out))
	return err == nil && h.Weight != nil && (h.Bias != nil || len(net.Meta.Labels) > 0)
}

// shapes lists the outputs with their shapes.
func shapes(net *engine.Network) string {
	var list []string
	for _, out := range net.Outputs {
		list = append(list, fmt.Sprintf("%s %v", out.Name, out.Node.Shape()))
	}
	return strings.Join(list, ", ")
}
