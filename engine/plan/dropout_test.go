package plan

import (
	"fmt"
	"slices"
	"testing"

	"gorgonia.org/tensor"

	"regraft/engine/kernel"
	"regraft/engine/op"
)

// TestDropoutBits compares the step with the operator, bit for bit, on images, on images of one pixel as a matrix,
// and on channels that do not fill their last block.
func TestDropoutBits(t *testing.T) {
	const images, key = 3, 0x0123456789abcdef
	parts := op.SplitKey(key)
	for _, c := range []struct {
		shape   tensor.Shape
		channel int
		layout  kernel.Layout
	}{
		{tensor.Shape{images, 32, 5, 7}, 1, kernel.Blocked(32, 5, 7, 0)},
		{tensor.Shape{images, 21, 3, 4}, 1, kernel.Blocked(21, 3, 4, 2)},
		{tensor.Shape{images, 37}, 1, (&value{form: matrix, layout: kernel.Matrix(images, 37)}).images()},
		{tensor.Shape{images, 5, 37}, 2, kernel.Blocked(37, 1, 5, 0)},
		{tensor.Shape{images, 4, 18, 3}, 2, kernel.Blocked(18, 4, 3, 0)},
		{tensor.Shape{images, 4, 3, 18}, 3, kernel.Blocked(18, 4, 3, 1)},
	} {
		for _, whole := range []bool{false, true} {
			t.Run(fmt.Sprint(c.shape, c.channel, whole), func(t *testing.T) {
				o := &op.DropoutTrain{Ratio: 0.3, ID: "a dropout with a rather long name", Whole: whole}
				testDropout(t, o, parts, c.shape, c.channel, c.layout)
			})
		}
	}
}

// testDropout compares the compiled step with the operator, and counts what is kept.
func testDropout(t *testing.T, o *op.DropoutTrain, parts [4]float32, shape tensor.Shape, channel int, l kernel.Layout) {
	images := shape[0]
	x := make([]float32, images*l.C*l.H*l.W)
	for i := range x {
		x[i] = float32(i%13) - 6.1
	}
	want, err := o.Do(tensor.New(tensor.WithShape(shape...), tensor.WithBacking(slices.Clone(x))),
		tensor.New(tensor.WithShape(4), tensor.WithBacking(parts[:])))
	if err != nil {
		t.Fatal(err)
	}

	room := l.Len(images) + l.Blocks()*l.Plane // images of a matrix lie within each other's planes
	packed, result, keys := kernel.Aligned(room), kernel.Aligned(room), kernel.Aligned(4)
	copy(keys, parts[:])
	p := place{Type: Type{Shape: shape, Channel: channel}, layout: l, packed: true, length: room, images: images}
	p.write(kernel.Address(packed), x)
	d := newDropout(o, p, p)
	args := &kernel.Args{Operand: [8]uintptr{kernel.Address(packed), kernel.Address(keys), kernel.Address(result)}, Images: images}
	w := kernel.NewWorker(d.Scratch())
	for i := range d.Items(images) {
		d.Item(w, i, args)
	}
	if got := p.read(kernel.Address(result)); !slices.Equal(got, want.Data().([]float32)) {
		t.Error("other bits than the operator's")
	}
	kept := 0
	for _, v := range result {
		if v != 0 {
			kept++
		}
	}
	switch of := len(x); {
	case o.Whole && kept%(of/images) != 0, !o.Whole && (kept == 0 || kept > of*9/10):
		t.Errorf("%d of %d elements are kept, and the padding shall be zero", kept, of)
	}
}
