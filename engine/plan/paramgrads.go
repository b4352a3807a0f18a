package plan

import (
	"regraft/engine"
	"regraft/engine/kernel"
)

func init() {
	register(row[*storeGrad]{emit: (*emitter).storeGrad})
}

// storeGrad is the planner's own operator that brings a gradient computed elsewhere into the layout of its parameter.
type storeGrad struct{ packing packing }

func (*storeGrad) title() string { return "StoreGrad" }

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
		store := &instr{label: param.Name, op: &storeGrad{packings[param]}, in: []*value{v}, out: grads[param], backward: true}
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

// gradStore is the primitive of storeGrad. Operands: 0 the gradient as it was computed, 1 the parameter's.
type gradStore struct {
	from   place
	length int
	pack   func(dst, src []float32)
}

func (*gradStore) Name() string { return "store_gradient" }

// Items is one.
func (*gradStore) Items(int) int { return 1 }

func (s *gradStore) Item(_ *kernel.Worker, _ int, a *kernel.Args) {
	dst := kernel.Floats(a.Operand[1], s.length)
	clear(dst)
	s.pack(dst, s.from.values(a.Operand[0]))
}

func (e *emitter) storeGrad(i *instr, o *storeGrad) error {
	prim := &gradStore{placeOf(i.in[0]), o.packing.length, o.packing.pack}
	return e.primitive(i, prim, nil, 0, i.in[0], i.out)
}
