package session

import (
	"slices"
	"testing"

	"gorgonia.org/tensor"

	"regraft/engine"
	"regraft/engine/plan"
)

// TestRepack: values go by the names of their parameters, from one packing to another; what only one side has stays.
func TestRepack(t *testing.T) {
	forward := func(dst, src []float32) { copy(dst, src) }
	backward := func(dst, src []float32) {
		copy(dst, src)
		slices.Reverse(dst)
	}
	slot := func(name string, off int, pack func(dst, src []float32)) plan.Slot {
		return plan.Slot{Param: &engine.Param{Name: name, Shape: tensor.Shape{2}}, Off: 4 * off, Len: 2, Pack: pack, Unpack: pack}
	}
	from := []plan.Slot{slot("only there", 0, forward), slot("a", 2, forward), slot("b", 4, backward)}
	here := []plan.Slot{slot("b", 0, forward), slot("only here", 2, forward), slot("a", 5, backward)}
	parameters := func(slots []plan.Slot) *Compiled { return &Compiled{Program: &plan.Program{Params: slots}} }
	running := func(slots []plan.Slot) *Compiled { return &Compiled{Program: &plan.Program{Running: slots}} }
	for _, repack := range []func(to, values []float32){
		func(to, values []float32) { parameters(here).Repack(to, parameters(from), values) },
		func(to, values []float32) { running(here).RepackRunning(to, running(from), values) },
	} {
		to := []float32{-1, -2, -3, -4, -5, -6, -7}
		repack(to, []float32{1, 2, 3, 4, 5, 6})
		if want := []float32{6, 5, -3, -4, -5, 4, 3}; !slices.Equal(to, want) {
			t.Errorf("%v, want %v", to, want)
		}
	}
}
