package head

import (
	"fmt"
	"strings"

	"gorgonia.org/gorgonia"

	"regraft/engine"
	"regraft/engine/op"
)

// Choose returns a network that has only the named head: an output, a classifier that Find knows, or any node, at which the network
// then ends. A node that computes a map (N, C, H, W) is followed by a global pool.
func Choose(net *engine.Network, name string) (*engine.Network, error) {
	for _, out := range net.Outputs {
		if out.Name == name {
			return endingAt(net, name, out.Node)
		}
	}
	heads, _ := Find(net)
	var names []string
	for _, h := range heads {
		out := net.Outputs[h.Output]
		if h.Weight != nil && (name == h.Name() || isCalled(net, h.Node, name)) {
			return net.Subgraph(out)
		}
		names = append(names, fmt.Sprintf("%s (output %s)", h.Name(), out.Name))
	}
	if node := nodeCalled(net, name); node != nil {
		return endingAt(net, name, node)
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("no node is called %q", name)
	}
	return nil, fmt.Errorf("no head and no node is called %q; the heads are: %s", name, strings.Join(names, ", "))
}

// nodeCalled is the last node of that name, or the layer whose weight has it; nil when there is none.
func nodeCalled(net *engine.Network, name string) (found *gorgonia.Node) {
	for _, node := range net.Nodes() {
		if isCalled(net, node, name) {
			found = node
			continue
		}
		for _, in := range op.Inputs(node) {
			if p := net.ParamOf(in); p != nil && p.Name == name+".weight" {
				found = node
			}
		}
	}
	return found
}

// isCalled tells whether the file gives the node, or where that has no name its result, the name.
func isCalled(net *engine.Network, node *gorgonia.Node, name string) bool {
	label := net.Label(node)
	return label == name || strings.HasSuffix(label, " writing "+name)
}

// endingAt is the network up to a node, with a global pool behind a map (N, C, H, W).
func endingAt(net *engine.Network, name string, node *gorgonia.Node) (*engine.Network, error) {
	cut, err := net.Extend([]engine.Output{{Name: name, Node: node}}, func(b *engine.Builder, _ int, x *gorgonia.Node) (*gorgonia.Node, error) {
		if isVector(x) {
			return x, nil
		}
		return vector(b, name, x)
	})
	if err == nil {
		cut.Outputs[0].Chosen = true
	}
	return cut, err
}
