package op

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"regraft/engine/random"
)

// Dropout is the inference form of dropout (Srivastava et al., 2014): the identity. It keeps what the
// training form needs.
type Dropout struct {
	unary
	Ratio float32 // share of the elements that training drops
	ID    string  // tells this dropout's random numbers from those of others
	Whole bool    // images are kept or dropped as a whole
}

// Name is Dropout.
func (*Dropout) Name() string { return "Dropout" }

// Do copies x.
func (o *Dropout) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

// SymDiff gives dy.
func (*Dropout) SymDiff(_ gorgonia.Nodes, _, dy *gorgonia.Node) (gorgonia.Nodes, error) {
	return gorgonia.Nodes{dy}, nil
}

func (*Dropout) eval(in []array, out array) { copy(out.data, in[0].data) }

// DropoutTrain is the training form: x (N, ...) and the step's key (4), as SplitKey gives it, give x where
// DropoutMask keeps an element, divided by 1-Ratio, and zero elsewhere.
type DropoutTrain struct {
	base
	Ratio float32 // share of the elements that are dropped, at least 0 and below 1
	ID    string  // tells this dropout's random numbers from those of others
	Whole bool    // an image is kept or dropped as a whole, as in stochastic depth (Huang et al., 2016)
}

// Name is DropoutTrain.
func (*DropoutTrain) Name() string { return "DropoutTrain" }

// OutShape is the shape of x.
func (o *DropoutTrain) OutShape(in ...tensor.Shape) (tensor.Shape, error) {
	if !(o.Ratio >= 0 && o.Ratio < 1) {
		return nil, fmt.Errorf("ratio %v is not at least 0 and below 1", o.Ratio)
	}
	if err := wantRanks(in, -1, 1); err != nil {
		return nil, err
	}
	if len(in[0]) == 0 {
		return nil, fmt.Errorf("operand 0 is a scalar, want (N, ...)")
	}
	return in[0].Clone(), wantEqual(in, 1, 4)
}

// Do multiplies by the mask.
func (o *DropoutTrain) Do(in ...gorgonia.Value) (gorgonia.Value, error) { return do(o, in) }

// DiffWRT is true for x.
func (*DropoutTrain) DiffWRT(inputs int) []bool { return wrt(1, inputs) }

// SymDiff gives the same operator of dy.
func (o *DropoutTrain) SymDiff(in gorgonia.Nodes, _, dy *gorgonia.Node) (gorgonia.Nodes, error) {
	dx, err := Apply(o, dy, in[1])
	return gorgonia.Nodes{dx, nil}, err
}

func (o *DropoutTrain) eval(in []array, out array) {
	key := JoinKey([4]float32{
		float32(in[1].data[0]), float32(in[1].data[1]), float32(in[1].data[2]), float32(in[1].data[3]),
	})
	mask, masks := make([]float32, product(out.shape[1:])), o.Masks()
	for n := range out.shape[0] {
		masks.Fill(mask, key, n)
		y := out.row(n)
		for i, v := range in[0].row(n) {
			y[i] = v * float64(mask[i])
		}
	}
}

// Masks draws the operator's masks.
func (o *DropoutTrain) Masks() DropoutMasks {
	m := NewDropoutMasks(o.Ratio, o.ID)
	m.whole = o.Whole
	return m
}

// DropoutMask sets mask, one number per element of an image, to 1/(1-ratio) where the element is kept and
// to 0 where it is dropped. It is a function of its arguments alone: element i of the image draws word i of
// the stream of (key, id, image).
func DropoutMask(mask []float32, ratio float32, id string, key uint64, image int) {
	NewDropoutMasks(ratio, id).Fill(mask, key, image)
}

// DropoutMasks draws the masks of one dropout.
type DropoutMasks struct {
	purpose string
	keep    float64
	scale   float32
	whole   bool
}

// NewDropoutMasks prepares the masks of the dropout called id, which drops the share ratio.
func NewDropoutMasks(ratio float32, id string) DropoutMasks {
	keep := 1 - float64(ratio)
	return DropoutMasks{purpose: "dropout " + id, keep: keep, scale: float32(1 / keep)}
}

// Fill is DropoutMask, or one draw for all elements; it allocates nothing.
func (d DropoutMasks) Fill(mask []float32, key uint64, image int) {
	stream := random.At(key, d.purpose, uint64(image))
	for i := range mask {
		if d.whole && i > 0 {
			mask[i] = mask[0]
			continue
		}
		mask[i] = 0
		if random.Keep(stream.Uint64(), d.keep) {
			mask[i] = d.scale
		}
	}
}

// SplitKey turns the key of a step into floats of 16 bits each, lowest first, that a graph can carry.
func SplitKey(key uint64) [4]float32 {
	var parts [4]float32
	for i := range parts {
		parts[i] = float32(uint16(key >> (16 * i)))
	}
	return parts
}

// JoinKey is the inverse of SplitKey.
func JoinKey(parts [4]float32) uint64 {
	var key uint64
	for i, p := range parts {
		key |= uint64(uint16(p)) << (16 * i)
	}
	return key
}
