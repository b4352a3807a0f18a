package plan

import (
	"fmt"
	"reflect"

	"regraft/engine/op"
)

// row is what the planner knows of the operator O. Operators without a row are interpreted.
type row[O any] struct {
	// channels is where the step wants the channels of its operands and its result; channelsOf, where it is given, tells for an operator.
	channels   axisRule
	channelsOf func(o O) axisRule
	// carries gives the axis of channels of one operand or result, to, where another has them along axis from.Channel, or undecided. Where
	// it is nil, what has as many dimensions has them along the same axis.
	carries func(i *instr, from, to *value) int
	// ends gives the image, the weights and the result of a convolution or a linear layer, also of one whose gradient it is.
	ends func(i *instr) (x, w, y *value)
	// keeps tells that the values of the result lie in memory as those of the operand do; nil for operators that never leave them so.
	keeps func(i *instr) bool
	// choice is what the passes may ask; choose, where it is given, settles it for an instruction.
	choice choice
	choose func(g *graph, i *instr, o O) choice
	// emit makes the steps of an instruction; nil stands for an interpreted step.
	emit func(e *emitter, i *instr, o O) error
}

// lowering is a row for an operator of any type.
type lowering struct {
	channels func(*instr) axisRule
	carries  func(i *instr, from, to *value) int
	ends     func(i *instr) (x, w, y *value)
	keeps    func(*instr) bool
	choose   func(*graph, *instr) choice
	emit     func(*emitter, *instr) error
}

var lowerings = map[reflect.Type]lowering{}

// register adds the row of an operator. Each family's file does so for its operators.
func register[O any](r row[O]) {
	l := lowering{
		channels: func(*instr) axisRule { return r.channels },
		carries:  r.carries,
		ends:     r.ends,
		keeps:    r.keeps,
		choose:   func(*graph, *instr) choice { return r.choice },
		emit:     (*emitter).interpreted,
	}
	if r.emit != nil {
		l.emit = func(e *emitter, i *instr) error { return r.emit(e, i, i.op.(O)) }
	}
	if r.channelsOf != nil {
		l.channels = func(i *instr) axisRule { return r.channelsOf(i.op.(O)) }
	}
	if r.choose != nil {
		l.choose = func(g *graph, i *instr) choice { return r.choose(g, i, i.op.(O)) }
	}
	t := reflect.TypeFor[O]()
	if _, twice := lowerings[t]; twice {
		panic(fmt.Sprintf("plan: two rows for %v", t))
	}
	lowerings[t] = l
}

// lowering is the row of i's operator.
func (i *instr) lowering() (l lowering, ok bool) {
	l, ok = lowerings[reflect.TypeOf(i.op)]
	return l, ok
}

// choose settles the choices of all instructions.
func (g *graph) choose() {
	for _, i := range g.instrs {
		g.settle(i)
	}
}

// settle settles what i's step will be, and again where a pass has changed i.
func (g *graph) settle(i *instr) {
	i.settled, i.choice = true, choice{}
	if l, ok := i.lowering(); ok {
		i.choice = l.choose(g, i)
	}
}

// replace makes another operator of i.
func (g *graph) replace(i *instr, o any, in []*value) {
	i.op, i.in = o, in
	g.settle(i)
}

// instr emits the steps of one instruction.
func (e *emitter) instr(i *instr) error {
	if !i.settled {
		return fmt.Errorf("node %q: the planner has not settled how to compute %T", i.node, i.op)
	}
	if l, ok := i.lowering(); ok {
		return l.emit(e, i)
	}
	return e.interpreted(i)
}

// interpreted emits the step of an operator without a fast form.
func (e *emitter) interpreted(i *instr) error {
	if o, ok := i.op.(op.Op); ok {
		return e.interpret(i, o)
	}
	return fmt.Errorf("node %q: the planner has no step for %T", i.node, i.op)
}

// rule is where i's step wants its channels. What has no fast form takes them anywhere.
func (i *instr) rule() axisRule {
	if l, ok := i.lowering(); ok {
		return l.channels(i)
	}
	return anywhere
}

// carried is the axis of channels of one operand or result of i where another has them along axis from.Channel, or undecided.
func carried(i *instr, from, to *value) int {
	if l, ok := i.lowering(); ok && l.carries != nil {
		return l.carries(i, from, to)
	}
	if from.Shape.Dims() == to.Shape.Dims() {
		return from.Channel
	}
	return undecided
}

// keeps tells whether i's result lies in memory as its operand does.
func (i *instr) keeps() bool {
	l, ok := i.lowering()
	return ok && l.keeps != nil && l.keeps(i)
}
