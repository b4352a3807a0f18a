// Package optest lists every operator with small operands, so that tests of gradients, plans and
// machines all run over the same rows.
package optest

import (
	"gorgonia.org/gorgonia"

	"regraft/engine/op"
	"regraft/engine/random"
)

// Row is one use of an operator.
type Row struct {
	Name   string
	Op     op.Op
	Shapes [][]int // of the operands
	// Differentiable is the number of leading operands that have a gradient.
	Differentiable int
	// Values fills operand i; nil stands for Smooth.
	Values func(i int, x []float64, s *random.Stream)
	// Build makes the node of the operands; nil stands for op.Apply of Op. Where a derivative
	// supposes that one operand is computed from another, Build computes it.
	Build func(in gorgonia.Nodes) (*gorgonia.Node, error)
}

// Operands gives the row's operands, always the same for the same row.
func (r Row) Operands() [][]float64 {
	fill := r.Values
	if fill == nil {
		fill = Smooth
	}
	operands := make([][]float64, len(r.Shapes))
	for i, shape := range r.Shapes {
		size := 1
		for _, n := range shape {
			size *= n
		}
		operands[i] = make([]float64, size)
		fill(i, operands[i], random.At(1, r.Name, uint64(i)))
	}
	return operands
}

// Node applies the row's operator to nodes of the row's shapes.
func (r Row) Node(in gorgonia.Nodes) (*gorgonia.Node, error) {
	if r.Build != nil {
		return r.Build(in)
	}
	return op.Apply(r.Op, in...)
}

// Smooth draws from [-2, 2), in steps of 1/1024 so that float32 holds the values exactly.
func Smooth(_ int, x []float64, s *random.Stream) {
	for i := range x {
		x[i] = float64(s.IntN(4096))/1024 - 2
	}
}

// Distinct draws values that all differ by at least 1/16 and keep as far from 0, 1, 3, 6 and other whole
// numbers: a small step changes neither which is the largest nor which side of a kink a value is on.
func Distinct(_ int, x []float64, s *random.Stream) {
	for i, rank := range s.Perm(len(x)) {
		x[i] = float64(rank-len(x)/2)/8 + 1.0/16
	}
}

// Positive draws from [0.5, 2.5).
func Positive(_ int, x []float64, s *random.Stream) {
	for i := range x {
		x[i] = 0.5 + float64(s.IntN(2048))/1024
	}
}

// Labels draws whole numbers below classes.
func Labels(classes int, x []float64, s *random.Stream) {
	for i := range x {
		x[i] = float64(s.IntN(classes))
	}
}

// Targets fills x with multiples of 1/64 from 0 on, below 1.
func Targets(x []float64, s *random.Stream) {
	for i := range x {
		x[i] = float64(s.IntN(64)) / 64
	}
}

// Rows has at least one row for every operator.
func Rows() []Row {
	var rows []Row
	for _, family := range [][]Row{inception, arithmetic, others} {
		rows = append(rows, family...)
	}
	return rows
}
