package kernel

import (
	"fmt"

	"regraft/engine/kernel/asm"
)

// A depthwise convolution gives every channel its own window: one tap is sixteen weights for the
// sixteen channels of a block. It goes through windows as the pools do, so padding is never read and no
// halo is needed. Weights are packed as [block][KH][KW][16], zero in the lanes past the last channel.

const (
	depthwiseKernel      poolKernel = "depthwise"
	depthwiseGradXKernel poolKernel = "depthwisegradx"
	depthwiseGradWKernel poolKernel = "depthwisegradw"
)

// DepthwiseLen is the floats of the packed weights of a depthwise convolution (s.Cin channels).
func DepthwiseLen(s ConvShape) int { return roundUp(s.Cin, Lanes) * s.KH * s.KW }

// PackDepthwise packs weights (C, 1, KH, KW), row-major; UnpackDepthwise is the way back.
func PackDepthwise(s ConvShape, dst, src []float32) {
	clear(dst[:DepthwiseLen(s)])
	depthwiseWeights(s, func(packed, plain int) { dst[packed] = src[plain] })
}

// UnpackDepthwise fills row-major weights (C, 1, KH, KW) from packed ones.
func UnpackDepthwise(s ConvShape, dst, src []float32) {
	depthwiseWeights(s, func(packed, plain int) { dst[plain] = src[packed] })
}

func depthwiseWeights(s ConvShape, visit func(packed, plain int)) {
	taps := s.KH * s.KW
	for c := range s.Cin {
		for t := range taps {
			visit((c/Lanes*taps+t)*Lanes+c%Lanes, c*taps+t)
		}
	}
}

// newDepthwise is a pool whose taps have weights.
func newDepthwise(set *Set, k poolKernel, s ConvShape, x, y tensor, weights int) (*pool, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	if s.Cin != s.Cout || s.Cin != x.layout.C {
		return nil, fmt.Errorf("depthwise %v on %v: %d channels in, %d out, must be the same", s, x.layout, s.Cin, s.Cout)
	}
	p, err := newPool(set, k, PoolShape{
		H: s.H, W: s.W, OH: s.OH, OW: s.OW, KH: s.KH, KW: s.KW, SH: s.SH, SW: s.SW, DH: s.DH, DW: s.DW, PT: s.PT, PL: s.PL,
	}, x, y)
	if err != nil {
		return nil, err
	}
	p.weights, p.window = weights, s.KH*s.KW*Lanes
	return p, nil
}

// NewDepthwise is the convolution of every channel with its own window, plus a bias, with flag ReLU at
// least 0, with ReLU6 at most 6 as well: one chain of fused multiply-adds from the bias, taps in row-major order. Operands: 0 X,
// 1 packed weights, 2 bias (C floats rounded up to whole blocks), or 0 for none, 3 Y. Item: one plane.
func NewDepthwise(set *Set, s ConvShape, in, out Layout, flags int) (*Depthwise, error) {
	p, err := newDepthwise(set, depthwiseKernel, s, tensor{0, in}, tensor{3, out}, 1)
	if err != nil {
		return nil, err
	}
	p.bias = 2
	if flags == ReLU6 {
		p.low, p.high = 0, 6
	} else {
		p.low, err = lowest(flags)
	}
	return &Depthwise{p, set}, err
}

// Depthwise is the forward pass of a depthwise convolution.
type Depthwise struct {
	*pool
	set *Set
}

// Followed is the same with an activation of what it gives, applied while that is in the cache.
func (d *Depthwise) Followed(f Activation) (Primitive, error) {
	after, err := f.planes(d.set, d.y, d.y)
	if err != nil {
		return nil, err
	}
	p := *d.pool
	p.after = after
	return &Depthwise{&p, d.set}, nil
}

// NewDepthwiseGradX is the gradient of the input, added up in the order of the outputs. Without flag Acc
// dX is overwritten. Operands: 0 dY, 1 packed weights, 2 dX. Item: one plane.
func NewDepthwiseGradX(set *Set, s ConvShape, dy, dx Layout, flags int) (Primitive, error) {
	p, err := newDepthwise(set, depthwiseGradXKernel, s, tensor{2, dx}, tensor{0, dy}, 1)
	if err != nil {
		return nil, err
	}
	if flags&Acc == 0 {
		p.overwrite = &p.x
	}
	return p, nil
}

// depthwiseGradW writes the gradient of the weights of one image and block to a slot.
type depthwiseGradW struct{ *pool }

// NewDepthwiseGradW is the first phase of the gradient of the weights: one chain of fused multiply-adds
// over the outputs of each plane. Operands: 0 X, 1 dY, 2 slots. Item: one plane.
func NewDepthwiseGradW(set *Set, s ConvShape, x, dy Layout) (Slotted, error) {
	p, err := newDepthwise(set, depthwiseGradWKernel, s, tensor{0, x}, tensor{1, dy}, 2)
	if err != nil {
		return nil, err
	}
	return &depthwiseGradW{p}, nil
}

func (p *depthwiseGradW) Slots(images int) int { return p.Items(images) * p.window }

func (p *depthwiseGradW) Item(w *Worker, i int, a *Args) {
	slot := Args{Operand: a.Operand, Images: a.Images}
	blocks := p.x.layout.Blocks()
	slot.Operand[2] += uintptr(4 * (i - i%blocks) * p.window) // the slots of this image
	clear(asm.FloatsAt(slot.Operand[2]+uintptr(4*(i%blocks)*p.window), p.window))
	p.pool.Item(w, i, &slot)
}

// depthwiseGradWFinish adds the slots in the order of the images.
type depthwiseGradWFinish struct{ blocks, window int }

// NewDepthwiseGradWFinish adds the slots of NewDepthwiseGradW for the same shape, in float64. Operands:
// 0 slots, 1 dW, packed. Item: one block.
func NewDepthwiseGradWFinish(s ConvShape) Primitive {
	return &depthwiseGradWFinish{roundUp(s.Cin, Lanes) / Lanes, s.KH * s.KW * Lanes}
}

func (p *depthwiseGradWFinish) Name() string  { return "depthwisegradw_finish" }
func (p *depthwiseGradWFinish) Items(int) int { return p.blocks }

func (p *depthwiseGradWFinish) Item(_ *Worker, block int, a *Args) {
	slots := asm.FloatsAt(a.Operand[0], a.Images*p.blocks*p.window)
	for i := range p.window {
		sum := 0.0
		for n := range a.Images {
			sum += float64(slots[(n*p.blocks+block)*p.window+i])
		}
		asm.FloatsAt(a.Operand[1], p.blocks*p.window)[block*p.window+i] = float32(sum)
	}
}
