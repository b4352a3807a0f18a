package plan

import (
	"errors"
	"fmt"
	"slices"

	"gorgonia.org/gorgonia"

	"regraft/engine"
	"regraft/engine/kernel"
	"regraft/engine/op"
)

// maxArena bounds what a program may ask for, in bytes.
const maxArena = 64 << 30

// ErrShape: programs take images, and hand out images, matrices and tokens only.
var ErrShape = errors.New("the shape must be (N, C, H, W), (N, T, C) or (N, C)")

// Inference compiles net, for up to net.Batch() images, with BatchNorm folded into convolutions
// and activations applied where their operand is made.
func Inference(net *engine.Network, opt Options) (*Program, error) {
	return inference(net, opt, inferencePasses)
}

func inference(net *engine.Network, opt Options, passes []pass) (*Program, error) {
	g, err := lowerNetwork(net, opt)
	if err != nil {
		return nil, err
	}
	return g.compile(passes)
}

// Training compiles an objective: forward pass, gradients and the update of running statistics.
func Training(obj *engine.Objective, opt Options) (*Program, error) {
	return training(obj, opt, trainingPasses)
}

func training(obj *engine.Objective, opt Options, passes []pass) (*Program, error) {
	return lowerObjective(obj, opt).compile(passes)
}

// Passes names the passes of Inference, in their order.
func Passes() []string {
	var names []string
	for _, p := range inferencePasses {
		names = append(names, p.name)
	}
	return names
}

// After prints what Inference has made of net when it is through with the pass of that name, one of Passes.
func After(net *engine.Network, opt Options, name string) (string, error) {
	for k, p := range inferencePasses {
		if p.name != name {
			continue
		}
		g, err := lowerNetwork(net, opt)
		if err != nil {
			return "", err
		}
		err = g.rewrite(inferencePasses[:k+1])
		return g.String(), err
	}
	return "", fmt.Errorf("the planner has no pass %q", name)
}

// compile rewrites the graph and emits its program.
func (g *graph) compile(passes []pass) (*Program, error) {
	if err := g.rewrite(passes); err != nil {
		return nil, err
	}
	e := newEmitter(g)
	for _, i := range g.instrs {
		e.backward = i.backward
		if err := e.instr(i); err != nil {
			return nil, err
		}
	}
	keep := slices.Clone(g.losses)
	for _, o := range g.net.Outputs {
		keep = append(keep, g.value(o.Node))
	}
	if err := e.finish(keep...); err != nil {
		return nil, err
	}
	for _, l := range g.losses {
		e.p.Losses = append(e.p.Losses, l.ref)
	}
	return e.p, e.outputs()
}

// lowerNetwork lowers what net computes.
func lowerNetwork(net *engine.Network, opt Options) (*graph, error) {
	if s := net.Input.Shape(); s.Dims() != 4 {
		return nil, fmt.Errorf("input: %w, not %v", ErrShape, s)
	}
	net, err := net.PoolAfterConv()
	if err != nil {
		return nil, err
	}
	if net, err = net.Join(); err != nil {
		return nil, err
	}
	if net, err = net.OneToken(); err != nil {
		return nil, err
	}
	return lower(net, opt, nil, net.Nodes()), nil
}

// lowerObjective lowers everything that the loss, the gradients and the updates depend on.
func lowerObjective(obj *engine.Objective, opt Options) *graph {
	forward := append(gorgonia.Nodes{obj.Total}, obj.Losses...)
	for _, o := range obj.Net.Outputs {
		forward = append(forward, o.Node)
	}
	for _, u := range obj.Updates {
		forward = append(forward, u.Node)
	}
	isForward := map[*gorgonia.Node]bool{}
	for _, n := range reachable(forward...) {
		isForward[n] = true
	}
	nodes := reachable(append(forward, obj.Grads...)...)
	// Gradients that reuse a forward node must not come before it; forward nodes first keeps both orders.
	var sorted []*gorgonia.Node
	for _, n := range nodes {
		if isForward[n] {
			sorted = append(sorted, n)
		}
	}
	first := len(sorted)
	for _, n := range nodes {
		if !isForward[n] {
			sorted = append(sorted, n)
		}
	}
	g := lower(obj.Net, opt, obj, sorted)
	back := map[*value]bool{}
	for _, n := range sorted[first:] {
		back[g.value(n)] = true
	}
	for _, i := range g.instrs {
		i.backward = back[i.out]
	}
	if obj.Key != nil {
		key := g.value(obj.Key)
		key.ref, key.placed = Ref{Space: Key}, true
	}
	for _, l := range obj.Losses {
		g.losses = append(g.losses, g.value(l))
		g.program.LossWeights = append(g.program.LossWeights, 1)
	}
	copy(g.program.LossWeights, obj.Total.Op().(*op.WeightedSum).Weights)
	return g
}

// outputs describes where the network's outputs end.
func (e *emitter) outputs() error {
	for _, o := range e.g.net.Outputs {
		v := e.g.value(o.Node)
		root, _ := v.base()
		if root.form != matrix && root.form != blocked {
			return fmt.Errorf("output %q: %w, not %v", o.Name, ErrShape, v.Shape)
		}
		view := View{Name: o.Name, Ref: root.ref, Rows: v.shape[0], Cols: v.shape.TotalSize() / v.shape[0], Layout: v.images()}
		e.p.Outputs = append(e.p.Outputs, view)
	}
	if e.p.Scratch > maxArena/kernel.F32.Size() {
		return fmt.Errorf("a step needs %d GiB of memory for every thread; use smaller photos", e.p.Scratch>>28)
	}
	if e.p.Size[Arena] > maxArena || e.p.Size[Const] > maxArena {
		return fmt.Errorf("the network needs %d GiB of memory for this batch and photo size; use smaller ones", (e.p.Size[Arena]+e.p.Size[Const])>>30)
	}
	return nil
}
