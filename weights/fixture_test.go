package weights_test

import (
	"testing"

	"regraft/engine/kernel"
	"regraft/engine/plan"
	"regraft/photo"
	"regraft/weights"
)

// TestStateDict takes a narrow ResNet-18 from PyTorch's files in all formats to logits and to one training step. They are made
// by scripts/state_dict_reference.py resnet18 weights/testdata --classes 7 --divide 40 --size 64 --batch 4.
func TestStateDict(t *testing.T) {
	sets, err := kernel.Usable()
	if err != nil {
		t.Fatal(err)
	}
	s := stateIn(t, "testdata", "resnet18")
	net := s.imported(t, weights.Options{Arch: "resnet18", Size: photo.Square(64)})
	for _, isa := range sets {
		for _, direct := range []bool{true, false} {
			s.checkInference(t, net, plan.Options{ISA: isa, Direct: direct})
			s.checkTraining(t, net, plan.Options{ISA: isa, Direct: direct})
		}
	}
}
