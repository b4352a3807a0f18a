// Package measure looks inside a model: the program that the planner makes of it, what its layers compute and how long they take, and steps of
// training on prepared input. It is for those who work on a model or on regraft; package regraft uses models.
package measure

import (
	"cmp"

	"gorgonia.org/tensor"

	"regraft/engine"
	"regraft/engine/kernel"
	"regraft/engine/op"
	"regraft/engine/session"
	"regraft/head"
)

// Model is a network under measurement.
type Model struct {
	net *engine.Network
	Options
}

// Options say how it computes.
type Options struct {
	// Threads of arithmetic, 0 for all cores.
	Threads int
	// Batch is how many images Outputs sends through at a time, at most; 0 for eight.
	Batch int
	// Direct switches Winograd convolutions off.
	Direct bool
}

// New measures net.
func New(net *engine.Network, o Options) *Model {
	o.Batch = cmp.Or(o.Batch, 8)
	return &Model{net, o}
}

// ISA names the instruction set that the arithmetic uses: avx512, avx2, neon or go.
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
	net, err := m.classifier()
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

// classifier is the part of the network that computes the scores of the classes, or the first output where no classifier is found.
func (m *Model) classifier() (*engine.Network, error) {
	if a, err := head.AnswersOf(m.net); err == nil {
		return a.Net, nil
	}
	return m.net.Subgraph(m.net.Outputs[0])
}
