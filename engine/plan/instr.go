package plan

import (
	"slices"

	"regraft/engine/kernel"
)

// instr computes out from in. What is fused into it stands beside its operator.
type instr struct {
	node string
	op   any // an operator of engine/op, or one of the planner's own
	in   []*value
	out  *value
	// also are results beside out.
	also []*value
	// The epilogue. clamp is applied to the result: kernel.ReLU, kernel.ReLU6 or 0 for nothing.
	clamp int
	// activation is applied to the result, or nil.
	activation *instr
	// sumTo is the value that the result is added to; it then shares its memory.
	sumTo *value
	// backward instructions belong to the gradients.
	backward bool
	// norm is the BatchNorm folded into a convolution.
	norm *fold
	// choice is what the passes know of op, once it is settled.
	choice  choice
	settled bool
}

// planned is an operator of the planner's own, by name.
type planned string

func (p planned) title() string { return string(p) }

// choice is what the passes may ask of an instruction: they know operators by it.
type choice struct {
	// epilogue is what its step can do to its result.
	epilogue
	// conv is the convolution that it computes, or whose gradient; nil for other operators.
	conv *convolution
	// packing is the layout of one of its operands where that is a trainable parameter, or nil for the plain one.
	packing *packing
	// halo is the halo that it wants of each operand; the list may be shorter.
	halo []int
	// pixels tells whether it takes its first operand in such a layout, channels side by side; nil for steps that do not.
	pixels func(x kernel.Layout) bool
	// result is the layout of its result where that is the one of a parameter, whose gradient it is.
	result *packing
	// gradient tells that it can write its result plainly where that is the gradient of a parameter, whatever its form.
	gradient bool
	// clamp is the flag of the clamp that the operator is, or 0.
	clamp int
	// activation is the function that the operator applies to every element, or nil.
	activation *kernel.Activation
	// moves tells that the operator only moves values, so that nothing is lost with it where nothing reads its result.
	moves bool
	// picks reads an instruction as a pick of channels; nil for operators that never are one.
	picks picker
	// remadeFrom is the batch size from which on the result is rather made again for the backward pass than kept; 0 for never.
	remadeFrom int
	// overwrites are the operands whose memory the result may take: the first that has its shape.
	overwrites []int
}

// epilogue is what a step can do to its result before it writes it.
type epilogue struct {
	// clamps are the flags kernel.ReLU and kernel.ReLU6.
	clamps int
	// activates: apply an activation.
	activates bool
	// accumulates: add it to what the memory of the result holds.
	accumulates bool
}

// picker reads an instruction, as its operator means it, as a pick of channels of other values: it fills in p, whose channels are
// the first ones of the first operand; nil where the instruction is no pick.
type picker func(i *instr, p *pick, makers map[*value]*instr) (from []*value)

// flags are what a kernel is told of the epilogue.
func (i *instr) flags() int {
	flags := i.clamp
	if i.sumTo != nil {
		flags |= kernel.Acc
	}
	return flags
}

// alike tells whether values lie in blocks of channels and are of one type.
func alike(values ...*value) bool {
	for _, v := range values {
		if !onImages(v) || v.Channel != values[0].Channel || !v.Shape.Eq(values[0].Shape) {
			return false
		}
	}
	return true
}

// sameBlocked tells whether both operands are computed and have the result's type and form.
func sameBlocked(i *instr) bool { return alike(append(slices.Clone(i.in), i.out)...) }

// known tells whether these are parameters or constants, none of them computed.
func known(values []*value) bool {
	return !slices.ContainsFunc(values, func(v *value) bool { return v.param == nil })
}
