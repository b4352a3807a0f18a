package head

import (
	"gorgonia.org/gorgonia"

	"regraft/engine"
	"regraft/engine/op"
)

// WithLook returns net with one output more, behind the others: how photos look to it, (N, C). It is the means over rows and columns of the map
// behind the first two thirds of the blocks by which net computes features; block names the last of them. There a network knows textures
// and shapes and not yet classes: farther on, where training has gathered what classes differ in, everything else looks like one of them. The
// network is nil where there is no such map, as in transformers, or the features are a map themselves.
func WithLook(net *engine.Network, features *gorgonia.Node) (looking *engine.Network, block string, err error) {
	if !isVector(features) {
		return nil, "", nil
	}
	trunk := *net
	trunk.Outputs = []engine.Output{{Node: features}}
	blocks := Blocks(&trunk)
	if len(blocks) < 2 {
		return nil, "", nil
	}
	at := blocks[len(blocks)*2/3-1]
	if shape := at.end.Shape(); !channelMaps(net.Nodes(at.end))[at.end] || shape[2]*shape[3] == 1 {
		return nil, "", nil
	}
	var look *gorgonia.Node
	looking, err = net.Rewrite(nil, func(b *engine.Builder, old *gorgonia.Node, in gorgonia.Nodes) (*gorgonia.Node, error) {
		if old != at.end {
			return nil, nil
		}
		node, err := b.Apply(net.Label(old), old.Op().(op.Op), in...)
		if err == nil {
			look, err = pooled(b, "look", node) // at once, so that what comes later may overwrite the map
		}
		return node, err
	})
	if err != nil {
		return nil, "", err
	}
	looking.Outputs = append(looking.Outputs, engine.Output{Name: "look", Node: look})
	return looking, at.Name, nil
}

// Look is the network that computes how photos look on the way to the first output of a trunk, and nothing else; nil as of WithLook.
func Look(trunk *engine.Network) (look *engine.Network, block string, err error) {
	look, block, err = WithLook(trunk, trunk.Outputs[0].Node)
	if err != nil || look == nil {
		return nil, "", err
	}
	look, err = look.Subgraph(look.Outputs[len(look.Outputs)-1])
	return look, block, err
}
