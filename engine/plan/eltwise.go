package plan

import (
	"fmt"
	"math"
	"slices"

	"regraft/engine/kernel"
	"regraft/engine/op"
)

func init() {
	register(row[*packInput]{emit: (*emitter).packInput})
	register(row[*op.BatchNorm]{choose: chooseBatchNorm, emit: (*emitter).batchNorm})
	register(row[*op.Relu]{channels: anywhere, choice: choice{clamp: kernel.ReLU}, emit: (*emitter).relu})
	register(row[*op.ReluGrad]{channels: anywhere, choice: choice{overwrites: []int{1}}, emit: (*emitter).reluGrad})
	register(row[*op.Clip]{channels: anywhere, choose: chooseClip, emit: (*emitter).clip})
	register(row[*op.ClipGrad]{channels: anywhere, emit: (*emitter).clipGrad})
	register(row[*op.Add]{channels: anywhere, choose: chooseAdd, emit: (*emitter).add})
	register(row[*op.Concat]{channels: anywhere, choice: choice{picks: pickConcat}, emit: (*emitter).concat})
	register(row[*op.ChannelSum]{emit: (*emitter).channelSum})
	register(row[*lossGrad]{emit: (*emitter).lossGrad})
	register(row[*op.Slice]{channels: anywhere, choice: choice{picks: pickSlice}, emit: (*emitter).slice})
	register(row[*op.Softmax]{channels: anywhere, emit: (*emitter).softmax})
}

func (e *emitter) packInput(i *instr, o *packInput) error {
	c := i.in[0].shape[1]
	scale, shift := []float32(nil), []float32(nil)
	if o.affine != nil {
		scale, shift = o.affine.Scale, o.affine.Shift
	}
	prim, err := kernel.NewPackInput(e.g.opt.ISA, i.out.images(), scale, shift)
	if err != nil {
		return fmt.Errorf("input of %d channels: %w", c, err)
	}
	return e.primitive(i, prim, nil, 0, i.in[0], i.out)
}

func (o *packInput) title() string {
	if o.affine != nil {
		return "PackInput+Affine"
	}
	return "PackInput"
}

func chooseBatchNorm(_ *graph, i *instr, _ *op.BatchNorm) choice {
	if !known(i.in[1:]) || !onImages(i.out) {
		return choice{}
	}
	return choice{epilogue: epilogue{clamps: kernel.ReLU}}
}

// batchNorm emits a BatchNorm in inference form that no convolution took: a scale and a shift.
func (e *emitter) batchNorm(i *instr, o *op.BatchNorm) error {
	f, c := i.fold(o), i.in[0].shape[1]
	if !known(i.in[1:]) || !onImages(i.out) || slices.ContainsFunc(i.in[1:], e.isTrained) {
		return e.interpret(i, o)
	}
	scale := e.constant(i.node+" scale", padded(c), func(dst []float32) error {
		f.scales(dst[:c])
		return nil
	})
	shift := e.constant(i.node+" shift", padded(c), func(dst []float32) error {
		f.shifts(dst[:c])
		return nil
	})
	prim, err := kernel.NewAffine(e.g.opt.ISA, i.in[0].images(), i.out.images(), i.flags())
	return e.primitive(i, prim, err, 0, i.in[0], scale, shift, i.out)
}

func (e *emitter) relu(i *instr, o *op.Relu) error {
	if !sameBlocked(i) {
		return e.interpret(i, o)
	}
	prim, err := kernel.NewReLU(e.g.opt.ISA, i.in[0].images(), i.out.images())
	return e.primitive(i, prim, err, 0, i.in[0], i.out)
}

func (e *emitter) reluGrad(i *instr, o *op.ReluGrad) error {
	if !sameBlocked(i) {
		return e.interpret(i, o)
	}
	prim, err := kernel.NewReluGrad(e.g.opt.ISA, i.in[0].images(), i.in[1].images(), i.out.images())
	return e.primitive(i, prim, err, 0, i.in[0], i.in[1], i.out)
}

func chooseClip(_ *graph, _ *instr, o *op.Clip) choice {
	if o.Min == 0 && o.Max == 6 {
		return choice{clamp: kernel.ReLU6}
	}
	return choice{}
}

func (e *emitter) clip(i *instr, o *op.Clip) error {
	if !sameBlocked(i) || math.IsNaN(float64(o.Min+o.Max)) {
		return e.interpret(i, o)
	}
	prim, err := kernel.NewClip(e.g.opt.ISA, i.in[0].images(), i.out.images(), o.Min, o.Max)
	return e.primitive(i, prim, err, 0, i.in[0], i.out)
}

