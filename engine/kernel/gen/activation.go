package main

// The tables of constants, in the order of kernel.expTable and kernel.hardTable.
const (
	expHigh = iota
	expLow
	expLog2E
	expRound
	expLn2High
	expLn2Low
	exp5
	exp4
	exp3
	exp2
	exp1
	exp0
	expOne
	expBias
	expLargest
	geluMinusHalf
	tailSlope
	tail8
	tail7
	tail6
	tail5
	tail4
	tail3
	tail2
	tail1
	tailEnd
	density
)

const (
	hardThree = iota
	hardSix
	hardSixth
	hardThird
	hardHalf
	hardMinusThree
	hardOne
)

// sigmoids are functions around the sigmoid and their gradients.
var sigmoids = []elementwise{
	{name: "sigmoid", vectors: 1, table: true, body: func(e *element) {
		e.onePlusExp()
		e.P("VDIVPS %s, %s, %s", e.t[2], e.vector[0], e.t[0])
		e.P("VMOVUPS %s, %s", e.t[0], e.out)
	}},
	{name: "silu", table: true, body: func(e *element) {
		e.onePlusExp()
		e.P("VMOVUPS %s, %s", e.x, e.t[0])
		e.P("VDIVPS %s, %s, %s", e.t[2], e.t[0], e.t[0])
		e.P("VMOVUPS %s, %s", e.t[0], e.out)
	}},
	{name: "sigmoidgrad", table: true, body: func(e *element) {
		e.sigmoidAndRest()
		e.P("VMULPS %s, %s, %s", e.t[1], e.t[2], e.t[2])
		e.P("VMULPS %s, %s, %s", e.y, e.t[2], e.t[2])
		e.P("VMOVUPS %s, %s", e.t[2], e.out)
	}},
	{name: "silugrad", table: true, body: func(e *element) {
		e.sigmoidAndRest()
		e.P("VMOVUPS %s, %s", e.x, e.t[0])
		e.P("VFMADD213PS %s, %s, %s", e.constant(expOne), e.t[0], e.t[2])
		e.P("VMULPS %s, %s, %s", e.t[1], e.t[2], e.t[2])
		e.P("VMULPS %s, %s, %s", e.y, e.t[2], e.t[2])
		e.P("VMOVUPS %s, %s", e.t[2], e.out)
	}},
	{name: "gelu", table: true, body: func(e *element) {
		e.normalTail()
		e.P("VMULPS %s, %s, %s", e.t[2], e.t[3], e.t[3])
		e.P("VMULPS %s, %s, %s", e.t[3], e.t[0], e.t[0])
		e.P("VMOVUPS %s, %s", e.x, e.t[1])
		e.zero(e.file, e.t[2])
		e.P("VMAXPS %s, %s, %s", e.t[1], e.t[2], e.t[1])
		e.P("VSUBPS %s, %s, %s", e.t[0], e.t[1], e.t[1])
		e.P("VMOVUPS %s, %s", e.t[1], e.out)
	}},
	{name: "gelugrad", table: true, body: func(e *element) {
		e.normalTail()
		e.P("VMULPS %s, %s, %s", e.t[2], e.t[3], e.t[3])
		e.P("VMULPS %s, %s, %s", e.t[2], e.t[0], e.t[0])
		e.P("VFNMADD231PS %s, %s, %s", e.constant(density), e.t[0], e.t[3])
		e.zero(e.file, e.t[1])
		e.keepWhere(e.file, cmpGreater, e.t[1], e.x, e.t[3], e.t[2], e.t[2])
		e.P("VMOVUPS %s, %s", e.constant(expOne), e.t[0])
		e.P("VSUBPS %s, %s, %s", e.t[3], e.t[0], e.t[3])
		e.keepWhere(e.file, cmpNotGreater, e.t[1], e.x, e.t[3], e.t[0], e.t[0])
		e.P("VADDPS %s, %s, %s", e.t[2], e.t[0], e.t[0])
		e.P("VMULPS %s, %s, %s", e.y, e.t[0], e.t[0])
		e.P("VMOVUPS %s, %s", e.t[0], e.out)
	}},
	{name: "hardsigmoid", vectors: 1, low: true, high: true, body: func(e *element) {
		e.P("VMOVUPS %s, %s", e.x, e.t[0])
		e.P("VFMADD213PS %s, %s, %s", e.high, e.low, e.t[0])
		e.zero(e.file, e.t[1])
		e.P("VMAXPS %s, %s, %s", e.t[0], e.t[1], e.t[0])
		e.P("VMINPS %s, %s, %s", e.t[0], e.vector[0], e.t[0])
		e.P("VMOVUPS %s, %s", e.t[0], e.out)
	}},
	{name: "hardsigmoidgrad", vectors: 1, low: true, high: true, body: func(e *element) {
		e.P("VMOVUPS %s, %s", e.x, e.t[0])
		e.P("VFMADD213PS %s, %s, %s", e.high, e.low, e.t[0])
		e.zero(e.file, e.t[1])
		e.keepWhere(e.file, cmpGreater, e.t[0], e.t[1], e.y, e.t[2], e.t[2])
		e.keepWhere(e.file, cmpLess, e.t[0], e.vector[0], e.t[2], e.t[1], e.t[1])
		e.P("VMULPS %s, %s, %s", e.low, e.t[1], e.t[1])
		e.P("VMOVUPS %s, %s", e.t[1], e.out)
	}},
	{name: "hardswish", table: true, body: func(e *element) {
		e.P("VMOVUPS %s, %s", e.x, e.t[0])
		e.P("VADDPS %s, %s, %s", e.constant(hardThree), e.t[0], e.t[1])
		e.zero(e.file, e.t[2])
		e.P("VMAXPS %s, %s, %s", e.t[1], e.t[2], e.t[1])
		e.P("VMOVUPS %s, %s", e.constant(hardSix), e.t[2])
		e.P("VMINPS %s, %s, %s", e.t[1], e.t[2], e.t[1])
		e.P("VMULPS %s, %s, %s", e.constant(hardSixth), e.t[1], e.t[1])
		e.P("VMULPS %s, %s, %s", e.t[0], e.t[1], e.t[1])
		e.P("VMOVUPS %s, %s", e.t[1], e.out)
	}},
	{name: "hardswishgrad", table: true, body: func(e *element) {
		e.P("VMOVUPS %s, %s", e.x, e.t[0])
		e.P("VMOVUPS %s, %s", e.constant(hardHalf), e.t[1])
		e.P("VFMADD231PS %s, %s, %s", e.constant(hardThird), e.t[0], e.t[1])
		e.keepWhere(e.file, cmpNotLessEqual, e.t[0], e.constant(hardMinusThree), e.t[1], e.t[2], e.t[1])
		e.keepWhere(e.file, cmpNotGreaterEqual, e.t[0], e.constant(hardThree), e.t[1], e.t[2], e.t[1])
		e.keepWhere(e.file, cmpGreaterEqual, e.t[0], e.constant(hardThree), e.constant(hardOne), e.t[2], e.t[2])
		e.P("VADDPS %s, %s, %s", e.t[2], e.t[1], e.t[1])
		e.P("VMULPS %s, %s, %s", e.y, e.t[1], e.t[1])
		e.P("VMOVUPS %s, %s", e.t[1], e.out)
	}},
}

