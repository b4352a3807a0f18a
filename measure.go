package regraft

import (
	"gorgonia.org/tensor"

	"regraft/engine/kernel"
	"regraft/engine/op"
	"regraft/engine/session"
)

// ISA names the instruction set that the arithmetic uses: avx512, avx2 or go.
func ISA() (string, error) {
	native, err := session.Native(false)
	if err != nil {
		return "", err
	}
	return native.ISA.Name, nil
}

// Peak measures how many GFLOP/s so many threads of this machine reach in multiply-adds that touch
// no memory.
func Peak(threads int) (float64, error) {
	native, err := session.Native(false)
	if err != nil {
		return 0, err
	}
	return kernel.Peak(native.ISA, threads), nil
}

// MACs counts the multiply-adds that the answer to one photo takes: those of the convolutions, linear layers and other
// products of matrices that the main output depends on.
func (m *Model) MACs() (int, error) {
	net, err := m.classifierSubgraph()
	if err != nil {
		return 0, err
	}
	total := 0
	for _, node := range net.Nodes() {
		var in []tensor.Shape
		for _, x := range op.Inputs(node) {
			in = append(in, x.Shape())
		}
		if o, ok := node.Op().(op.Op); ok {
			total += node.Shape().TotalSize() * op.Products(o, in...) / net.Batch()
		}
	}
	return total, nil
}
