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
		*list = append(*list, s)
		g.slots[param] = &value{label: param.Name, shape: param.Shape, form: plain, length: s.Len, placed: true, ref: Ref{space, s.Off}}
		p.Size[space] += g.slots[param].bytes()
		if pk.image != nil {
			g.slots[param].form = blocked
		}
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

// packings finds the parameters that the kernels want in a layout of their own.
func (g *graph) packings() map[*engine.Param]packing {
	found := map[*engine.Param]packing{}
	for _, i := range g.instrs {
		if c := i.choice.packing; c != nil && i.in[c.operand].param != nil {
			found[i.in[c.operand].param] = *c
		}
	}
	g.tables(found)
	return found
}

// ownGradients gives every trainable parameter a gradient that the space Grad can hold. Most are computed there; where
// the gradient is a value like others (in the layout of images, read by other steps, the same for two parameters, as that
// of a table that is added to images), a step copies it.
func (g *graph) ownGradients(packings map[*engine.Param]packing) map[*engine.Param]*value {
	users, makers := g.users(), g.makers()
	grads, taken := map[*engine.Param]*value{}, map[*value]bool{}
	for k, param := range g.obj.Trainable {
		v := g.value(g.obj.Grads[k])
		grads[param] = v
		own := makesGradient(makers[v]) && len(users[v]) == 0 && !taken[v] && v.root == nil
		taken[v] = true
		if own {
			continue
		}
		grads[param] = newValue(v.label, param.Shape)
		store := &instr{node: param.Name, op: &storeGrad{packings[param]}, in: []*value{v}, out: grads[param], backward: true}
		g.settle(store)
		g.instrs = append(g.instrs, store)
	}
	return grads
}

// makesGradient tells whether i writes the gradient of a parameter in the layout of that.
func makesGradient(i *instr) bool {
	if i == nil {
		return false
	}
	return i.choice.gradient || i.out.form == plain || i.out.form == vector
}
