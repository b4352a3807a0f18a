package plan

import (
	"fmt"
	"slices"
	"strings"

	"regraft/engine"
	"regraft/engine/kernel"
	"regraft/engine/op"
)

// operand is an address before memory is planned.
type operand struct {
	v   *value
	off int // elements past v's address
	ref Ref // when v is nil
}

// draft is a step before memory is planned.
type draft struct {
	step          Step
	operands      []operand
	reads, writes []*value
	// small steps have little to do.
	small bool
	// around says that the step only clears what is around a value.
	around bool
}

// serialBelow is the size of a result, in floats, from which a second thread pays for steps that do little with
// each element.
const serialBelow = 1 << 15

// maxOperands bounds the operands of a step, its result included.
const maxOperands = len(kernel.Args{}.Operand)

// emitter turns instructions into steps.
type emitter struct {
	g      *graph
	p      *Program
	drafts []*draft
	zeroed map[*value]bool
	zeros  *value // enough zeros for any bias
	homes  map[*engine.Param]home
	groups map[groupKey]*groupPasses
	// backward says that what is being emitted belongs to the gradients.
	backward bool
}

func newEmitter(g *graph) *emitter {
	return &emitter{g: g, p: g.program, zeroed: map[*value]bool{}, homes: g.homes, groups: map[groupKey]*groupPasses{}}
}

// step adds a step. The operands are *value, operand or Ref, in the primitive's order; writes are those
// that it writes. images is 0 for steps over the images of the run; values of another number of rows, such as images cut
// into parts, are always worked on whole.
func (e *emitter) step(i *instr, prim kernel.Primitive, images int, writes []*value, operands ...any) *draft {
	if images == 0 {
		images = e.images(i.rows())
	}
	d := &draft{step: Step{Node: i.node, Op: i.title(), Prim: prim, Images: images, Shapes: i.shapes(), Backward: e.backward}, writes: writes}
	if w, ok := prim.(interface{ Reason() string }); ok {
		d.step.Why = w.Reason()
	}
	d.small = i.out != nil && i.out.shape.TotalSize() < serialBelow
	for _, w := range writes {
		e.zeroHalo(w)
	}
	for _, o := range operands {
		switch o := o.(type) {
		case *value:
			d.operands = append(d.operands, operand{v: o})
			d.reads = append(d.reads, o)
		case operand:
			d.operands = append(d.operands, o)
			d.reads = append(d.reads, o.v)
		case Ref:
			d.operands = append(d.operands, operand{ref: o})
		default:
			panic(fmt.Sprintf("plan: operand of type %T", o))
		}
	}
	e.drafts = append(e.drafts, d)
	return d
}

// primitive checks a constructor's result and adds its step.
func (e *emitter) primitive(i *instr, prim kernel.Primitive, err error, images int, operands ...any) error {
	if err != nil {
		return fmt.Errorf("node %q: %w", i.node, err)
	}
	e.step(i, prim, images, append([]*value{i.out}, i.also...), operands...)
	return nil
}

// images is what Step.Images says for values of that many rows.
func (e *emitter) images(rows int) int {
	if rows == e.p.Batch {
		return 0
	}
	return rows
}

// rows is the first size of what i works on; 0 where that has none.
func (i *instr) rows() int {
	for _, v := range append(slices.Clone(i.in), i.out) {
		if v != nil && onImages(v) {
			return v.shape[0]
		}
	}
	return 0
}

// zeroHalo clears the halo of a value's memory before it is first written, since the arena reuses memory.
func (e *emitter) zeroHalo(v *value) {
	root, _ := v.base()
	if root.halo == 0 || root.form != blocked || e.zeroed[root] {
		return
	}
	e.zeroed[root] = true
	e.drafts = append(e.drafts, &draft{
		step: Step{
			Node: root.label, Op: "ZeroHalo", Prim: kernel.NewZeroHalo(root.layout), Images: e.images(root.shape[0]), Shapes: shapeString(root),
		},
		operands: []operand{{v: root}}, writes: []*value{root}, small: root.length < 8*serialBelow, around: true,
	})
}

