package plan

import (
	"regraft/engine/kernel"
	"regraft/engine/op"
)

func init() {
	register(row[*op.Conv]{choose: chooseConv, emit: convForward[*op.Conv]})
	register(row[*op.ConvGradX]{choose: chooseConvGradX, emit: convGradX[*op.ConvGradX]})
	register(row[*op.ConvGradW]{choose: chooseConvGradW, emit: convGradW[*op.ConvGradW]})
	register(row[*op.Linear]{channels: last, choose: chooseLinear, emit: convForward[*op.Linear]})
	register(row[*op.LinearGradX]{channels: last, choose: chooseLinearGradX, emit: convGradX[*op.LinearGradX]})
	register(row[*op.LinearGradW]{channels: last, choose: chooseLinearGradW, emit: convGradW[*op.LinearGradW]})
}

func convForward[O op.Op](e *emitter, i *instr, o O) error {
	if i.choice.conv == nil {
		return e.reference(i, o)
	}
	return i.choice.conv.algorithm.forward(e, i, i.choice.conv)
}

func convGradX[O op.Op](e *emitter, i *instr, o O) error {
	if i.choice.conv == nil {
		return e.reference(i, o)
	}
	return i.choice.conv.algorithm.gradX(e, i, i.choice.conv)
}

func convGradW[O op.Op](e *emitter, i *instr, o O) error {
	if i.choice.conv == nil {
		return e.reference(i, o)
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
	c := g.convolution(o, i.in[0], i.in[1], i.out, kernel.UseWinograd)
	made := choice{conv: c, epilogue: c.algorithm.epilogue, packing: new(c.algorithm.packing(c))}
	if c.algorithm.halo {
		made.halo = []int{c.shape.Halo()}
	}
	if c.algorithm == direct {
		made.pixels = func(x kernel.Layout) bool {
			_, err := kernel.NewConv(g.opt.ISA, c.shape, x, c.output(), 0)
			return err == nil
		}
	}
	return made
}

func chooseConvGradX(g *graph, i *instr, o *op.ConvGradX) choice {
	w, dy, dx := i.in[0], i.in[1], i.out
	c := g.convolution(&o.Conv, dx, w, dy, kernel.UseWinogradGradX)
	made := choice{conv: c, epilogue: epilogue{accumulates: true}}
	if c.algorithm.halo {
		made.halo = []int{0, c.shape.GradHalo()}
	}
	return made
}

func chooseConvGradW(g *graph, i *instr, o *op.ConvGradW) choice {
	x, dy, dw := i.in[0], i.in[1], i.out
	c := g.convolution(&o.Conv, x, dw, dy, kernel.UseWinograd)
	made := choice{conv: c, gradient: true}
	if c.algorithm.halo {
		made.halo = []int{c.shape.Halo()}
	}
	if c.algorithm == direct {
		made.pixels = func(x kernel.Layout) bool {
			_, err := kernel.NewConvGradW(g.opt.ISA, c.shape, x, c.output())
			return err == nil
		}
	}
	return made
}

// output is a layout of results, to try kernels with.
func (c *convolution) output() kernel.Layout {
	return kernel.Blocked(c.shape.Cout, c.shape.OH, c.shape.OW, 0)
}

// chooseLinear: what is neither a matrix nor images with the channels last is interpreted.
func chooseLinear(_ *graph, i *instr, _ *op.Linear) choice {
	if !onImages(i.in[0]) || !onImages(i.out) {
		return choice{}
	}
	c := linear(i.in[0], i.out)
	return choice{conv: c, epilogue: c.algorithm.epilogue, packing: new(convPacking(c))}
}

func chooseLinearGradX(_ *graph, i *instr, _ *op.LinearGradX) choice {
	if !onImages(i.in[1]) || !onImages(i.out) {
		return choice{}
	}
	return choice{conv: linear(i.out, i.in[1]), epilogue: epilogue{accumulates: true}}
}

func chooseLinearGradW(_ *graph, i *instr, _ *op.LinearGradW) choice {
	if !onImages(i.in[0]) || !onImages(i.in[1]) {
		return choice{}
	}
	return choice{conv: linear(i.in[0], i.in[1]), gradient: true}
}

// settleForms gives images of one pixel the blocked form where a convolution wants padding around them.
func (g *graph) settleForms() {
	want := func(v *value, kernelSize int) {
		if v.form == matrix && kernelSize > 1 {
			v.form = blocked
		}
	}
	for _, i := range g.instrs {
		switch i.op.(type) {
		case *op.Conv:
			want(i.in[0], i.in[1].shape[2]*i.in[1].shape[3])
		case *op.ConvGradX:
			want(i.in[1], i.in[0].shape[2]*i.in[0].shape[3])
		case *op.ConvGradW:
			want(i.in[0], i.out.shape[2]*i.out.shape[3])
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
		ends := []*value{i.in[0], i.out}
		switch i.op.(type) {
		case *op.Linear:
		case *op.LinearGradX:
			ends[0] = i.in[1]
		case *op.LinearGradW:
			ends[1] = i.in[1]
		default:
			continue
		}
		if onImages(ends[0]) && onImages(ends[1]) && ends[0].form != ends[1].form {
			ends[0].form, ends[1].form, changed = blocked, blocked, true
		}
	}
	return changed
}
