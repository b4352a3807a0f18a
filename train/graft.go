package train

import (
	"fmt"
	"slices"

	"gorgonia.org/tensor"

	"regraft/engine"
	"regraft/engine/session"
	"regraft/head"
	"regraft/setting"
)

// grafted is a network with heads for the classes of a run.
type grafted struct {
	net   *engine.Network
	heads []head.Head
	kept  bool // the model's own heads
}

// graft gives the network of c heads for the classes and the input size of its preprocessing.
func graft(c *Config, classes []string, warn func(string)) (*grafted, error) {
	net, err := resize(c.Net)
	if err == nil && c.Mode == Full {
		net, err = auxiliary(net, c, len(classes), warn)
	}
	if err != nil {
		return nil, &ModelError{err}
	}
	g := &grafted{}
	if slices.Equal(net.Meta.Labels, classes) {
		if g.net, err = head.Keep(net, len(classes)); err != nil {
			return nil, &ModelError{err}
		}
	}
	if g.kept = g.net != nil; !g.kept {
		if g.net, err = head.Swap(net, classes, c.Seed); err != nil {
			return nil, &ModelError{err}
		}
		if a, err := head.AnswersOf(net); err == nil && a.Check() == nil && !a.Exclusive() {
			warn("the model's old classes did not exclude each other (Sigmoid); of the new ones a photo has exactly one (Softmax)")
		}
	}
	if g.heads, err = head.Find(g.net); err != nil {
		return nil, &ModelError{err}
	}
	frozen := g.heads
	if c.Mode == Full {
		frozen = nil
	}
	head.FreezeTrunk(g.net, frozen)
	return g, nil
}

// auxiliary attaches Inception-v3's auxiliary classifier where the file, exported for inference, has lost it. Its loss
// helps the lower layers to train.
func auxiliary(net *engine.Network, c *Config, classes int, warn func(string)) (*engine.Network, error) {
	at := head.AuxPlace(net)
	switch {
	case at == nil || c.AuxWeight == 0:
		return net, nil
	case !head.AuxFits(at):
		warn(fmt.Sprintf("the file has no auxiliary classifier, and photos of %v pixels are too small for a new one: training does without its loss",
			net.ImageSize()))
		return net, nil
	}
	warn(fmt.Sprintf("the file has no auxiliary classifier: a new one is attached, as Inception-v3 is trained (%v 0 does without)", setting.AuxWeight))
	return head.AddAux(net, at, classes, c.Seed)
}

// resize rebuilds the network for photos of the size that its preprocessing makes.
func resize(net *engine.Network) (*engine.Network, error) {
	shape, p := net.Input.Shape(), net.Meta.Preprocess
	if len(shape) != 4 || shape[1] != p.Depth() {
		return nil, fmt.Errorf("the network's input has the shape %v; its preprocessing gives photos (N, %d, H, W)", shape, p.Depth())
	}
	if net.ImageSize() == p.Size {
		return net, nil
	}
	resized, err := net.Rewrite(tensor.Shape{shape[0], shape[1], p.Size.H, p.Size.W}, nil)
	if err != nil {
		return nil, fmt.Errorf("the network cannot take photos of %v pixels: %w", p.Size, err)
	}
	return resized, nil
}

// Trainable tells whether Fit can train a network with any labels, its heads alone and all of it, by preparing what Fit
// prepares: the errors are those that Fit would end with, or nil.
func Trainable(net *engine.Network) (heads, full error) {
	c := Defaults(Full, "")
	c.Net = net
	g, err := graft(&c, []string{"one", "another"}, func(string) {})
	if err != nil {
		return err, err
	}
	const photos = 2 // the least that BatchNorm has statistics of
	objective, err := engine.NewObjective(g.net, engine.ObjectiveOptions{Batch: photos, AuxWeight: float32(c.AuxWeight)})
	if err != nil {
		return nil, err
	}
	native, err := session.Native(false)
	if err != nil {
		return nil, err
	}
	_, err = session.Trainer(objective, native)
	return nil, err
}
