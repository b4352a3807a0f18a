package head

import (
	"gorgonia.org/gorgonia"

	"regraft/engine"
)

// WithLook returns net with one output more, behind the others: how photos look to it, (N, C). It is the means over rows and columns of the map
// that the middle one of the blocks makes by which net computes features, and block names it. Farther on a network that was trained on
// photos tells classes apart and what is on a picture that is no photo looks like one of them; there everything is edges and colours. The
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
	middle := blocks[(len(blocks)-1)/2]
	if shape := middle.end.Shape(); !channelMaps(net.Nodes(middle.end))[middle.end] || shape[2]*shape[3] == 1 {
		return nil, "", nil
	}
	ends := append(append([]engine.Output{}, net.Outputs...), engine.Output{Name: "look", Node: middle.end})
	looking, err = net.Extend(ends, func(b *engine.Builder, i int, x *gorgonia.Node) (*gorgonia.Node, error) {
		if i < len(net.Outputs) {
			return x, nil
		}
		return pooled(b, "look", x)
	})
	return looking, middle.Name, err
}
