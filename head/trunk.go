package head

import (
	"slices"

	"gorgonia.org/gorgonia"

	"regraft/engine"
	"regraft/engine/op"
)

// Trunk returns the network whose outputs are the features that the heads read, the main one's first: (N, F), or maps (N, F, H, W)
// for rectified heads.
func Trunk(net *engine.Network) (*engine.Network, error) {
	heads, err := Find(net)
	if err != nil {
		return nil, err
	}
	return trunkOf(net, heads)
}

func trunkOf(net *engine.Network, heads []Head) (*engine.Network, error) {
	ends := make([]engine.Output, len(heads))
	for i, h := range heads {
		ends[i] = engine.Output{Name: string(h.Kind) + " features of " + net.Outputs[h.Output].Name, Node: h.Input}
	}
	return net.Extend(ends, func(b *engine.Builder, i int, x *gorgonia.Node) (*gorgonia.Node, error) {
		return features(b, &heads[i], x)
	})
}

// features makes of a head's input what a linear classifier reads: maps in front of a pool are averaged, which gives the same for a
// linear map as averaging its results, and other shapes flattened. Rectified heads read the map itself.
func features(b *engine.Builder, h *Head, x *gorgonia.Node) (*gorgonia.Node, error) {
	switch {
	case h.Rectified:
		return x, nil
	case h.Weight == nil:
		return vector(b, "head", x)
	case h.Convolution():
		return pooled(b, h.Name(), x)
	}
	return flat(b, h.Name(), x)
}

// vector makes x one row (N, F) for every photo: maps are averaged over rows and columns, other shapes flattened.
func vector(b *engine.Builder, label string, x *gorgonia.Node) (*gorgonia.Node, error) {
	if x.Dims() == 4 && !isVector(x) {
		return pooled(b, label, x)
	}
	return flat(b, label, x)
}

// pooled is the mean over the rows and columns of a map, (N, C).
func pooled(b *engine.Builder, label string, x *gorgonia.Node) (*gorgonia.Node, error) {
	x, err := b.Apply(label+" pool", &op.GlobalAveragePool{}, x)
	if err != nil {
		return nil, err
	}
	return flat(b, label, x)
}

// flat makes x (N, F).
func flat(b *engine.Builder, label string, x *gorgonia.Node) (*gorgonia.Node, error) {
	if x.Dims() == 2 {
		return x, nil
	}
	return b.Apply(label+" flatten", &op.Flatten{Axis: 1}, x)
}

// FreezeTrunk makes the heads the only parameters that training changes; an empty list of heads
// freezes nothing and lets everything train.
func FreezeTrunk(net *engine.Network, heads []Head) {
	for _, p := range net.Params {
		p.Frozen = false
	}
	if len(heads) == 0 {
		return
	}
	for _, p := range trunkParams(net, heads) {
		p.Frozen = true
	}
}

func trunkParams(net *engine.Network, heads []Head) []*engine.Param {
	var params []*engine.Param
	for _, p := range net.Params {
		if !slices.ContainsFunc(heads, func(h Head) bool { return p == h.Weight || p == h.Bias }) {
			params = append(params, p)
		}
	}
	return params
}