func (e *emitter) clipGrad(i *instr, o *op.ClipGrad) error {
	if !sameBlocked(i) {
		return e.interpret(i, o)
	}
	prim, err := kernel.NewClipGrad(e.g.opt.ISA, i.in[0].images(), i.in[1].images(), i.out.images(), o.Min, o.Max)
	return e.primitive(i, prim, err, 0, i.in[0], i.in[1], i.out)
}

func chooseAdd(_ *graph, i *instr, _ *op.Add) choice {
	for k := range i.in {
		if t := tableOf(i.in[k], i.in[1-k]); t != nil {
			return choice{packing: t.packing(k), overwrites: []int{1 - k}}
		}
	}
	if !sameBlocked(i) {
		return choice{}
	}
	return choice{overwrites: []int{0}, epilogue: epilogue{clamps: kernel.ReLU}}
}

func (e *emitter) add(i *instr, o *op.Add) error {
	if x, k, _ := e.known(i); x != nil {
		return e.lineOr(i, o, line{x, always(1), k})
	}
	if i.choice.packing != nil {
		return e.addTable(i, o)
	}
	if !sameBlocked(i) {
		return e.addChannels(i, o)
	}
	prim, err := kernel.NewAdd(e.g.opt.ISA, i.in[0].images(), i.in[1].images(), i.out.images(), i.flags())
	return e.primitive(i, prim, err, 0, i.in[0], i.in[1], i.out)
}

// addChannels emits the sum of images and a parameter with a value for every channel.
func (e *emitter) addChannels(i *instr, o *op.Add) error {
	x, shift := i.in[0], i.in[1]
	if !alike(x, i.out) {
		x, shift = shift, x
	}
	if !alike(x, i.out) || factorOf(x, shift) != perChannel || shift.param == nil {
		return e.interpret(i, o)
	}
	one := e.constant(i.node+" scale", padded(x.shape[1]), func(dst []float32) error {
		for c := range x.shape[1] {
			dst[c] = 1
		}
		return nil
	})
	prim, err := kernel.NewAffine(e.g.opt.ISA, x.images(), i.out.images(), i.flags())
	return e.primitive(i, prim, err, 0, x, one, e.vector(shift), i.out)
}

// concat emits copies for the concatenations that could not share memory.
func (e *emitter) concat(i *instr, o *op.Concat) error {
	if !i.alongChannels(o.Axis) {
		return e.concatPixels(i, o)
	}
	constant := slices.ContainsFunc(i.in, func(v *value) bool { return v.param != nil })
	if !onImages(i.out) || slices.ContainsFunc(i.in, func(v *value) bool { return v.Channel != i.out.Channel }) || constant && len(i.in) < maxOperands {
		return e.interpret(i, o)
	}
	return e.concatParts(i, o)
}

func (e *emitter) channelSum(i *instr, o *op.ChannelSum) error {
	dy := i.in[0]
	if !onImages(dy) || dy.Channel != 1 {
		return e.interpret(i, o)
	}
	sum, err := kernel.NewChannelSum(e.g.opt.ISA, dy.images())
	return e.channelSums(i, sum, err, dy.images(), dy)
}

func (e *emitter) lossGrad(i *instr, o *lossGrad) error {
	logits, targets, loss := i.in[0], i.in[1], i.also[0]
	prim, err := kernel.NewSoftmaxCrossEntropy(logits.shape[0], logits.shape[1], o.weight)
	return e.primitive(i, prim, err, 1, logits, targets, i.out, loss)
}

// slice emits a copy of channels or pixels, for slices that are no views.
func (e *emitter) slice(i *instr, o *op.Slice) error {
	if c, ok := cutOf(o, i.in[0], i.out); ok {
		return e.cut(i, c)
	}
	stepped := len(o.Steps) > 0 && o.Steps[0] != 1
	if len(o.Axes) != 1 || !i.alongChannels(o.Axes[0]) || o.Starts[0] < 0 || stepped || !onImages(i.out) || !onImages(i.in[0]) || i.in[0].Channel != i.out.Channel {
		return e.interpret(i, o)
	}
	prim, err := kernel.NewSliceCopy(i.in[0].images(), i.out.images(), o.Starts[0])
	return e.primitive(i, prim, err, 0, i.in[0], i.out)
}

// softmax emits the softmax of (N, C) over C.
func (e *emitter) softmax(i *instr, o *op.Softmax) error {
	if i.out.form != matrix || i.out.shape.Dims() != 2 || o.Axis != 1 && o.Axis != -1 {
		return e.interpret(i, o)
	}
	prim, err := kernel.NewSoftmax(i.in[0].matrix(), i.out.matrix())
	return e.primitive(i, prim, err, 0, i.in[0], i.out)
}
