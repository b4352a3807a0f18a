package regraft

import (
	"fmt"

	"regraft/engine"
	"regraft/head"
	"regraft/train"
)

// distanceOf is what the file of net says about pictures of something else; nil where it says nothing, or for photos of another size, which look
// otherwise.
func distanceOf(net *Network, a *Answers) (*train.Distance, error) {
	d, err := train.DistanceOf(net)
	if err != nil || d == nil {
		return nil, err
	}
	if size := net.ImageSize(); size.H != d.H || size.W != d.W {
		a.Assumed = append(a.Assumed, fmt.Sprintf("how far photos are from the training photos is known for %d x %d pixels, not for %v: none counts as far", d.H, d.W, size))
		return nil, nil
	}
	looking, err := withLook(a)
	if err != nil {
		return nil, err
	}
	if looking == nil || columnsOf(looking) != len(d.Mean) {
		return nil, fmt.Errorf("the distance from the training photos that the file holds, of %d channels, is not one of this network", len(d.Mean))
	}
	return d, nil
}

// withLook is a.Net with how photos look as its last output; nil where there is no such thing.
func withLook(a *Answers) (*engine.Network, error) {
	if !a.Features {
		return nil, nil
	}
	looking, _, err := head.WithLook(a.Net, a.Net.Outputs[len(a.Net.Outputs)-1].Node)
	return looking, err
}

// columnsOf is the length of a row of the last output.
func columnsOf(net *engine.Network) int {
	return net.Outputs[len(net.Outputs)-1].Node.Shape()[1]
}
