package plan

import (
	"fmt"

	"gorgonia.org/tensor"

	"regraft/engine/kernel"
	"regraft/engine/op"
)

// algorithm is a way to compute convolutions and their gradients. Its file alone says what it can do.
type algorithm struct {
	// epilogue is what the forward pass can do to its result.
	epilogue epilogue
	// halo tells that pixels around images are read from their memory.
	halo bool
	// pixels tells whether the forward pass and the weight gradient take images in such a layout, channels side by side; nil for algorithms
	// that take none.
	pixels func(c *convolution, x kernel.Layout) bool
	// packing is the layout of the weights.
	packing func(c *convolution) packing
	// forward, gradX and gradW emit the steps.
	forward, gradX, gradW func(e *emitter, i *instr, c *convolution) error
}

// everyClamp is what steps that can clamp in any way can do.
const everyClamp = kernel.ReLU | kernel.ReLU6

// convolution is the convolution of an instruction, or the one whose gradient it is: (N,C,H,W) with (O,C/group,KH,KW), or a
// linear layer, which is a 1x1 convolution.
type convolution struct {
	shape     kernel.ConvShape
	group     int
	algorithm *algorithm
}

// convShape describes one image of a convolution of x (N,C,H,W) with w (O,C,KH,KW) to y (N,O,OH,OW).
func convShape(o *op.Conv, x, w, y tensor.Shape) kernel.ConvShape {
	return kernel.ConvShape{
		Cin: x[1], Cout: y[1], H: x[2], W: x[3], OH: y[2], OW: y[3], KH: w[2], KW: w[3],
		SH: o.Strides[0], SW: o.Strides[1], DH: o.Dilations[0], DW: o.Dilations[1], PT: o.Pads[0], PL: o.Pads[1],
	}
}

// linearShape is a linear layer as a 1x1 convolution over h rows of w pixels.
func linearShape(h, w, in, out int) kernel.ConvShape {
	return kernel.ConvShape{Cin: in, Cout: out, H: h, W: w, OH: h, OW: w, KH: 1, KW: 1, SH: 1, SW: 1, DH: 1, DW: 1}
}

// forward emits the step of a prepared convolution of x with i's other operands.
func (e *emitter) forward(i *instr, c *convolution, prim *kernel.Conv, images int, x *value) error {
	y := i.out
	step, err := i.followed(prim)
	if err != nil {
		return fmt.Errorf("node %q: %w", i.node, err)
	}
	weights, bias := e.weights(i, c.packed(1)), e.bias(i, c.shape.Cout)
	e.step(i, step, images, []*value{y}, x, weights, bias, y).step.Flops = c.shape.Flops()
	return nil
}

// weights returns the weights of i, packed: trained ones, or others as constants with BatchNorm folded in.
func (e *emitter) weights(i *instr, p *packing) *value {
	w, f := i.in[p.operand], i.norm
	if e.isTrained(w) {
		return e.trained(w, *p)
	}
	return e.constant(w.label, p.length, func(dst []float32) error {
		src := w.values()
		if len(src) != w.shape.TotalSize() {
			return fmt.Errorf("parameter %q has no values", w.label)
		}
		if f != nil {
			f.weights(src, func(folded []float32) { p.pack(dst, folded) })
		} else {
			p.pack(dst, src)
		}
		return nil
	})
}

// bias returns the packed bias of i, with BatchNorm's shift folded in.
func (e *emitter) bias(i *instr, n int) *value {
	var b *value
	if len(i.in) > 2 {
		b = i.in[2]
		if e.isTrained(b) {
			return e.vector(b)
		}
	}
	if b == nil && (i.norm == nil || i.norm.beta == nil) {
		return e.zero(n)
	}
	norm := i.norm
	return e.constant(i.node+" bias", padded(n), func(dst []float32) error {
		if b != nil {
			copy(dst, b.values())
		}
		if norm != nil {
			norm.shifts(dst[:n])
		}
		return nil
	})
}

// turned transposes packed weights for a data gradient just before it uses them, so that no second copy of all exists.
func (e *emitter) turned(i *instr, turn kernel.Primitive, packed *value, length int) *value {
	turned := e.temporary(i.node+" transposed weights", length)
	e.step(&instr{node: i.node, op: planned("TransposeWeights")}, turn, 1, []*value{turned}, packed, turned)
	return turned
}

// transposed is the weights of a convolution, as its data gradient i reads them.
func (e *emitter) transposed(i *instr, c *convolution) *value {
	return e.turned(i, kernel.NewTransposeWeights(e.g.opt.ISA, c.shape), e.weights(i, c.packed(0)), kernel.PackedLen(c.shape))
}

// packed is the layout of the weights, which are such an operand of a step, or its result.
func (c *convolution) packed(operand int) *packing {
	p := c.algorithm.packing(c)
	p.operand = operand
	return &p
}

// weightsKey tells the packings of weights apart: by the algorithm's name and the weights.
type weightsKey struct {
	name                     string
	cin, cout, kh, kw, group int
}

func (c *convolution) key(name string) weightsKey {
	s := c.shape
	return weightsKey{name, s.Cin, s.Cout, s.KH, s.KW, c.group}
}

// convPacking is the layout of weights in tiles of input and output channels.
func convPacking(c *convolution) packing {
	s := c.shape
	return packing{
		key:    c.key("tiles"),
		length: kernel.PackedLen(s),
		pack:   func(dst, src []float32) { kernel.PackWeights(s, dst, src) },
		unpack: func(dst, src []float32) { kernel.UnpackWeights(s, dst, src) },
	}
}
