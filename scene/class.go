// Package scene renders photo-like pictures: places of nine kinds, and a collection of other
// things. All of it is drawn from a seed, so the same seed gives the same photos, and no two are
// alike: viewpoint, light, colours, furniture, weather, focus and grain vary.
package scene

import (
	"image"

	"regraft/engine/random"
)

// Class is a kind of picture.
type Class struct {
	Name  string
	paint func(*canvas)
}

// Photo renders picture number i of the class, Width by Height pixels.
func (k Class) Photo(seed uint64, i int) image.Image {
	c := newCanvas(random.At(seed, "scene "+k.Name, uint64(i)))
	k.paint(c)
	return c.photograph()
}

// Places are what the demo learns to tell apart, in alphabetical order.
func Places() []Class {
	return []Class{
		{"bedroom", bedroom}, {"coast", coast}, {"forest", forest}, {"highway", highway}, {"kitchen", kitchen},
		{"mountain", mountain}, {"office", office}, {"street", street}, {"tallbuilding", tallbuilding},
	}
}

// Things are what a network can learn to see on before it meets a place: patterns, and single
// objects in front of anything.
func Things() []Class {
	return []Class{
		{"arch", arch}, {"boulders", boulders}, {"bricks", bricks}, {"checks", checks}, {"corridor", corridor},
		{"crates", crates}, {"dots", dots}, {"dunes", dunes}, {"fence", fence}, {"flower", flower}, {"rays", rays},
		{"rings", rings}, {"stairs", stairs}, {"stripes", stripes}, {"table", table}, {"tent", tent},
		{"tree", loneTree}, {"waves", waves},
	}
}
