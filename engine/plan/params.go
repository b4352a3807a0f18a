package plan

import "regraft/engine"

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
		if c := i.choice.packing; c != nil && i.in[1].param != nil {
			found[i.in[1].param] = *c
		}
	}
	return found
}

// plainPacking pads vectors to whole blocks and leaves everything else row-major.
func plainPacking(p *engine.Param) packing {
	n := p.Shape.TotalSize()
	cp := func(dst, src []float32) { copy(dst[:n], src[:n]) }
	return packing{padded(n), cp, cp}
}
