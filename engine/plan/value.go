package plan

import (
	"slices"

	"gorgonia.org/tensor"

	"regraft/engine"
	"regraft/engine/kernel"
)

// form is how a value lies in memory.
type form uint8

const (
	blocked form = iota // (N,C,H,W): blocks of 16 channels
	matrix              // (N,F), and (N,C,1,1): one image of F channels and N pixels
	vector              // (C): padded to a multiple of 16
	plain               // anything else: row-major
)

// value is something that steps read and write.
type value struct {
	label string
	Type
	// shape is that of the type as the kernels see it.
	shape tensor.Shape
	form  form
	param *engine.Param
	// compute gives the values of what is made of parameters alone, which stands for one; nil for others.
	compute func() []float32
	// number is the value of a constant scalar of the graph.
	number *float32

	// A view is channels chan0 and up of root; values that are not views are their own root.
	root  *value
	chan0 int

	// Of roots: layout with the largest halo that any reader needs, and where it lies.
	halo   int
	layout kernel.Layout
	ref    Ref
	length int // elements
	first  int // step that writes it first
	last   int // step that reads it last
	placed bool
}

// base returns the value that holds v's memory and v's first channel in it.
func (v *value) base() (*value, int) {
	chan0 := v.chan0
	for v.root != nil {
		v = v.root
		chan0 += v.chan0
	}
	return v, chan0
}

// need asks for halo pixels.
func (v *value) need(halo int) {
	root, _ := v.base()
	root.halo = max(root.halo, halo)
}

// place returns v's layout, which a view takes from its root.
func (v *value) place() kernel.Layout {
	root, chan0 := v.base()
	if root == v {
		return v.layout
	}
	if v.form == matrix {
		return root.layout.Slice(chan0, channels(v.shape))
	}
	l := root.layout
	if root.form == matrix { // (N,C,1,1) and (N,C) share their memory
		return l.Slice(chan0, channels(v.shape))
	}
	if l.Halo == 0 {
		l = reshaped(l, v.shape[2], v.shape[3])
	}
	return l.Slice(chan0, v.shape[1])
}

// samePixels tells whether images have the same rows of pixels.
func samePixels(a, b *value) bool { return slices.Equal(a.shape[2:], b.shape[2:]) }

// reshaped is a layout of images without a halo with their pixels in other rows.
func reshaped(l kernel.Layout, h, w int) kernel.Layout {
	l.H, l.W, l.Row = h, w, w*l.Pixel
	return l
}

func channels(s tensor.Shape) int { return s[1] }

// formOf tells how values of a type lie in memory.
func formOf(t Type) form {
	s := t.imageShape()
	switch {
	case t.Channel < 0:
		return plain
	case s.Dims() == 1:
		return vector
	case s.Dims() == 4 && s[2]*s[3] > 1:
		return blocked
	}
	return matrix
}

// onImages tells whether v lies in blocks of channels.
func onImages(v *value) bool { return v.param == nil && (v.form == blocked || v.form == matrix) }

func newValue(label string, shape tensor.Shape) *value {
	v := &value{label: label, Type: Type{Shape: shape}, first: -1, last: -1}
	v.retype(typeOf(shape).Channel)
	return v
}

// retype lets v's channels lie along another axis.
func (v *value) retype(channel int) {
	v.Channel = channel
	v.shape, v.form = v.imageShape(), formOf(v.Type)
}

// like is a new value of v's type and form.
func (v *value) like(label string) *value {
	w := newValue(label, v.Shape)
	w.Type, w.shape, w.form = v.Type, v.shape, v.form
	return w
}
