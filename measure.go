package regraft

import (
	"regraft/engine/kernel"
	"regraft/engine/op"
)

// ISA names the instruction set that the arithmetic uses: avx512, avx2 or go.
func ISA() (string, error) {
	isa, err := kernel.Detect()
	return isa.String(), err
}

// Peak measures how many GFLOP/s so many threads of this machine reach in multiply-adds that touch
// no memory.
func Peak(threads int) (float64, error) {
	isa, err := kernel.Detect()
	if err != nil {
		return 0, err
	}
	return kernel.Peak(isa, threads), nil
}

// MACs counts the multiply-adds that the answer to one photo takes: those of the convolutions, linear layers and products of
// matrices that the main output depends on.
func (m *Model) MACs() (int, error) {
	net, err := m.answeringNet()
	if err != nil {
		return 0, err
	}
	total := 0
	for _, node := range net.Nodes() {
		switch node.Op().(type) {
		case *op.MatMul:
			a := op.Inputs(node)[0].Shape()
			total += node.Shape().TotalSize() / net.Batch() * a[len(a)-1]
		case *op.Conv, *op.Linear:
			weight := op.Inputs(node)[1].Shape() // (O, ...): each value of the result takes one row
			total += node.Shape().TotalSize() / net.Batch() * (weight.TotalSize() / weight[0])
		}
	}
	return total, nil
}
