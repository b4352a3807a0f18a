package plan

import (
	"regraft/engine/kernel"
	"regraft/engine/op"
)

// byWinograd tells whether Winograd's algorithm computes a convolution.
func (g *graph) byWinograd(i *instr, o *op.Conv) bool {
	return o.Group == 1 && !g.opt.Direct && kernel.UseWinograd(convShape(o, i.in[0].shape, i.in[1].shape, i.out.shape))
}

// winograd emits a convolution by Winograd's algorithm where that is the choice for its shape.
func (e *emitter) winograd(i *instr, s kernel.ConvShape) (bool, error) {
	x, w, y := i.in[0], i.in[1], i.out
	if e.g.opt.Direct || !kernel.UseWinograd(s) {
		return false, nil
	}
	prim, err := kernel.NewWinograd(e.g.opt.ISA, s, x.images(), y.images(), i.flags())
	if err != nil {
		return false, err
	}
	u := e.slots[w.param]
	if u == nil {
		u = e.weights(w, i.norm, prim.WeightLen(), prim.Pack)
	} else {
		u = e.transform(i, prim, u)
	}
	e.step(i, prim, 0, []*value{y}, x, u, e.bias(i, s.Cout), y).step.Flops = s.Flops()
	return true, nil
}

// winogradGradX likewise for the data gradient, whose transposed weights are made already.
func (e *emitter) winogradGradX(i *instr, s kernel.ConvShape, dyl, dxl kernel.Layout, turned *value) (bool, error) {
	dy, dx := i.in[1], i.out
	if e.g.opt.Direct || !kernel.UseWinogradGradX(s) {
		return false, nil
	}
	prim, err := kernel.NewWinogradGradX(e.g.opt.ISA, s, dyl, dxl, i.flags())
	if err != nil {
		return false, err
	}
	e.step(i, prim, 0, []*value{dx}, dy, e.transform(i, prim, turned), e.zero(s.Cin), dx).step.Flops = s.Flops()
	return true, nil
}

// transform emits the step that makes Winograd's weights from packed ones, anew in every training step.
func (e *emitter) transform(i *instr, prim *kernel.Winograd, packed *value) *value {
	u := e.temporary(i.label+" transformed weights", prim.WeightLen())
	e.step(&instr{label: i.label, op: planned("TransformWeights")}, prim.TransformWeights(), 1, []*value{u}, packed, u)
	return u
}

// winogradGradW emits the weight gradient in two steps: sums of products, and their transform.
func (e *emitter) winogradGradW(i *instr, s kernel.ConvShape, xl, dyl kernel.Layout) (bool, error) {
	x, dy, dw := i.in[0], i.in[1], i.out
	if e.g.opt.Direct || xl.Pixel != kernel.Lanes || !kernel.UseWinograd(s) {
		return false, nil
	}
	prim, err := kernel.NewWinogradGradW(e.g.opt.ISA, s, xl, dyl)
	if err != nil {
		return false, err
	}
	sums := e.temporary(i.label+" sums", prim.Sums())
	e.step(i, prim, 0, []*value{sums}, x, dy, sums).step.Flops = s.Flops()
	return true, e.primitive(&instr{label: i.label, op: planned("ConvGradWFinish"), out: dw}, prim.Finish(), nil, 1, sums, dw)
}