// onePlusExp sets scratch 2 to 1 + e**-x.
func (e *element) onePlusExp() {
	e.expOfMinus()
	e.P("VADDPS %s, %s, %s", e.constant(expOne), e.t[2], e.t[2])
}

// sigmoidAndRest sets scratch 1 to the sigmoid of x and scratch 2 to 1 minus that.
func (e *element) sigmoidAndRest() {
	e.expOfMinus()
	e.P("VADDPS %s, %s, %s", e.constant(expOne), e.t[2], e.t[3])
	e.P("VMOVUPS %s, %s", e.constant(expOne), e.t[1])
	e.P("VDIVPS %s, %s, %s", e.t[3], e.t[1], e.t[1])
	e.P("VMOVUPS %s, %s", e.constant(expLargest), e.t[3])
	e.P("VMINPS %s, %s, %s", e.t[2], e.t[3], e.t[2])
	e.P("VMULPS %s, %s, %s", e.t[1], e.t[2], e.t[2])
}

// normalTail sets scratch 0 to |x| up to tailEnd, scratch 2 to e**(-x*x/2), and scratch 3 to the polynomial whose
// product with that is the probability of more than |x|.
func (e *element) normalTail() {
	a, t, p := e.t[0], e.t[1], e.t[3]
	e.P("VMOVUPS %s, %s", e.x, a)
	e.P("VMULPS %s, %s, %s", a, a, a)
	e.P("VMULPS %s, %s, %s", e.constant(geluMinusHalf), a, a)
	e.exp()
	e.P("VMOVUPS %s, %s", e.x, t)
	e.zero(e.file, a)
	e.P("VSUBPS %s, %s, %s", t, a, a)
	e.P("VMAXPS %s, %s, %s", t, a, a)
	e.P("VMOVUPS %s, %s", e.constant(expOne), t)
	e.P("VFMADD231PS %s, %s, %s", e.constant(tailSlope), a, t)
	e.P("VMOVUPS %s, %s", e.constant(expOne), p)
	e.P("VDIVPS %s, %s, %s", t, p, t)
	e.P("VMOVUPS %s, %s", e.constant(tail8), p)
	for _, c := range []int{tail7, tail6, tail5, tail4, tail3, tail2, tail1} {
		e.P("VFMADD213PS %s, %s, %s", e.constant(c), t, p)
	}
	e.P("VMULPS %s, %s, %s", t, p, p)
	e.P("VMOVUPS %s, %s", e.constant(tailEnd), t)
	e.P("VMINPS %s, %s, %s", a, t, a)
}

