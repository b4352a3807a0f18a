package kernel

import (
	"fmt"

	"regraft/engine/kernel/asm"
)

// Groups is a convolution whose channels fall into groups that do not meet (ResNeXt, RegNet). It is cut into dense
// convolutions side by side, each of as many groups as fill whole blocks of 16 input and output channels, or of all
// groups; weights between different groups are zeros. So every output is the chain of the direct convolution with some
// products with zero in it.
type Groups struct {
	shape   ConvShape // of all channels
	cin     int       // of a group
	cout    int
	parts   []groupPart
	weights int // floats
}

// groupPart is one of the dense convolutions.
type groupPart struct {
	shape   ConvShape
	in, out int // first channels
	weights int // floats in front of its own
}

// NewGroups divides a convolution of s.Cin to s.Cout channels into that many groups.
func NewGroups(s ConvShape, groups int) (*Groups, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	if groups < 1 || s.Cin%groups != 0 || s.Cout%groups != 0 {
		return nil, fmt.Errorf("convolution %s in %d groups: they must divide both numbers of channels", s, groups)
	}
	g := &Groups{shape: s, cin: s.Cin / groups, cout: s.Cout / groups}
	together := 1
	for together < groups && (together*g.cin%Lanes != 0 || together*g.cout%Lanes != 0) {
		together++
	}
	for first := 0; first < groups; first += together {
		p := groupPart{shape: s, in: first * g.cin, out: first * g.cout, weights: g.weights}
		n := min(together, groups-first)
		p.shape.Cin, p.shape.Cout = n*g.cin, n*g.cout
		g.parts = append(g.parts, p)
		g.weights += PackedLen(p.shape)
	}
	return g, nil
}

// Flops counts the products within groups, as ConvShape.Flops does.
func (g *Groups) Flops() float64 { return g.shape.Flops() * float64(g.cin) / float64(g.shape.Cin) }

// WeightLen is the floats of the packed weights: those of the parts, one after the other in the master layout.
func (g *Groups) WeightLen() int { return g.weights }

// Pack packs weights (Cout, Cin/groups, KH, KW), row-major; Unpack is the way back.
func (g *Groups) Pack(dst, oihw []float32) {
	clear(dst[:g.weights])
	g.eachWeight(func(packed, plain int) { dst[packed] = oihw[plain] })
}

// Unpack fills row-major weights from packed ones.
func (g *Groups) Unpack(oihw, packed []float32) {
	g.eachWeight(func(at, plain int) { oihw[plain] = packed[at] })
}

// eachWeight visits the weights within groups: where each lies in the packed ones and in the plain ones.
func (g *Groups) eachWeight(visit func(packed, plain int)) {
	taps := g.shape.KH * g.shape.KW
	for _, p := range g.parts {
		for o := range p.shape.Cout {
			for c := range g.cin {
				for t := range taps {
					visit(p.weights+masterOffset(p.shape, o, o/g.cout*g.cin+c, t), ((p.out+o)*g.cin+c)*taps+t)
				}
			}
		}
	}
}

// masterOffset is where the weight of an output, an input channel and a tap lies in the master layout.
func masterOffset(s ConvShape, o, c, tap int) int {
	entry := (o/Lanes*s.KH*s.KW+tap)*blocksOf(s.Cin) + c/Lanes
	return (entry*Lanes+c%Lanes)*Lanes + o%Lanes
}

// Conv is NewConv for all groups; operands as there, the weights packed by Pack.
func (g *Groups) Conv(set *Set, in, out Layout, flags int) (Primitive, error) {
	return g.sideBySide(func(p groupPart) (Primitive, [4]int, error) {
		prim, err := NewConv(set, p.shape, in.Slice(0, p.shape.Cin), out.Slice(0, p.shape.Cout), flags)
		return prim, [4]int{p.in / Lanes * in.Plane, p.weights, p.out, p.out / Lanes * out.Plane}, err
	})
}

