package plan

import (
	"regraft/engine/kernel"
	"regraft/engine/op"
)

func init() {
	register(row[*op.PRelu]{emit: (*emitter).prelu})
	register(row[*op.PReluGradX]{emit: (*emitter).preluGradX})
}

// prelu emits a PRelu with a slope for every channel or one for all.
func (e *emitter) prelu(i *instr, o *op.PRelu) error {
	x, slopes := i.in[0], e.slopes(i)
	if slopes == nil {
		return e.interpret(i, o)
	}
	prim, err := kernel.NewPReLU(e.g.opt.ISA, x.images(), i.out.images())
	return e.primitive(i, prim, err, 0, x, slopes, i.out)
}

func (e *emitter) preluGradX(i *instr, o *op.PReluGradX) error {
	x, dy, slopes := i.in[0], i.in[2], e.slopes(i)
	if slopes == nil || !onImages(dy) {
		return e.interpret(i, o)
	}
	prim, err := kernel.NewPReLUGradX(e.g.opt.ISA, x.images(), dy.images(), i.out.images())
	return e.primitive(i, prim, err, 0, x, slopes, dy, i.out)
}

// slopes is the second operand of i with a value for every channel of the first; nil where it has none.
func (e *emitter) slopes(i *instr) *value {
	x, s := i.in[0], i.in[1]
	if !onImages(x) || s.param == nil {
		return nil
	}
	c := x.shape[1]
	switch {
	case perChannelOf(x, s.Shape):
		return e.vector(s)
	case s.shape.TotalSize() != 1:
		return nil
	case !e.isTrained(s):
		return e.constant(s.label+" for every channel", padded(c), func(dst []float32) error {
			for k := range c {
				dst[k] = s.values()[0]
			}
			return nil
		})
	}
	all := e.temporary(s.label+" for every channel", padded(c))
	e.step(&instr{node: s.label, op: planned("Spread")}, &spread{channels: c, length: padded(c)}, 1, []*value{all}, e.vector(s), all)
	return all
}

// perChannelOf tells whether a shape has one value for each channel of x, and broadcasts to it.
func perChannelOf(x *value, s []int) bool {
	at := x.Channel - (x.Shape.Dims() - len(s))
	if x.Channel < 1 || at < 0 || at >= len(s) || len(s) > x.Shape.Dims() || s[at] != x.shape[1] {
		return false
	}
	for k, n := range s {
		if k != at && n != 1 {
			return false
		}
	}
	return true
}

// spread repeats one value for every channel. Operands: 0 the value, 1 the vector.
type spread struct{ channels, length int }

func (*spread) Name() string { return "spread" }

// Items is one.
func (*spread) Items(int) int { return 1 }

func (s *spread) Item(_ *kernel.Worker, _ int, a *kernel.Args) {
	v, all := kernel.Floats(a.Operand[0], 1)[0], kernel.Floats(a.Operand[1], s.length)
	clear(all)
	for c := range s.channels {
		all[c] = v
	}
}
