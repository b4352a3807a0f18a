// Package plan compiles a network, or a training objective, into a flat program: steps over
// memory whose every offset is decided beforehand.
package plan

import (
	"fmt"
	"strings"
	"text/tabwriter"

	"regraft/engine"
	"regraft/engine/kernel"
)

// Space is a block of memory that steps refer to.
type Space uint8

// The blocks of memory of a machine.
const (
	None    Space = iota
	Arena         // activations, gradients of activations, temporaries; reused within a run
	Const         // packed constants: weights in inference, zeros
	Param         // trainable parameters, in the layout of the kernels
	Grad          // their gradients, at the same offsets
	Stats         // running statistics
	Input         // the caller's images, row-major (N, C, H, W)
	Targets       // the caller's targets (N, classes)
	Key           // the caller's dropout key (4)
	spaces
)

var spaceNames = [...]string{"-", "arena", "const", "param", "grad", "stats", "input", "targets", "key"}

func (s Space) String() string { return spaceNames[s] }

// Spaces is the number of spaces.
const Spaces = int(spaces)

// Ref is an address: an offset in bytes into a space.
type Ref struct {
	Space Space
	Off   int
}

// Result is a value that a step writes, or a part of.
type Result struct {
	Ref
	place place
}

// Finite tells whether none of its elements is infinite or NaN; address is where it lies.
func (r Result) Finite(address uintptr) bool {
	if !r.place.packed {
		return engine.Finite(kernel.Floats(address, r.place.length))
	}
	return engine.Finite(r.place.read(address))
}

// Step is one primitive with its operands.
type Step struct {
	// Node is the node of the file that the step computes, or what the planner made of it.
	Node string
	// Op is the operator, with what is fused into it.
	Op   string
	Prim kernel.Primitive
	// Refs are the operands in the primitive's order.
	Refs []Ref
	// Results are the values of the network that it writes; what it keeps for itself is not among them.
	Results []Result
	// Images is the number of images that the step works on; 0 stands for those of the run.
	Images int
	// Backward steps belong to the gradients.
	Backward bool
	// Serial steps do too little for a second thread.
	Serial bool
	// Flops of one of these images of a convolution computed directly, or of attention; 0 for other steps.
	Flops float64
	// Shapes describes operand and result.
	Shapes string
	// Why says what made the planner choose this primitive, where there was a choice.
	Why string
}

// Constant is a packed value of the Const space.
type Constant struct {
	Label    string
	Off, Len int // bytes into the space, and elements
	// Fill writes the value to dst, which is zero.
	Fill func(dst []float32) error
}

// Slot is where a parameter or a running statistic lives, and how its layout there relates to the
// plain row-major one.
type Slot struct {
	Param        *engine.Param
	Off, Len     int // bytes into the space, and elements
	Pack, Unpack func(dst, src []float32)
}

// ByName are the values of slots, in plain row-major order, by the names of their parameters; packed are those of the whole space.
func ByName(slots []Slot, packed []float32) map[string][]float32 {
	values := map[string][]float32{}
	for _, s := range slots {
		v := make([]float32, s.Param.Shape.TotalSize())
		s.Unpack(v, packed[s.Off/4:][:s.Len])
		values[s.Param.Name] = v
	}
	return values
}

// View is a result that the caller can read: Rows x Cols values in the Matrix layout.
type View struct {
	Name       string
	Ref        Ref
	Rows, Cols int
	Layout     kernel.Layout
}

// Program is what a machine runs. It is immutable: any number of machines may share it.
type Program struct {
	Steps []Step
	// Size is the length of every space in bytes; those of the caller's spaces are what he must give.
	Size [Spaces]int
	// Scratch is what every worker needs, in floats.
	Scratch   int
	Constants []Constant
	// Params and Running describe the spaces Param (and Grad) and Stats.
	Params, Running []Slot
	// Outputs are the network's outputs, main first.
	Outputs []View
	// Losses is where the steps of a training program leave the mean loss of each output.
	Losses []Ref
	// LossWeights multiply Losses in the total.
	LossWeights []float32
	// Batch is the largest number of images of one run, each of shape Image (C, H, W).
	Batch int
	Image [3]int
	// ISA is the instruction set that the kernels are from.
	ISA *kernel.Set
}

// Options says what to compile for.
type Options struct {
	// ISA is the instruction set whose kernels the steps run.
	ISA *kernel.Set
	// Direct switches Winograd's algorithm off.
	Direct bool
}

func newProgram(net *engine.Network, opt Options) *Program {
	s := net.Input.Shape()
	p := &Program{Batch: s[0], Image: [3]int{s[1], s[2], s[3]}, ISA: opt.ISA}
	p.Size[Input] = s.TotalSize() * kernel.F32.Size()
	return p
}

// String lists the program: per step operator, kernel, shapes, addresses.
func (p *Program) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d steps for up to %d images of %dx%dx%d, %s\n", len(p.Steps), p.Batch, p.Image[0], p.Image[1], p.Image[2], p.ISA)
	for s := Arena; s <= Stats; s++ {
		if p.Size[s] > 0 {
			fmt.Fprintf(&b, "%-6s %8.1f MiB\n", s, float64(p.Size[s])/(1<<20))
		}
	}
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "step\toperator\tkernel\tshapes\toperands\tnode\twhy")
	for i, s := range p.Steps {
		refs := make([]string, len(s.Refs))
		for j, r := range s.Refs {
			refs[j] = fmt.Sprintf("%s+%d", r.Space, r.Off)
		}
		fmt.Fprintf(w, "%d\t%s\t%s\t%s\t%s\t%s\t%s\n", i, s.Op, s.Prim.Name(), s.Shapes, strings.Join(refs, " "), s.Node, s.Why)
	}
	w.Flush()
	return b.String()
}
