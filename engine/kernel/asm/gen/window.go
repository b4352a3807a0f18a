package main

import (
	"fmt"
	"slices"

	"regraft/engine/kernel/vec"
)

// window is a kernel of pools or depthwise convolutions, given by its arithmetic on the elements of a window: start before the first,
// tap for each, give for each once more (of the gradient of a maximum, the window of dX), finish at the end.
type window struct {
	name                     string
	start, tap, give, finish func(p *vec.Program)
	loop                     func(w *windowKernel) // of the assembly
}

// The memory of windows.
const (
	element = iota // of the window
	pixel          // that the window belongs to
	weight         // of the element
)

// Their states: what they make, and registers that only the loop changes.
const (
	total   = iota
	winner  // the index of the largest element
	index   // of the element
	divisor // of an average
	factor  // the weight, where a group of pixels shares it
)

var windows = []window{
	{
		name:  "averagepool",
		start: func(p *vec.Program) { p.SetState(total, p.Const(0)) },
		tap:   func(p *vec.Program) { p.SetState(total, p.Add(state(p, total), p.Load(element))) },
		finish: func(p *vec.Program) {
			average := p.Div(state(p, total), state(p, divisor))
			p.Store(pixel, p.Max(p.Scalar(low), p.Add(average, p.Lanes(0))))
		},
		loop: (*windowKernel).average,
	},
	{ // X is the gradient of the input, Y that of the output.
		name:  "averagepoolgrad",
		start: func(p *vec.Program) { p.SetState(total, p.Div(p.Load(pixel), state(p, divisor))) },
		tap:   func(p *vec.Program) { p.Store(element, p.Add(state(p, total), p.Load(element))) },
		loop:  (*windowKernel).averageGrad,
	},
	{
		name:  "depthwise",
		start: func(p *vec.Program) { p.SetState(total, p.Lanes(0)) },
		tap:   func(p *vec.Program) { p.SetState(total, p.FMA(state(p, factor), p.Load(element), state(p, total))) },
		finish: func(p *vec.Program) {
			p.Store(pixel, p.Min(p.Scalar(high), p.Max(p.Scalar(low), state(p, total))))
		},
		loop: (*windowKernel).depthwise,
	},
	{ // X is the gradient of the input, Y that of the output.
		name:  "depthwisegradx",
		start: func(p *vec.Program) { p.SetState(total, p.Load(pixel)) },
		tap:   func(p *vec.Program) { p.Store(element, p.FMA(state(p, total), p.Load(weight), p.Load(element))) },
		loop:  (*windowKernel).depthwiseGradX,
	},
	{ // The weights are their gradient.
		name: "depthwisegradw",
		tap: func(p *vec.Program) {
			p.SetState(factor, p.FMA(p.Load(pixel), p.Load(element), state(p, factor)))
		},
		loop: (*windowKernel).depthwiseGradW,
	},
	{ // NaN is larger than everything.
		name:   "maxpool",
		start:  func(p *vec.Program) { p.SetState(total, p.Const(minusInfinity)) },
		tap:    func(p *vec.Program) { p.SetState(total, p.Largest(state(p, total), p.Load(element))) },
		finish: func(p *vec.Program) { p.Store(pixel, state(p, total)) },
		loop:   (*windowKernel).max,
	},
	{ // The winning element of every lane is found, then dY added there.
		name: "maxpoolgrad",
		start: func(p *vec.Program) {
			p.SetState(total, p.Const(minusInfinity))
			p.SetState(winner, p.Const(0))
		},
		tap: func(p *vec.Program) {
			v, best := p.Load(element), state(p, total)
			better := p.Or(p.Compare(vec.Greater, v, best), p.Compare(vec.Unordered, v, v))
			p.SetState(winner, p.Select(better, state(p, index), state(p, winner)))
			p.SetState(total, p.Select(better, v, best))
		},
		give: func(p *vec.Program) {
			d := p.Where(p.EqualInt(state(p, winner), state(p, index)), p.Load(pixel))
			p.Store(element, p.Add(d, p.Load(element)))
		},
		loop: (*windowKernel).maxGrad,
	},
}

func state(p *vec.Program, i int) vec.Value { return p.State(vec.F32, i) }

func pools(f *file) {
	kernels := map[string]window{}
	var names []string
	for _, w := range windows {
		names, kernels[w.name] = append(names, w.name), w
		w.emitPlain(f)
	}
	named(f, "pool", "poolArgs", names, func(s isa, name string) { newWindowKernel(f, s, kernels[name]).emit() })
	f.plainTable("pool", "poolArgs", names)
}

// The bodies of a window in the order in which they run.
const (
	atStart = iota
	atTap
	atGive
	atFinish
	bodies
)

// programs are its bodies; nil where there is none.
func (w window) programs() (all [bodies]*vec.Program) {
	for i, body := range [bodies]func(*vec.Program){w.start, w.tap, w.give, w.finish} {
		if body != nil {
			all[i] = vec.Of(body)
		}
	}
	return all
}

// emitPlain writes the plain Go form.
func (w window) emitPlain(f *file) {
	programs := w.programs()
	uses := func(op vec.Op, i int) bool {
		return slices.ContainsFunc(programs[:], func(p *vec.Program) bool { return p != nil && p.Uses(op, i) })
	}
	write := func(format string, args ...any) { fmt.Fprintf(&f.Plain, format+"\n", args...) }
	memory := func(slot int) string { return []string{"element", "pixel", "weight"}[slot] + "[c]" }
	lanes := func(p *vec.Program) {
		if p == nil {
			return
		}
		write("for c := range Lanes {\n%s}", p.Plain(vec.Names{
			Load: memory, Store: memory,
			State:  func(i int) string { return []string{"total[c]", "winner[c]", "index", "p.divisor", "weight[c]"}[i] },
			Lanes:  func(int) string { return "bias[c]" },
			Scalar: func(i int) string { return []string{"k.Low", "k.High"}[i] },
		}))
	}
	elements := func(base, list string, p *vec.Program) {
		if p == nil {
			return
		}
		write("for i := range p.%s {\nelement := LanesAt(p.%s + uintptr(p.%s[i]))", list, base, list)
		if p.Uses(vec.Load, weight) || p.Uses(vec.State, factor) {
			write("weight := LanesAt(k.W + uintptr(p.wTaps[i]))")
		}
		if p.Uses(vec.State, index) {
			write("index := math.Float32frombits(uint32(i))")
		}
		lanes(p)
		write("}")
	}
	f.plainFunction(w.name, "poolArgs", func() {
		if uses(vec.Lanes, 0) {
			write("bias := LanesAt(k.Bias)")
		}
		write("eachWindow(k, func(p poolPixel) {")
		for i, name := range []string{"total", "winner"} {
			if uses(vec.State, i) || uses(vec.SetState, i) {
				write("var %s lanes", name)
			}
		}
		if uses(vec.Load, pixel) || uses(vec.Store, pixel) {
			write("pixel := LanesAt(p.y)")
		}
		lanes(programs[atStart])
		elements("x", "taps", programs[atTap])
		elements("dx", "dxTaps", programs[atGive])
		lanes(programs[atFinish])
		write("})")
	})
}
