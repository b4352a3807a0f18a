package kernel

import (
	"fmt"
	"math"
	"unsafe"

	"regraft/engine/kernel/abi"
	"regraft/engine/kernel/asm"
)

// Channel is channel Index of operand Source, or zeros where Source is negative.
type Channel struct{ Source, Index int }

// pickLanes says which lanes of a block of X become which of Out.
type pickLanes abi.PickLanes

func (l *pickLanes) set(c, from int) {
	const all = math.MaxUint32
	l.Index[c], l.Mask[c] = uint32(from), all
	if from < Lanes/2 {
		l.Low[c] = all
	} else {
		l.High[c] = all
	}
}

const (
	// pickKernel writes the lanes of one block, pickMoreKernel those into Y that hold 0 there. Vector 0 is a pickLanes.
	pickKernel     planeKernel = "pick"
	pickMoreKernel planeKernel = "pickmore"
)

// pick puts channels of several tensors together: slices, concatenations, permutations and what they are one after the other.
type pick struct {
	sources     []tensor
	out         tensor
	terms       [][]pickTerm // by block of the result
	first, more asm.Form[abi.Plane]
}

// pickTerm is a block that lanes of a block of the result come from.
type pickTerm struct {
	source, block int
	lanes         *pickLanes
}

// NewPick gives the channels that are listed; lanes past the last are 0. Operands: the sources, then the result. Item: one
// plane of the result.
func NewPick(set *Set, sources []Layout, channels []Channel, out Layout) (Primitive, error) {
	p := &pick{out: tensor{len(sources), out}}
	p.first, p.more = set.Plane[string(pickKernel)], set.Plane[string(pickMoreKernel)]
	for k, l := range append([]Layout{out}, sources...) {
		if !l.blocked() || l.H != out.H || l.W != out.W || min(l.C, l.H, l.W) < 1 {
			return nil, fmt.Errorf("pick: layout %v for %v: must be blocked and of the same height and width", l, out)
		}
		if k > 0 {
			p.sources = append(p.sources, tensor{k - 1, l})
		}
	}
	if len(channels) != out.C || len(sources) == 0 || len(sources) >= len(Args{}.Operand) {
		return nil, fmt.Errorf("pick: %d channels of %d tensors for %v", len(channels), len(sources), out)
	}
	p.terms = make([][]pickTerm, out.Blocks())
	for c, from := range channels {
		if from.Source < 0 {
			continue
		}
		if from.Source >= len(sources) || from.Index < 0 || from.Index >= sources[from.Source].C {
			return nil, fmt.Errorf("pick: channel %d of tensor %d does not exist", from.Index, from.Source)
		}
		p.term(c/Lanes, from.Source, from.Index/Lanes).set(c%Lanes, from.Index%Lanes)
	}
	for block, terms := range p.terms {
		if terms == nil { // nothing but zeros
			p.term(block, 0, 0)
		}
	}
	return p, nil
}

// term finds or adds the lanes that a block of the result has from a block of a source.
func (p *pick) term(block, source, from int) *pickLanes {
	for _, t := range p.terms[block] {
		if t.source == source && t.block == from {
			return t.lanes
		}
	}
	t := pickTerm{source, from, new(pickLanes)}
	p.terms[block] = append(p.terms[block], t)
	return t.lanes
}

func (p *pick) Name() string         { return p.first.Name(string(pickKernel)) }
func (p *pick) Items(images int) int { return images * len(p.terms) }

func (p *pick) Item(w *Worker, i int, a *Args) {
	image, block := i/len(p.terms), i%len(p.terms)
	l := p.out.layout
	band := max(1, planePixels/l.W)
	for row := 0; row < l.H; row += band {
		run := p.first
		for _, t := range p.terms[block] {
			source := p.sources[t.source]
			k := argsOf[abi.Plane](w)
			k.XRow, k.YRow, k.OutRow = 4*source.layout.Row, 4*l.Row, 4*l.Row
			k.X = source.plane(a, image, t.block) + uintptr(row*k.XRow)
			k.Out = p.out.plane(a, image, block) + uintptr(row*k.OutRow)
			k.Y = k.Out
			k.Rows, k.Pixels = min(band, l.H-row), l.W
			k.Vector[0] = uintptr(unsafe.Pointer(t.lanes))
			run.Run(k)
			run = p.more
		}
	}
}
