package engine

import (
	"fmt"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"

	"regraft/engine/op"
)

// TestDropPathOfPhotos: a branch whose rows are not the photos, as where tokens come first, is none that drop path could leave out for
// some photos.
func TestDropPathOfPhotos(t *testing.T) {
	for _, first := range []bool{false, true} {
		b, n := NewBuilder(), 0
		apply := func(o op.Op, in ...*gorgonia.Node) *gorgonia.Node {
			t.Helper()
			n++
			node, err := b.Apply(fmt.Sprint(o.Name(), n), o, in...)
			if err != nil {
				t.Fatal(err)
			}
			return node
		}
		x, err := b.Placeholder("x", 1, 8, 2, 3)
		if err != nil {
			t.Fatal(err)
		}
		w, err := b.Param(&Param{Name: "w", Shape: []int{8, 8}, Value: make([]float32, 64)})
		if err != nil {
			t.Fatal(err)
		}
		perm, axis := []int{0, 2, 1}, 1
		if first {
			perm, axis = []int{2, 0, 1}, 0
		}
		x = apply(&op.Transpose{Perm: perm}, apply(&op.Reshape{Shape: []int{-1, 8, 6}}, x))
		x = apply(&op.Add{}, x, apply(&op.Linear{}, apply(&op.Relu{}, x), w))
		net, err := b.Network(Meta{}, Output{Name: "y", Node: apply(&op.ReduceMean{Axes: []int{axis}}, x)})
		if err != nil {
			t.Fatal(err)
		}
		_, err = NewObjective(net, ObjectiveOptions{Batch: 2, DropPath: 0.1})
		if refused := err != nil && strings.Contains(err.Error(), "no residual branches"); refused != first {
			t.Errorf("tokens first %v: error %v", first, err)
		}
	}
}
