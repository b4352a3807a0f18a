package plan

import "regraft/engine"

// placeParams gives every trainable parameter its place in the spaces Param and Grad, and every
// running statistic one in Stats. Layouts depend on shapes alone.
func (g *graph) placeParams() {
	obj, p := g.obj, g.program
	packings := g.packings()
	grads := g.ownGradients(packings)
	add := func(param *engine.Param, space Space, list *[]Slot) Slot {
		pk := packings[param]
		s := Slot{Param: param, Off: p.Size[space], Len: pk.length, Pack: pk.pack, Unpack: pk.unpack}
		*list = append(*list, s)
		v := &value{label: param.Name, shape: param.Shape, form: plain, length: s.Len, placed: true, ref: Ref{space, s.Off}}
		p.Size[space] += v.bytes()
		g.homes[param] = home{v, pk}
		return s
	}
	for _, param := range obj.Trainable {
		s, grad := add(param, Param, &p.Params), grads[param]
		if packings[param].key == nil {
			grad.form = plain // in the layout of its parameter
		}
		grad.placed, grad.ref, grad.length = true, Ref{Grad, s.Off}, s.Len
	}
	p.Size[Grad] = p.Size[Param]
	for _, u := range obj.Updates {
		if _, placed := g.homes[u.Param]; !placed {
			add(u.Param, Stats, &p.Running)
		}
	}
}

// packings decides how every parameter lies: as all that read it want it, or else plainly. Who wants it in another way packs it anew.
func (g *graph) packings() map[*engine.Param]packing {
	found := map[*engine.Param]packing{}
	for _, i := range g.instrs {
		for k, v := range i.in {
			if v.param == nil {
				continue
			}
			p := plainPacking(v.param)
			if c := i.choice.packing; c != nil && c.operand == k {
				p = *c
			}
			if other, read := found[v.param]; read && other.key != p.key {
				p = plainPacking(v.param)
			}
			found[v.param] = p
		}
	}
	return found
}

// ownGradients gives every trainable parameter a gradient that the space Grad can hold. Most are computed there; where
// the gradient is a value like others (in the layout of images, read by other steps, the same for two parameters, as that
// of a table that is added to images), or some of it does not count, a step copies it.
func (g *graph) ownGradients(packings map[*engine.Param]packing) map[*engine.Param]*value {
	users, makers := g.users(), g.makers()
	grads, owned, count := map[*engine.Param]*value{}, map[*value]bool{}, map[*value]int{}
	for _, n := range g.obj.Grads {
		count[g.value(n)]++
	}
	var stores []*instr
	for k, param := range g.obj.Trainable {
		v := g.value(g.obj.Grads[k])
		grads[param] = v
		if param.Still == nil && makesGradient(makers[v], packings[param]) && len(users[v]) == 0 && count[v] == 1 && v.root == nil {
			owned[v] = true
			continue
		}
		grads[param] = newValue(v.label, param.Shape)
		store := &instr{node: param.Name, op: &storeGrad{packings[param], param.Still}, in: []*value{v}, out: grads[param], backward: true}
		g.settle(store)
		stores = append(stores, store)
	}
	g.loadGradients(owned)
	g.instrs = append(g.instrs, stores...)
	return grads
}

// makesGradient tells whether i writes the gradient of a parameter as that lies.
func makesGradient(i *instr, p packing) bool {
	switch {
	case i == nil:
		return false
	case i.choice.result != nil:
		return i.choice.result.key == p.key
	case p.key != nil:
		return false
	}
	return i.choice.gradient || i.out.form == plain || i.out.form == vector
}

// loadGradients makes values of the results that lie as parameters do, but for those that the space Grad holds.
func (g *graph) loadGradients(owned map[*value]bool) {
	var instrs []*instr
	for _, i := range g.instrs {
		instrs = append(instrs, i)
		p := i.choice.result
		if p == nil || owned[i.out] {
			continue
		}
		load := &instr{node: i.node, op: &loadGrad{*p}, out: i.out, backward: true}
		i.out = newValue(i.out.label, i.out.Shape)
		i.out.form, i.out.length = plain, p.length
		load.in = []*value{i.out}
		g.settle(load)
		instrs = append(instrs, load)
	}
	g.instrs = instrs
}
