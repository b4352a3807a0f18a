package plan

import (
	"gorgonia.org/tensor"

	"regraft/engine/kernel"
	"regraft/engine/op"
)

func init() {
	register(row[*op.MaxPool]{emit: (*emitter).maxPool})
	register(row[*op.MaxPoolGrad]{choice: choice{epilogue: epilogue{accumulates: true}}, emit: (*emitter).maxPoolGrad})
	register(row[*op.AveragePool]{choose: chooseAveragePool, emit: (*emitter).averagePool})
	register(row[*op.AveragePoolGrad]{choice: choice{epilogue: epilogue{accumulates: true}}, emit: (*emitter).averagePoolGrad})
	register(row[*op.GlobalAveragePool]{emit: (*emitter).globalAveragePool})
	register(row[*op.GlobalAveragePoolGrad]{emit: (*emitter).globalAveragePoolGrad})
}

func maxPoolShape(o *op.MaxPool, x, y tensor.Shape) kernel.PoolShape {
	return kernel.PoolShape{
		H: x[2], W: x[3], OH: y[2], OW: y[3], KH: o.Kernel[0], KW: o.Kernel[1], SH: o.Strides[0], SW: o.Strides[1],
		DH: o.Dilations[0], DW: o.Dilations[1], PT: o.Pads[0], PL: o.Pads[1], PB: o.Pads[2], PR: o.Pads[3],
	}
}

func averagePoolShape(o *op.AveragePool, x, y tensor.Shape) kernel.PoolShape {
	return kernel.PoolShape{
		H: x[2], W: x[3], OH: y[2], OW: y[3], KH: o.Kernel[0], KW: o.Kernel[1], SH: o.Strides[0], SW: o.Strides[1],
		DH: 1, DW: 1, PT: o.Pads[0], PL: o.Pads[1], PB: o.Pads[2], PR: o.Pads[3], CountIncludePad: o.CountIncludePad,
	}
}

func (e *emitter) maxPool(i *instr, o *op.MaxPool) error {
	x, y := i.in[0], i.out
	prim, err := kernel.NewMaxPool(e.g.opt.ISA, maxPoolShape(o, x.shape, y.shape), x.images(), y.images())
	return e.primitive(i, prim, err, 0, x, y)
}

func (e *emitter) maxPoolGrad(i *instr, o *op.MaxPoolGrad) error {
	x, dy, dx := i.in[0], i.in[1], i.out
	prim, err := kernel.NewMaxPoolGrad(e.g.opt.ISA, maxPoolShape(&o.MaxPool, x.shape, dy.shape), x.images(), dy.images(), dx.images(), i.flags())
	return e.primitive(i, prim, err, 0, x, dy, dx)
}

// chooseAveragePool: only with a shift behind it does an average pool clamp.
func chooseAveragePool(_ *graph, i *instr, _ *op.AveragePool) choice {
	if i.norm == nil {
		return choice{}
	}
	return choice{epilogue: epilogue{clamps: kernel.ReLU}}
}

// averagePool emits an average pool, with the shift of the BatchNorm behind it when the
// convolution before it took the scale.
func (e *emitter) averagePool(i *instr, o *op.AveragePool) error {
	x, y := i.in[0], i.out
	prim, err := kernel.NewAveragePool(e.g.opt.ISA, averagePoolShape(o, x.shape, y.shape), x.images(), y.images(), i.flags())
	return e.primitive(i, prim, err, 0, x, y, e.bias(&instr{node: i.node, in: i.in[:1], norm: i.norm}, y.shape[1]))
}

func (e *emitter) averagePoolGrad(i *instr, o *op.AveragePoolGrad) error {
	dy, dx := i.in[0], i.out
	prim, err := kernel.NewAveragePoolGrad(e.g.opt.ISA, averagePoolShape(&o.AveragePool, dx.shape, dy.shape), dy.images(), dx.images(), i.flags())
	return e.primitive(i, prim, err, 0, dy, dx)
}

func (e *emitter) globalAveragePool(i *instr, _ *op.GlobalAveragePool) error {
	prim, err := kernel.NewGlobalAveragePool(e.g.opt.ISA, i.in[0].images(), i.out.images())
	return e.primitive(i, prim, err, 0, i.in[0], i.out)
}

func (e *emitter) globalAveragePoolGrad(i *instr, _ *op.GlobalAveragePoolGrad) error {
	prim, err := kernel.NewGlobalAveragePoolGrad(e.g.opt.ISA, i.in[0].images(), i.out.images())
	return e.primitive(i, prim, err, 0, i.in[0], i.out)
}
