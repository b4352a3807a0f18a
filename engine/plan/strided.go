package plan

import (
	"slices"

	"gorgonia.org/tensor"

	"regraft/engine/kernel"
	"regraft/engine/op"
)

// Operators of elements, of reductions and of lines along an axis, in shapes for which no step of vectors exists: their steps read and write
// values where they lie, one element after the other.

// strided emits such a step; done is false where the operator is none of these.
func (e *emitter) strided(i *instr, o op.Op) (done bool, err error) {
	if len(i.in) >= maxOperands {
		return false, nil
	}
	shapes := make([]tensor.Shape, len(i.in))
	for k, v := range i.in {
		shapes[k] = v.Shape
	}
	if p, ok := op.PointOf(o, shapes...); ok {
		return e.overLines(i, p.Shapes, i.out.Shape, func(images int, in []kernel.Strided, out kernel.Target) (kernel.Primitive, error) {
			return kernel.NewPoints(p.Of, images, in, out)
		})
	}
	if len(shapes) == 0 {
		return false, nil
	}
	if r, ok := op.ReductionOf(o, shapes[0]); ok {
		return e.overLines(i, shapes, r.Kept, func(images int, in []kernel.Strided, out kernel.Target) (kernel.Primitive, error) {
			return kernel.NewReduction(r.Start, r.Add, r.End, images, in[0], out)
		})
	}
	if l, ok := op.LineOf(o, shapes[0]); ok {
		return e.overLines(i, shapes, i.out.Shape, func(images int, in []kernel.Strided, out kernel.Target) (kernel.Primitive, error) {
			return kernel.NewLines(l.Of, l.Axis, images, in, out)
		})
	}
	return false, nil
}

// overLines emits a step over lines; its operands and its result have these shapes, their own or with axes of size 1 more.
func (e *emitter) overLines(i *instr, shapes []tensor.Shape, result tensor.Shape, prim func(images int, in []kernel.Strided, out kernel.Target) (kernel.Primitive, error)) (done bool, err error) {
	axes := max(1, len(result))
	for _, s := range shapes {
		axes = max(axes, len(s))
	}
	in, operands := make([]kernel.Strided, len(i.in)), make([]any, len(i.in))
	for k, v := range i.in {
		p := placeOf(v)
		var ok bool
		if in[k], _, ok = p.strides(shapes[k], axes); !ok || sameMemory(v, i.out) && !sameElements(v, i.out) {
			return false, nil
		}
		switch {
		case v.number != nil:
			operands[k] = e.constant(i.node+" number", 1, func(dst []float32) error {
				dst[0] = *v.number
				return nil
			})
		case v.param != nil:
			operands[k] = e.vector(v)
		default:
			operands[k] = v
		}
	}
	p := placeOf(i.out)
	to, channels, ok := p.strides(result, axes)
	if !ok {
		return false, nil
	}
	images, rows := e.rowsOf(i)
	made, err := prim(images, in, p.target(to, channels))
	return true, e.primitive(i, made, err, rows, append(operands, i.out)...)
}

// rowsOf is the images that the first axis of i's result is, and what its step is told of them; 0 and 1 where that is no images, or others
// than those of i.
func (e *emitter) rowsOf(i *instr) (images, rows int) {
	if i.out.Shape.Dims() == 0 {
		return 0, 1
	}
	switch first, of := i.out.Shape[0], i.rows(); {
	case of == 0 && first%e.p.Batch == 0:
		return e.p.Batch, 0
	case of > 0 && first == of:
		return of, 0
	}
	return 0, 1
}

// sameElements tells whether values of one memory lie in it alike.
func sameElements(a, b *value) bool {
	return a.form == b.form && a.Channel == b.Channel && a.Shape.Eq(b.Shape)
}

// sameMemory tells whether values share their memory.
func sameMemory(a, b *value) bool {
	first, _ := a.base()
	second, _ := b.base()
	return first == second
}

// strides is where the elements lie, by the axes of a shape that is the place's own or has axes of size 1 more, with axes of size 1 in front
// up to so many. channels is which of these the place's own axis of channels is. ok is false where the offsets along one axis depend on
// another.
func (p *place) strides(shape tensor.Shape, axes int) (s kernel.Strided, channels int, ok bool) {
	own := p.ownStrides()
	if own == nil {
		return nil, 0, false
	}
	for range axes - len(shape) {
		s = append(s, []int{0})
	}
	next := 0 // of the place's own axes
	for axis, size := range shape {
		table := []int{0}
		if next < len(own) && p.Shape[next] == size && len(own)-next <= len(shape)-axis {
			if table = own[next]; next == p.Channel {
				channels = len(s)
			}
			next++
		} else if size != 1 {
			return nil, 0, false
		}
		s = append(s, table)
	}
	return s, channels, next == len(own)
}

// ownStrides are those of the place's own axes, nil where they depend on each other.
func (p *place) ownStrides() kernel.Strided {
	own := make(kernel.Strided, len(p.Shape))
	apart := 1
	for axis, size := range slices.Backward(p.Shape) {
		for k := range size {
			own[axis] = append(own[axis], k*apart)
		}
		apart *= size
	}
	if !p.packed {
		return own
	}
	l, pixels := p.layout, []int{} // the axes of pixels, the last one first
	apart = 1
	for axis := len(own) - 1; axis > 0; axis-- {
		if axis == p.Channel {
			for c := range own[axis] {
				own[axis][c] = c/kernel.Lanes*l.Plane + c%kernel.Lanes
			}
			continue
		}
		for k := range own[axis] {
			pixel := k * apart
			own[axis][k] = pixel/l.W*l.Row + pixel%l.W*l.Pixel
		}
		apart *= p.Shape[axis]
		pixels = append(pixels, p.Shape[axis])
	}
	for k := range own[0] {
		own[0][k] = l.Base + k*l.Image
	}
	if len(pixels) > 2 || len(pixels) == 2 && pixels[0] != l.W && l.Row != l.W*l.Pixel {
		return nil
	}
	return own
}

// target is a result at such offsets, with the lanes past the last channel.
func (p *place) target(s kernel.Strided, channels int) kernel.Target {
	l := p.layout
	if used := l.C % kernel.Lanes; !p.packed || used == 0 || l.Pixel != kernel.Lanes {
		return kernel.Target{Strided: s, Channels: -1}
	}
	for c := l.C; c%kernel.Lanes != 0; c++ {
		s[channels] = append(s[channels], c/kernel.Lanes*l.Plane+c%kernel.Lanes)
	}
	return kernel.Target{Strided: s, Channels: channels, Used: l.C}
}