// constant reserves room in the Const space and returns its value.
func (e *emitter) constant(label string, length int, fill func(dst []float32) error) *value {
	v := &value{label: label, length: length, placed: true, form: plain, ref: Ref{Const, e.p.Size[Const]}}
	e.p.Constants = append(e.p.Constants, Constant{Label: label, Off: v.ref.Off, Len: length, Fill: fill})
	e.p.Size[Const] += v.bytes()
	return v
}

// zero is a constant of at least n zeros.
func (e *emitter) zero(n int) *value {
	if e.zeros == nil || e.zeros.length < n {
		e.zeros = e.constant("zeros", max(padded(n), 2048), func([]float32) error { return nil })
	}
	return e.zeros
}

// temporary is arena memory that lives for the steps that use it.
func (e *emitter) temporary(label string, length int) *value {
	return &value{label: label, form: plain, length: length, first: -1, last: -1}
}

// finish places everything in memory and writes the program's steps. keep lists values that the
// caller reads after the run.
func (e *emitter) finish(keep ...*value) error {
	arena, err := e.lifetimes()
	if err != nil {
		return err
	}
	for _, v := range keep {
		root, _ := v.base()
		if root.first < 0 && !root.placed {
			return fmt.Errorf("output %q is computed by no step", v.label)
		}
		root.last = len(e.drafts)
	}
	e.p.Size[Arena] = placeArena(arena)
	for _, d := range e.drafts {
		for _, o := range d.operands {
			d.step.Refs = append(d.step.Refs, o.address())
		}
		for _, v := range d.writes {
			if d.around || v.shape == nil { // temporary, perhaps with numbers of another kind
				continue
			}
			r := Result{operand{v: v}.address(), placeOf(v)}
			r.place.packed = r.place.packed && r.Space == Arena // a gradient lies as its parameter
			d.step.Results = append(d.step.Results, r)
		}
		d.step.Serial = d.small && d.step.Flops == 0
		e.p.Steps = append(e.p.Steps, d.step)
		if s, ok := d.step.Prim.(kernel.Scratcher); ok {
			e.p.Scratch = max(e.p.Scratch, s.Scratch())
		}
	}
	return nil
}

// lifetimes finds the values of the arena and the first and last step that touch each.
func (e *emitter) lifetimes() (arena []*value, err error) {
	for at, d := range e.drafts {
		for _, v := range d.writes {
			root, _ := v.base()
			if root.placed || root.first >= 0 {
				continue
			}
			if root.length == 0 {
				return nil, fmt.Errorf("node %q: the planner gave %q no memory", d.step.Node, root.label)
			}
			root.first = at
			arena = append(arena, root)
		}
		for _, v := range slices.Concat(d.writes, d.reads) {
			root, _ := v.base()
			if root.placed {
				continue
			}
			if root.first < 0 {
				return nil, fmt.Errorf("node %q: %q is read before any step writes it", d.step.Node, root.label)
			}
			root.last = at
		}
	}
	return arena, nil
}

// address resolves an operand. Views share their root's address: the layout holds the channel offset.
func (o operand) address() Ref {
	if o.v == nil {
		return o.ref
	}
	root, _ := o.v.base()
	return Ref{root.ref.Space, root.ref.Off + o.off*root.Elem.Size()}
}

// title names the operator with what is fused into it.
func (i *instr) title() string {
	var parts []string
	switch o := i.op.(type) {
	case op.Op:
		parts = append(parts, o.Name())
	case interface{ title() string }:
		parts = append(parts, o.title())
	}
	if i.norm != nil {
		parts = append(parts, "BatchNorm")
	}
	if i.sumTo != nil {
		parts = append(parts, "Add")
	}
	switch i.clamp {
	case kernel.ReLU:
		parts = append(parts, "Relu")
	case kernel.ReLU6:
		parts = append(parts, "Clip")
	}
	if i.activation != nil {
		parts = append(parts, i.activation.title())
	}
	return strings.Join(parts, "+")
}

func (i *instr) shapes() string {
	var in []string
	for _, v := range i.in {
		if v.param == nil && v.shape.Dims() > 1 {
			in = append(in, shapeString(v))
		}
	}
	return strings.Join(in, ",") + " -> " + shapeString(i.out)
}

func shapeString(v *value) string {
	if v == nil {
		return ""
	}
	s := make([]string, len(v.shape))
	for k, d := range v.shape {
		s[k] = fmt.Sprint(d)
	}
	return strings.Join(s, "x")
}