// Transpose is NewTransposeWeights for all groups; operands as there.
func (g *Groups) Transpose(set *Set) (Primitive, error) {
	return g.sideBySide(func(p groupPart) (Primitive, [4]int, error) {
		return NewTransposeWeights(set, p.shape), [4]int{p.weights, p.weights}, nil
	})
}

// GradX is NewConvGradX for all groups; operands as there.
func (g *Groups) GradX(set *Set, dy, dx Layout, flags int) (Primitive, error) {
	return g.sideBySide(func(p groupPart) (Primitive, [4]int, error) {
		prim, err := NewConvGradX(set, p.shape, dy.Slice(0, p.shape.Cout), dx.Slice(0, p.shape.Cin), flags)
		return prim, [4]int{p.out / Lanes * dy.Plane, p.weights, 0, p.in / Lanes * dx.Plane}, err
	})
}

// GradW is NewConvGradW for all groups, to be followed by ClearBetween; operands as there.
func (g *Groups) GradW(set *Set, x, dy Layout) (Primitive, error) {
	return g.sideBySide(func(p groupPart) (Primitive, [4]int, error) {
		prim, err := NewConvGradW(set, p.shape, x.Slice(0, p.shape.Cin), dy.Slice(0, p.shape.Cout))
		return prim, [4]int{p.in / Lanes * x.Plane, p.out / Lanes * dy.Plane, p.weights}, err
	})
}

// sideBySide joins the primitives of all parts; make gives each with the floats by which its operands begin further on.
func (g *Groups) sideBySide(make func(groupPart) (Primitive, [4]int, error)) (Primitive, error) {
	joined := &sideBySide{}
	for _, p := range g.parts {
		prim, skip, err := make(p)
		if err != nil {
			return nil, err
		}
		if n := len(joined.parts); n > 0 && p.shape == g.parts[0].shape {
			prim = joined.parts[0].Primitive // one for all parts alike
		}
		joined.parts = append(joined.parts, skipping{prim, skip})
	}
	return joined, nil
}

// sideBySide is several primitives that write to different places.
type sideBySide struct{ parts []skipping }

// skipping is a primitive whose operands begin some floats further on.
type skipping struct {
	Primitive
	skip [4]int
}

func (p *sideBySide) Name() string {
	return fmt.Sprintf("%dx_%s", len(p.parts), p.parts[0].Name())
}

// Reason says how many dense convolutions there are.
func (p *sideBySide) Reason() string { return fmt.Sprintf("groups as %d dense parts", len(p.parts)) }

func (p *sideBySide) Items(images int) (n int) {
	for _, part := range p.parts {
		n += part.Items(images)
	}
	return n
}

// Scratch is that of the part with most.
func (p *sideBySide) Scratch() (floats int) {
	for _, part := range p.parts {
		if s, ok := part.Primitive.(Scratcher); ok {
			floats = max(floats, s.Scratch())
		}
	}
	return floats
}

func (p *sideBySide) Item(w *Worker, i int, a *Args) {
	for _, part := range p.parts {
		n := part.Items(a.Images)
		if i >= n {
			i -= n
			continue
		}
		w.args = *a
		for k, skip := range part.skip {
			w.args.Operand[k] += uintptr(4 * skip)
		}
		part.Primitive.Item(w, i, &w.args)
		return
	}
}

// clearBetween zeroes the weights between groups.
type clearBetween struct{ *Groups }

// ClearBetween zeroes what GradW leaves between different groups. Operands: 0 dW. Item: one part.
func (g *Groups) ClearBetween() Primitive { return clearBetween{g} }

func (clearBetween) Name() string    { return "clear_between_groups" }
func (g clearBetween) Items(int) int { return len(g.parts) }

func (g clearBetween) Item(_ *Worker, i int, a *Args) {
	p := g.parts[i]
	dw := asm.FloatsAt(a.Operand[0]+uintptr(4*p.weights), PackedLen(p.shape))
	for o := range p.shape.Cout {
		for c := range p.shape.Cin {
			if o/g.cout == c/g.cin {
				continue
			}
			for t := range p.shape.KH * p.shape.KW {
				dw[masterOffset(p.shape, o, c, t)] = 0
			}
		}
	}
}
