package main

import "slices"

// The constants behind those of kernel.expTable, by table.
const (
	eluGamma = density + 1

	mishEnd  = density + 1
	mishTwo  = density + 2
	mishFour = density + 3

	softplusTwo = density + 1
	artanh4     = density + 2
	artanh0     = density + 6
)

// activations is every function of an element and its gradient.
var activations = slices.Concat(sigmoids, exponentials, rectifiers)

var exponentials = []elementwise{
	{name: "elu", table: true, low: true, high: true, body: func(e *element) {
		e.belowZero()
		e.P("VMULPS %s, %s, %s", e.low, e.t[0], e.t[0])
		e.expm1()
		e.P("VMULPS %s, %s, %s", e.high, e.t[2], e.t[2])
		e.P("VMOVUPS %s, %s", e.x, e.t[0])
		e.zero(e.file, e.t[1])
		e.P("VMAXPS %s, %s, %s", e.t[0], e.t[1], e.t[0])
		e.P("VFMADD231PS %s, %s, %s", e.constant(eluGamma), e.t[0], e.t[2])
		e.P("VMOVUPS %s, %s", e.t[2], e.out)
	}},
	{name: "elugrad", table: true, low: true, high: true, body: func(e *element) {
		e.belowZero()
		e.P("VMULPS %s, %s, %s", e.low, e.t[0], e.t[0])
		e.exp()
		e.P("VMULPS %s, %s, %s", e.high, e.t[2], e.t[2])
		e.P("VMOVUPS %s, %s", e.x, e.t[0])
		e.chooseAbove(e.constant(eluGamma), e.t[2])
		e.P("VMULPS %s, %s, %s", e.y, e.t[2], e.t[2])
		e.P("VMOVUPS %s, %s", e.t[2], e.out)
	}},
	{name: "softplus", vectors: 1, table: true, body: func(e *element) {
		e.P("VMOVUPS %s, %s", e.x, e.t[1])
		e.zero(e.file, e.t[0])
		e.P("VSUBPS %s, %s, %s", e.t[1], e.t[0], e.t[0])
		e.P("VMINPS %s, %s, %s", e.t[1], e.t[0], e.t[0])
		e.exp()
		s, z, p := e.t[2], e.t[1], e.t[0]
		e.P("VADDPS %s, %s, %s", e.constant(softplusTwo), s, z)
		e.P("VDIVPS %s, %s, %s", z, s, s)
		e.P("VMULPS %s, %s, %s", s, s, z)
		e.P("VMOVUPS %s, %s", e.constant(artanh4), p)
		for c := artanh4 + 1; c <= artanh0; c++ {
			e.P("VFMADD213PS %s, %s, %s", e.constant(c), z, p)
		}
		e.P("VMOVUPS %s, %s", e.x, z)
		e.zero(e.file, e.t[3])
		e.P("VMAXPS %s, %s, %s", z, e.t[3], z)
		e.P("VFMADD213PS %s, %s, %s", z, s, p)
		e.P("VMULPS %s, %s, %s", e.vector[0], p, p)
		e.P("VMOVUPS %s, %s", p, e.out)
	}},
	{name: "softsign", table: true, body: func(e *element) {
		e.onePlusSize()
		e.P("VMOVUPS %s, %s", e.x, e.t[1])
		e.P("VDIVPS %s, %s, %s", e.t[0], e.t[1], e.t[1])
		e.P("VMOVUPS %s, %s", e.t[1], e.out)
	}},
	{name: "softsigngrad", table: true, body: func(e *element) {
		e.onePlusSize()
		e.P("VMULPS %s, %s, %s", e.t[0], e.t[0], e.t[0])
		e.P("VMOVUPS %s, %s", e.y, e.t[1])
		e.P("VDIVPS %s, %s, %s", e.t[0], e.t[1], e.t[1])
		e.P("VMOVUPS %s, %s", e.t[1], e.out)
	}},
	{name: "mish", table: true, body: func(e *element) {
		e.mishParts()
		e.P("VADDPS %s, %s, %s", e.constant(mishTwo), e.t[1], e.t[3])
		e.P("VDIVPS %s, %s, %s", e.t[3], e.t[1], e.t[1])
		e.P("VMULPS %s, %s, %s", e.x, e.t[1], e.t[1])
		e.P("VMOVUPS %s, %s", e.t[1], e.out)
	}},
	{name: "mishgrad", table: true, body: func(e *element) {
		e.mishParts()
		n, m, s := e.t[1], e.t[3], e.t[0]
		e.P("VADDPS %s, %s, %s", e.constant(mishTwo), n, m)
		e.P("VADDPS %s, %s, %s", e.constant(expOne), e.t[2], s)
		e.P("VMULPS %s, %s, %s", e.t[2], s, s)
		e.P("VDIVPS %s, %s, %s", m, s, s)
		e.P("VMOVUPS %s, %s", e.constant(mishEnd), e.t[2])
		e.P("VMINPS %s, %s, %s", e.x, e.t[2], e.t[2])
		e.P("VMULPS %s, %s, %s", e.t[2], s, s)
		e.P("VFMADD132PS %s, %s, %s", e.constant(mishFour), n, s)
		e.P("VDIVPS %s, %s, %s", m, s, s)
		e.P("VMULPS %s, %s, %s", e.y, s, s)
		e.P("VMOVUPS %s, %s", s, e.out)
	}},
}

