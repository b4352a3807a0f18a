package plan

import (
	"gorgonia.org/tensor"

	"regraft/engine"
	"regraft/engine/kernel"
	"regraft/engine/op"
)

// placeParams gives every trainable parameter its place in the spaces Param and Grad, and every
// running statistic one in Stats. Layouts depend on shapes alone.
func (g *graph) placeParams() {
	obj, p := g.obj, g.program
	packings := g.packings()
	packed := map[*engine.Param]bool{}
	for _, param := range obj.Trainable {
		if _, packed[param] = packings[param]; !packed[param] {
			packings[param] = plainPacking(param)
		}
	}
	grads := g.ownGradients(packings)
	add := func(param *engine.Param, space Space, list *[]Slot) {
		s := Slot{Param: param, Off: p.Size[space]}
		pk, ok := packings[param]
		if !ok {
			pk = plainPacking(param)
		}
		s.Len, s.Pack, s.Unpack = pk.length, pk.pack, pk.unpack
		p.Size[space] += (s.Len + arenaUnit - 1) / arenaUnit * arenaUnit
		*list = append(*list, s)
		g.slots[param] = &value{label: param.Name, shape: param.Shape, form: plain, length: s.Len, placed: true, ref: Ref{space, s.Off}}
	}
	for _, param := range obj.Trainable {
		add(param, Param, &p.Params)
		grad := grads[param]
		if !packed[param] {
			grad.form = plain // in the layout of its parameter
		}
		grad.placed, grad.ref, grad.length = true, Ref{Grad, p.Params[len(p.Params)-1].Off}, p.Params[len(p.Params)-1].Len
	}
	p.Size[Grad] = p.Size[Param]
	for _, u := range obj.Updates {
		if g.slots[u.Param] == nil {
			add(u.Param, Stats, &p.Running)
		}
	}
}

// packing is how a parameter's plain values lie in memory.
type packing struct {
	length       int
	pack, unpack func(dst, src []float32)
}

// packings finds the parameters that the kernels want in a layout of their own.
func (g *graph) packings() map[*engine.Param]packing {
	found := map[*engine.Param]packing{}
	for _, i := range g.instrs {
		if len(i.in) < 2 || i.in[1].param == nil {
			continue
		}
		switch o := i.op.(type) {
		case *op.Conv:
			found[i.in[1].param] = packingOf(o, i.in[0].shape, i.in[1].shape, i.out.shape)
		case *op.Linear:
			found[i.in[1].param] = convPacking(linearShape(i.out.shape[0], i.in[0].shape[1], i.out.shape[1]))
		}
	}
	return found
}

// packingOf is the layout of the weights of a convolution of x with w to y.
func packingOf(o *op.Conv, x, w, y tensor.Shape) packing {
	s := convShape(o, x, w, y)
	if depthwise(o, x[1], w) {
		return depthwisePacking(s)
	}
	if g, err := kernel.NewGroups(s, o.Group); err == nil && o.Group > 1 {
		return groupedPacking(g)
	}
	return convPacking(s)
}

func convPacking(s kernel.ConvShape) packing {
	return packing{
		kernel.PackedLen(s),
		func(dst, src []float32) { kernel.PackWeights(s, dst, src) },
		func(dst, src []float32) { kernel.UnpackWeights(s, dst, src) },
	}
}

// plainPacking pads vectors to whole blocks and leaves everything else row-major.
func plainPacking(p *engine.Param) packing {
	n := p.Shape.TotalSize()
	cp := func(dst, src []float32) { copy(dst[:n], src[:n]) }
	return packing{padded(n), cp, cp}
}
