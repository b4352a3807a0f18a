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
	for _, l := range []kernel.Layout{
		kernel.Blocked(32, 5, 7, 0), kernel.Blocked(21, 3, 4, 2), (&value{form: matrix, layout: kernel.Matrix(images, 37)}).images(),
	} {
		t.Run(fmt.Sprint(l), func(t *testing.T) {
			o := &op.DropoutTrain{Ratio: 0.3, ID: "a dropout with a rather long name"}
			x := make([]float32, images*l.C*l.H*l.W)
			for i := range x {
				x[i] = float32(i%13) - 6.1
			}
			want, err := o.Do(tensor.New(tensor.WithShape(images, l.C, l.H, l.W), tensor.WithBacking(slices.Clone(x))),
				tensor.New(tensor.WithShape(4), tensor.WithBacking(parts[:])))
			if err != nil {
				t.Fatal(err)
			}

			room := l.Len(images) + l.Blocks()*l.Plane // images of a matrix lie within each other's planes
			packed, result, keys := kernel.Aligned(room), kernel.Aligned(room), kernel.Aligned(4)
			copy(keys, parts[:])
			l.Pack(packed, x, images)
			d := &dropout{masks: op.NewDropoutMasks(o.Ratio, o.ID), x: l, y: l}
			args := &kernel.Args{Operand: [8]uintptr{kernel.Address(packed), kernel.Address(keys), kernel.Address(result)}, Images: images}
			w := kernel.NewWorker(d.Scratch())
			for i := range d.Items(images) {
				d.Item(w, i, args)
			}
			got := make([]float32, len(x))
			l.Unpack(got, result, images)
			if !slices.Equal(got, want.Data().([]float32)) {
				t.Error("other bits than the operator's")
			}
			kept := 0
			for _, v := range result {
				if v != 0 {
					kept++
				}
			}
			if of := len(x); kept == 0 || kept > of*9/10 {
				t.Errorf("%d of %d elements are kept, and the padding shall be zero", kept, of)
			}
		})
	}
}