var rectifiers = []elementwise{
	{name: "leaky", low: true, body: func(e *element) {
		e.P("VMULPS %s, %s, %s", e.y, e.low, e.t[2])
		e.leaky()
	}},
	{name: "prelu", vectors: 1, body: func(e *element) {
		e.P("VMULPS %s, %s, %s", e.y, e.vector[0], e.t[2])
		e.leaky()
	}},
	{name: "threshold", low: true, body: func(e *element) {
		e.P("VMOVUPS %s, %s", e.x, e.t[0])
		e.keepWhere(e.file, cmpGreater, e.t[0], e.low, e.y, e.t[1], e.t[1])
		e.P("VMOVUPS %s, %s", e.t[1], e.out)
	}},
}

// leaky stores y where x > 0, else scratch 2.
func (e *element) leaky() {
	e.P("VMOVUPS %s, %s", e.x, e.t[0])
	e.chooseAbove(e.y, e.t[2])
	e.P("VMOVUPS %s, %s", e.t[2], e.out)
}

// chooseAbove sets scratch 2, which below names, to above where scratch 0 is greater than 0: the sum of both parts.
func (e *element) chooseAbove(above, below string) {
	e.zero(e.file, e.t[1])
	e.keepWhere(e.file, cmpNotGreater, e.t[0], e.t[1], below, e.t[3], below)
	e.keepWhere(e.file, cmpGreater, e.t[0], e.t[1], above, e.t[3], e.t[3])
	e.P("VADDPS %s, %s, %s", below, e.t[3], below)
}

// belowZero sets scratch 0 to min(x, 0).
func (e *element) belowZero() {
	e.zero(e.file, e.t[0])
	e.P("VMINPS %s, %s, %s", e.x, e.t[0], e.t[0])
}

// onePlusSize sets scratch 0 to 1 + |x|.
func (e *element) onePlusSize() {
	e.P("VMOVUPS %s, %s", e.x, e.t[1])
	e.zero(e.file, e.t[0])
	e.P("VSUBPS %s, %s, %s", e.t[1], e.t[0], e.t[0])
	e.P("VMAXPS %s, %s, %s", e.t[1], e.t[0], e.t[0])
	e.P("VADDPS %s, %s, %s", e.constant(expOne), e.t[0], e.t[0])
}

// mishParts sets scratch 2 to e = e**x and scratch 1 to (e + 2) e.
func (e *element) mishParts() {
	e.P("VMOVUPS %s, %s", e.constant(mishEnd), e.t[0])
	e.P("VMINPS %s, %s, %s", e.x, e.t[0], e.t[0])
	e.exp()
	e.P("VADDPS %s, %s, %s", e.constant(mishTwo), e.t[2], e.t[1])
	e.P("VMULPS %s, %s, %s", e.t[2], e.t[1], e.t[1])
}
