package plan

import (
	"regraft/engine/kernel"
	"regraft/engine/op"
)

func init() {
	register(row[*op.Conv]{ends: forwardEnds, choose: chooseConv, emit: convForward[*op.Conv]})
	register(row[*op.ConvGradX]{ends: gradXEnds, choose: chooseConvGradX, emit: convGradX[*op.ConvGradX]})
	register(row[*op.ConvGradW]{ends: gradWEnds, choose: chooseConvGradW, emit: convGradW[*op.ConvGradW]})
	register(row[*op.Linear]{ends: forwardEnds, channels: last, choose: chooseLinear, emit: convForward[*op.Linear]})
	register(row[*op.LinearGradX]{ends: gradXEnds, channels: last, choose: chooseLinearGradX, emit: convGradX[*op.LinearGradX]})
	register(row[*op.LinearGradW]{ends: gradWEnds, channels: last, choose: chooseLinearGradW, emit: convGradW[*op.LinearGradW]})
}

func convForward[O op.Op](e *emitter, i *instr, o O) error {
	if i.choice.conv == nil {
		return e.interpret(i, o)
	}
	return i.choice.conv.algorithm.forward(e, i, i.choice.conv)
}

func convGradX[O op.Op](e *emitter, i *instr, o O) error {
	if i.choice.conv == nil {
		return e.interpret(i, o)
	}
	return i.choice.conv.algorithm.gradX(e, i, i.choice.conv)
}

func convGradW[O op.Op](e *emitter, i *instr, o O) error {
	if i.choice.conv == nil {
		return e.interpret(i, o)
	}
	return i.choice.conv.algorithm.gradW(e, i, i.choice.conv)
}

// convolution chooses the algorithm for a convolution of x with w to y; useWinograd tells whether Winograd's is faster than the direct.
func (g *graph) convolution(o *op.Conv, x, w, y *value, useWinograd func(kernel.ConvShape) bool) *convolution {
	c := &convolution{convShape(o, x.shape, w.shape, y.shape), o.Group, direct}
	in, _ := x.base()
	out, _ := y.base()
	switch {
	case c.group > 1 && c.group == c.shape.Cin && c.group == c.shape.Cout:
		c.algorithm = depthwise
	case c.group > 1:
		c.algorithm = grouped
	case in.form == matrix && out.form == matrix && c.shape.KH*c.shape.KW == 1:
		return linear(x, y)
	case kernel.UsePatches(c.shape):
		c.algorithm = patched
	case !g.opt.Direct && useWinograd(c.shape):
		c.algorithm = winograd
	}
	return c
}

// linear is a linear layer of x to y: matrices, or images, every pixel of which it takes through the layer.
func linear(x, y *value) *convolution {
	in, out := x.shape, y.shape
	if x.form == matrix {
		return &convolution{linearShape(1, in[0], in[1], out[1]), 1, asMatrix}
	}
	return &convolution{linearShape(in[2], in[3], in[1], out[1]), 1, direct}
}

func chooseConv(g *graph, i *instr, o *op.Conv) choice {
	if !known(i.in[1:]) {
		return choice{}
	}
	c := g.convolution(o, i.in[0], i.in[1], i.out, kernel.UseWinograd)
	made := choice{conv: c, epilogue: c.algorithm.epilogue, packing: c.packed(1)}
	if c.algorithm.halo {
		made.halo = []int{c.shape.Halo()}
	}
	if takes := c.algorithm.pixels; takes != nil {
		made.pixels = func(x kernel.Layout) bool { return takes(c, x) }
	}
	return made
}

func chooseConvGradX(g *graph, i *instr, o *op.ConvGradX) choice {
	w, dy, dx := i.in[0], i.in[1], i.out
	if w.param == nil {
		return choice{}
	}
	c := g.convolution(&o.Conv, dx, w, dy, kernel.UseWinogradGradX)
	made := choice{conv: c, packing: c.packed(0), epilogue: epilogue{accumulates: true}}
	if c.algorithm.halo {
		made.halo = []int{0, c.shape.GradHalo()}
	}
	return made
}

func chooseConvGradW(g *graph, i *instr, o *op.ConvGradW) choice {
	x, dy, dw := i.in[0], i.in[1], i.out
	c := g.convolution(&o.Conv, x, dw, dy, kernel.UseWinograd)
	made := choice{conv: c, result: c.packed(0)}
	if c.algorithm.halo {
		made.halo = []int{c.shape.Halo()}
	}
	if takes := c.algorithm.pixels; takes != nil {
		made.pixels = func(x kernel.Layout) bool { return takes(c, x) }
	}
	return made
}

// chooseLinear: what is neither a matrix nor images with the channels last is interpreted, and so are layers whose weights are computed.
func chooseLinear(_ *graph, i *instr, _ *op.Linear) choice {
	if !onImages(i.in[0]) || !onImages(i.out) || !known(i.in[1:]) {
		return choice{}
	}
	c := linear(i.in[0], i.out)
	return choice{conv: c, epilogue: c.algorithm.epilogue, packing: c.packed(1)}
}

func chooseLinearGradX(_ *graph, i *instr, _ *op.LinearGradX) choice {
	if !onImages(i.in[1]) || !onImages(i.out) || i.in[0].param == nil {
		return choice{}
	}
	c := linear(i.out, i.in[1])
	return choice{conv: c, packing: c.packed(0), epilogue: epilogue{accumulates: true}}
}

func chooseLinearGradW(_ *graph, i *instr, _ *op.LinearGradW) choice {
	if !onImages(i.in[0]) || !onImages(i.in[1]) {
		return choice{}
	}
	c := linear(i.in[0], i.in[1])
	return choice{conv: c, result: c.packed(0)}
}

// Where a convolution's or linear layer's image, weights and result are, in its own step and those of its gradients.

func forwardEnds(i *instr) (x, w, y *value) { return i.in[0], i.in[1], i.out }
func gradXEnds(i *instr) (x, w, y *value)   { return i.out, i.in[0], i.in[1] }
func gradWEnds(i *instr) (x, w, y *value)   { return i.in[0], i.out, i.in[1] }

// settleForms gives images of one pixel the blocked form where a convolution wants padding around them.
func (g *graph) settleForms() {
	for _, i := range g.instrs {
		l, ok := i.lowering()
		if !ok || l.ends == nil {
			continue
		}
		read, w, y := l.ends(i)
		if read == i.out {
			read = y
		}
		if read.form == matrix && w.Shape.Dims() == 4 && w.Shape[2]*w.Shape[3] > 1 {
			read.form = blocked
		}
	}
	for k := len(g.instrs) - 1; k >= 0; k-- {
		i := g.instrs[k]
		if _, ok := i.op.(*op.Concat); ok && i.out.form == blocked {
			for _, v := range i.in {
				if v.form == matrix {
					v.form = blocked
				}
			}
		}
	}
	for g.settleTokens() {
	}
}

// settleTokens makes images of both ends of a linear layer where one of them is: a single token of every image is a matrix by itself.
func (g *graph) settleTokens() (changed bool) {
	for _, i := range g.instrs {
		l, ok := i.lowering()
		if !ok || l.ends == nil {
			continue
		}
		if x, w, y := l.ends(i); w.Shape.Dims() == 2 && onImages(x) && onImages(y) && x.form != y.form {
			x.form, y.form, changed = blocked, blocked, true
		}
	}
	return changed
}
