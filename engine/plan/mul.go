package plan

import (
	"fmt"

	"gorgonia.org/tensor"

	"regraft/engine/kernel"
	"regraft/engine/op"
)

func init() {
	register(row[*op.Mul]{channels: anywhere, choice: choice{overwrites: []int{0, 1}}, emit: (*emitter).mul})
	register(row[*op.SumTo]{channels: anywhere, choose: chooseSumTo, emit: (*emitter).sumTo})
	register(row[*dot]{emit: (*emitter).dot})
}

// dot is the planner's own operator for a product whose elements are summed at once: a, b -> their products summed
// over the pixels, to (N, C, 1, 1), or over images too, to (C, 1, 1).
type dot struct{}

func (*dot) title() string { return "Mul+SumTo" }

// fuseDots sums products where they are made: gradients of factors that were broadcast over the pixels.
func (g *graph) fuseDots() {
	users, makers := g.users(), g.makers()
	dead := map[*instr]bool{}
	for _, i := range g.instrs {
		if _, ok := i.op.(*op.SumTo); !ok || factorOf(i.in[0], i.out) == noFactor || i.choice.result != nil { // a dot lies plainly
			continue
		}
		mul := makers[i.in[0]]
		if mul == nil || len(users[mul.out]) != 1 {
			continue
		}
		if _, ok := mul.op.(*op.Mul); ok && sameBlocked(mul) && onImages(mul.in[0]) && onImages(mul.in[1]) {
			g.replace(i, &dot{}, mul.in)
			dead[mul] = true
		}
	}
	g.remove(dead)
}

// factorKind is how a factor is broadcast over images (N, C, H, W).
type factorKind int

const (
	noFactor   factorKind = iota
	perImage              // (N, C, 1, 1)
	perChannel            // (C, 1, 1), or (C) where channels come last: a parameter or its gradient
)

// factorOf tells how f is broadcast over x.
func factorOf(x, f *value) factorKind {
	switch {
	case !onImages(x):
	case onImages(f):
		if f.Channel == x.Channel && f.shape.Eq(tensor.Shape{x.shape[0], x.shape[1], 1, 1}) {
			return perImage
		}
	case perChannelOf(x, f.Shape):
		return perChannel
	}
	return noFactor
}

// mul emits a product of images, or of images with factors.
func (e *emitter) mul(i *instr, o *op.Mul) error {
	if x, k, reversed := e.known(i); x != nil {
		l, f := line{x, k, always(0)}, i.in[1]
		if reversed {
			f = i.in[0]
		}
		if l.fits(i.out) && factorOf(x, f) == noFactor { // factors have a kernel of their own
			return e.line(i, l)
		}
	}
	x, f, isa := i.in[0], i.in[1], e.g.opt.ISA
	if sameBlocked(i) && onImages(x) && onImages(f) {
		prim, err := kernel.NewMul(isa, x.images(), f.images(), i.out.images())
		return e.primitive(i, prim, err, 0, x, f, i.out)
	}
	if !alike(x, i.out) {
		x, f = f, x
	}
	if !alike(x, i.out) {
		return e.interpret(i, o)
	}
	switch kind := factorOf(x, f); {
	case kind == perImage:
		prim, err := kernel.NewScale(isa, x.images(), f.images(), i.out.images())
		return e.primitive(i, prim, err, 0, x, f, i.out)
	case kind == perChannel && f.param != nil:
		prim, err := kernel.NewChannelScale(isa, x.images(), i.out.images())
		return e.primitive(i, prim, err, 0, x, e.vector(f), i.out)
	}
	return e.interpret(i, o)
}

// chooseSumTo: sums over images that are the gradient of a table lie as that does.
func chooseSumTo(_ *graph, i *instr, _ *op.SumTo) choice {
	if t := broadcast(i.out.Shape, i.in[0]); t != nil && i.in[0].shape[0] > 1 {
		return choice{result: t.packing(0)}
	}
	return choice{gradient: true}
}

// sumTo emits sums over pixels, and over images where the result has none.
func (e *emitter) sumTo(i *instr, o *op.SumTo) error {
	x := i.in[0]
	if i.choice.result != nil {
		return e.sumImages(i, broadcast(i.out.Shape, x))
	}
	switch factorOf(x, i.out) {
	case perImage:
		prim, err := kernel.NewPixelSum(e.g.opt.ISA, x.images(), i.out.images())
		return e.primitive(i, prim, err, 0, x, i.out)
	case perChannel:
		sum, err := kernel.NewChannelSum(e.g.opt.ISA, x.images())
		return e.channelSums(i, sum, err, x.images(), x)
	}
	return e.interpret(i, o)
}

// dot emits sums of products.
func (e *emitter) dot(i *instr, _ *dot) error {
	a, b := i.in[0], i.in[1]
	if factorOf(a, i.out) == perImage {
		prim, err := kernel.NewPixelDot(e.g.opt.ISA, a.images(), b.images(), i.out.images())
		return e.primitive(i, prim, err, 0, a, b, i.out)
	}
	sum, err := kernel.NewChannelDot(e.g.opt.ISA, a.images(), b.images())
	return e.channelSums(i, sum, err, a.images(), a, b)
}

// channelSums emits a reduction of planes of layout l with the step that adds its slots up.
func (e *emitter) channelSums(i *instr, sum kernel.Slotted, err error, l kernel.Layout, operands ...any) error {
	if err != nil {
		return fmt.Errorf("node %q: %w", i.node, err)
	}
	slots := e.temporary(i.node+" slots", sum.Slots(i.in[0].shape[0]))
	e.step(i, sum, 0, []*value{slots}, append(operands, slots)...)
	return e.primitive(i, kernel.NewChannelSumFinish(l), nil, 0, slots, i.out)
}
