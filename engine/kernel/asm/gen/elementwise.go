package main

import (
	"fmt"

	"regraft/engine/kernel/vec"
)

// elementwise is a kernel of planes given by its arithmetic on elements: slots x and y, slot out; Lanes(i) is Vector i of the arguments.
type elementwise struct {
	name string
	body func(p *vec.Program)
}

// The operands of a plane.
const (
	x = iota
	y
	out
)

// The scalars.
const (
	low = iota
	high
)

var elementwises = []elementwise{
	{"copy", func(p *vec.Program) { p.Store(out, p.Load(x)) }},
	{"fill", func(p *vec.Program) { p.Store(out, p.Lanes(0)) }},
	{"add", func(p *vec.Program) { p.Store(out, p.Max(p.Scalar(low), p.Add(p.Load(x), p.Load(y)))) }},
	{"mul", func(p *vec.Program) { p.Store(out, p.Mul(p.Load(x), p.Load(y))) }},
	{"scale", func(p *vec.Program) { p.Store(out, p.Mul(p.Lanes(0), p.Load(x))) }},
	{"affine", func(p *vec.Program) {
		p.Store(out, p.Max(p.Scalar(low), p.FMA(p.Load(x), p.Lanes(0), p.Lanes(1))))
	}},
	{"relugrad", func(p *vec.Program) { p.Store(out, p.Where(p.Compare(vec.Greater, p.Load(x), p.Const(0)), p.Load(y))) }},
	{"clip", func(p *vec.Program) { p.Store(out, p.Min(p.Scalar(high), p.Max(p.Scalar(low), p.Load(x)))) }},
	{"clipgrad", func(p *vec.Program) {
		v := p.Load(x)
		above := p.Where(p.Compare(vec.Greater, v, p.Scalar(low)), p.Load(y))
		p.Store(out, p.Where(p.Compare(vec.Less, v, p.Scalar(high)), above))
	}},
	// Vectors: scale, shift, mean, k1, k2, k3. X is z, Y is dy.
	{"normgrad", func(p *vec.Program) {
		z := p.Load(x)
		g := p.Where(p.Compare(vec.Greater, p.FMA(p.Lanes(0), z, p.Lanes(1)), p.Const(0)), p.Load(y))
		d := p.FMS(p.Lanes(3), g, p.Lanes(4))
		p.Store(out, p.FNMA(p.Lanes(5), p.Sub(z, p.Lanes(2)), d))
	}},
}

// longBody is the number of instructions from which on a turn of the loop treats one pixel only.
const longBody = 12

// emit writes the whole kernel.
func (k elementwise) emit(f *file, s isa) {
	code := compile(k.name, s.target, vec.Of(k.body), vec.Frame{Free: s.registers(0), Parts: s.per})
	f.planeConstants(s, code)
	unroll := planeUnroll
	if code.Len() >= longBody {
		unroll = 1
	}
	f.walkPixels(unroll, func(pixel int) {
		for part := range s.per {
			f.body(code, vec.Places{Part: part, Memory: func(slot int) string {
				return fmt.Sprintf("%d(%s)", pixel*64+part*s.bytes, []string{"SI", "BX", "DX"}[slot])
			}})
		}
	})
}

// planeConstants loads the constants of a program from abi.Plane.
func (f *file) planeConstants(s isa, code *vec.Code) {
	code.PrintConstants(func(i, part int) string {
		if part == 0 {
			f.P("MOVQ %d(DI), AX", planeVector+8*i)
		}
		return fmt.Sprintf("%d(AX)", part*s.bytes)
	}, func(i int) string { return fmt.Sprintf("%d(DI)", planeLow+4*i) }, f.number, f.line)
}

// emitPlain writes the plain Go form.
func (k elementwise) emitPlain(f *file) {
	p := vec.Of(k.body)
	f.plainFunction(k.name, "planeArgs", func() {
		for i := range p.Count(vec.Lanes) {
			f.plainVector(fmt.Sprintf("lanes%d", i), i)
		}
		f.plainPixels(p, vec.Names{
			Lanes:  func(i int) string { return fmt.Sprintf("lanes%d[c]", i) },
			Scalar: func(i int) string { return []string{"k.Low", "k.High"}[i] },
		})
	})
}

func (f *file) plainVector(name string, i int) {
	fmt.Fprintf(&f.Plain, "%s := LanesAt(k.Vector[%d])\n", name, i)
}

// plainPixels writes the loop over the pixels of a plane and their lanes around a program.
func (f *file) plainPixels(p *vec.Program, names vec.Names) {
	slots := []string{"x", "y", "out", "scale", "shift"}
	for slot, name := range slots {
		switch used := p.Uses(vec.Load, slot) || p.Uses(vec.Store, slot); {
		case !used:
			slots[slot] = "_"
		case slot > out:
			f.plainVector(name, slot-scale)
		}
	}
	names.Load = func(slot int) string { return slots[slot] + "[c]" }
	names.Store = names.Load
	fmt.Fprintf(&f.Plain, "EachPixel(k, func(%s, %s, %s *[Lanes]float32) {\nfor c := range Lanes {\n", slots[x], slots[y], slots[out])
	fmt.Fprintf(&f.Plain, "%s}\n})\n", p.Plain(names))
}
