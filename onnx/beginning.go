package onnx

import (
	"slices"

	"regraft/engine/op"
)

// beginning is what a network does on average to its input before the first layer, channel by channel: the arithmetic with
// known numbers, where of a mean image only its mean counts. nil where it does nothing. It only serves to doubt.
func beginning(n *normaliser) *Transform {
	channels := n.input.shape[1]
	found := map[*value]*Transform{n.input: {slices.Repeat([]float32{1}, channels), make([]float32, channels)}}
	var last *Transform
	for _, s := range n.steps {
		if len(s.in) == 0 {
			continue
		}
		t, k := found[s.in[0]], (*value)(nil)
		if len(s.in) == 2 {
			if k = s.in[1]; k.constant == nil {
				t, k = found[k], s.in[0]
			}
		}
		if t == nil || len(s.out.shape) != 4 || s.out.shape[1] != channels {
			continue
		}
		if next := t.then(s.op, k, k != nil && k == s.in[0]); next != nil {
			found[s.out] = next
			if _, resized := s.op.(*op.Resize); !resized {
				last = next
			}
		}
	}
	return last
}

// then is t followed by a step with the known operand k, which is nil where there is none; swapped tells that k is the step's first
// operand. The result is nil where the step is of another kind.
func (t *Transform) then(o op.Op, k *value, swapped bool) *Transform {
	next := &Transform{slices.Clone(t.Scale), slices.Clone(t.Shift)}
	var means []float32
	if k != nil {
		if means = channelMeans(k, len(t.Scale)); means == nil {
			return nil
		}
	}
	for c := range next.Scale {
		scale, shift := &next.Scale[c], &next.Shift[c]
		switch o := o.(type) {
		case *op.Resize:
		case *op.Affine:
			*scale, *shift = *scale*o.Scale[c], *shift*o.Scale[c]+o.Shift[c]
		case *op.Add:
			*shift += means[c]
		case *op.Mul:
			*scale, *shift = *scale*means[c], *shift*means[c]
		case *op.Sub:
			if swapped {
				*scale, *shift = -*scale, -*shift
				*shift += means[c]
			} else {
				*shift -= means[c]
			}
		case *op.Div:
			if swapped {
				return nil
			}
			*scale, *shift = *scale/means[c], *shift/means[c]
		default:
			return nil
		}
	}
	return next
}

// channelMeans are the means of a constant that broadcasts to (N, C, H, W), channel by channel; nil where it does not.
func channelMeans(k *value, channels int) []float32 {
	if k.constant == nil || len(k.shape) > 4 || len(k.constant.floats) == 0 {
		return nil
	}
	shape := append(slices.Repeat([]int{1}, 4-len(k.shape)), k.shape...)
	if shape[0] != 1 || shape[1] != 1 && shape[1] != channels {
		return nil
	}
	pixels, means := shape[2]*shape[3], make([]float32, channels)
	for c := range means {
		sum := 0.0
		for _, v := range k.constant.floats[c%shape[1]*pixels:][:pixels] {
			sum += float64(v)
		}
		means[c] = float32(sum / float64(pixels))
	}
	return means
}