// expOfMinus sets scratch 2 to e**-x.
func (e *element) expOfMinus() {
	e.zero(e.file, e.t[0])
	e.P("VSUBPS %s, %s, %s", e.x, e.t[0], e.t[0])
	e.exp()
}

// exp sets scratch 2 to e raised to scratch 0: kernel.exp32.
func (e *element) exp() {
	e.expParts()
	sum, p := e.t[1], e.t[2]
	e.P("VADDPS %s, %s, %s", e.constant(expOne), p, p)
	e.P("VMULPS %s, %s, %s", sum, p, p)
	e.P("VADDPS %s, %s, %s", p, p, p)
}

// expm1 sets scratch 2 to e raised to scratch 0, minus 1: kernel.expm1.
func (e *element) expm1() {
	e.expParts()
	sum, p, k := e.t[1], e.t[2], e.t[3]
	e.P("VADDPS %s, %s, %s", sum, sum, sum)
	e.P("VSUBPS %s, %s, %s", e.constant(expOne), sum, k)
	e.P("VFMADD213PS %s, %s, %s", k, sum, p)
}

// expParts sets scratch 1 to 2**(k-1) and scratch 2 to e**r - 1, where scratch 0 is k ln 2 + r.
func (e *element) expParts() {
	t, sum, p, k := e.t[0], e.t[1], e.t[2], e.t[3]
	e.P("VMOVUPS %s, %s", e.constant(expLow), p)
	e.P("VMAXPS %s, %s, %s", t, p, t)
	e.P("VMOVUPS %s, %s", e.constant(expHigh), p)
	e.P("VMINPS %s, %s, %s", t, p, t)
	e.P("VMOVUPS %s, %s", e.constant(expRound), sum)
	e.P("VFMADD231PS %s, %s, %s", e.constant(expLog2E), t, sum)
	e.P("VSUBPS %s, %s, %s", e.constant(expRound), sum, k)
	e.P("VFMADD231PS %s, %s, %s", e.constant(expLn2High), k, t)
	e.P("VFMADD231PS %s, %s, %s", e.constant(expLn2Low), k, t) // r
	e.P("VPSLLD $23, %s, %s", sum, sum)
	e.P("VPADDD %s, %s, %s", e.constant(expBias), sum, sum) // 2**(k-1)
	e.P("VMOVUPS %s, %s", e.constant(exp5), p)
	for _, c := range []int{exp4, exp3, exp2, exp1, exp0} {
		e.P("VFMADD213PS %s, %s, %s", e.constant(c), t, p)
	}
	e.P("VMULPS %s, %s, %s", t, t, k)
	e.P("VFMADD213PS %s, %s, %s", t, k, p)
}
