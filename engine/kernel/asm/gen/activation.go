package main

import (
	"math"

	"regraft/engine/kernel/vec"
)

// activations is every function of an element and its gradient, where X is what the function was given and Y the gradient behind it.
// A factor that is 1 in real lanes and 0 in those past the last channel keeps these at zero.
var activations = []elementwise{
	{"sigmoid", func(p *vec.Program) {
		p.Store(out, p.Div(p.Lanes(0), p.Add(exp(p, minus(p, p.Load(x))), p.Const(1))))
	}},
	{"silu", func(p *vec.Program) {
		v := p.Load(x)
		p.Store(out, p.Div(v, p.Add(exp(p, minus(p, v)), p.Const(1))))
	}},
	{"sigmoidgrad", func(p *vec.Program) {
		s, rest := sigmoidAndRest(p, p.Load(x))
		p.Store(out, p.Mul(p.Mul(rest, s), p.Load(y)))
	}},
	{"silugrad", func(p *vec.Program) {
		v := p.Load(x)
		s, rest := sigmoidAndRest(p, v)
		p.Store(out, p.Mul(p.Mul(p.FMA(rest, v, p.Const(1)), s), p.Load(y)))
	}},
	{"gelu", func(p *vec.Program) {
		v := p.Load(x)
		a, _, q := normalTail(p, v)
		p.Store(out, p.Sub(p.Max(p.Const(0), v), p.Mul(a, q)))
	}},
	{"gelugrad", func(p *vec.Program) {
		v := p.Load(x)
		a, e, q := normalTail(p, v)
		slope := p.FNMA(p.Mul(a, e), p.Const(density), q) // below 0: the function of x and x times the density
		slope = p.Select(p.Compare(vec.Greater, p.Const(0), v), slope, p.Sub(p.Const(1), slope))
		p.Store(out, p.Mul(slope, p.Load(y)))
	}},
	{"gelutanh", func(p *vec.Program) {
		v := p.Load(x)
		p.Store(out, p.Div(v, p.Add(exp(p, minus(p, oddCubic(p, v, tanhLinear, tanhCubic))), p.Const(1))))
	}},
	{"gelutanhgrad", func(p *vec.Program) {
		v := p.Max(p.Const(-tailEnd), p.Min(p.Const(tailEnd), p.Load(x)))
		s, rest := sigmoidAndRest(p, oddCubic(p, v, tanhLinear, tanhCubic))
		slope := oddCubic(p, v, tanhLinear, 3*tanhCubic) // x times the derivative of t
		p.Store(out, p.Mul(p.Mul(p.FMA(rest, slope, p.Const(1)), s), p.Load(y)))
	}},
	{"hardsigmoid", func(p *vec.Program) {
		h := p.FMA(p.Load(x), p.Scalar(low), p.Scalar(high))
		p.Store(out, p.Min(p.Lanes(0), p.Max(p.Const(0), h)))
	}},
	{"hardsigmoidgrad", func(p *vec.Program) {
		h := p.FMA(p.Load(x), p.Scalar(low), p.Scalar(high))
		d := p.Where(p.Compare(vec.Less, h, p.Lanes(0)), p.Where(p.Compare(vec.Greater, h, p.Const(0)), p.Load(y)))
		p.Store(out, p.Mul(d, p.Scalar(low)))
	}},
	{"hardswish", func(p *vec.Program) {
		v := p.Load(x)
		h := p.Min(p.Const(6), p.Max(p.Const(0), p.Add(v, p.Const(3))))
		p.Store(out, p.Mul(p.Mul(h, p.Const(1.0/6)), v))
	}},
	{"hardswishgrad", func(p *vec.Program) {
		v := p.Load(x)
		slope := p.FMA(v, p.Const(1.0/3), p.Const(0.5))
		slope = p.Where(p.Compare(vec.NotLessEqual, v, p.Const(-3)), slope)
		slope = p.Select(p.Compare(vec.GreaterEqual, v, p.Const(3)), p.Const(1), slope)
		p.Store(out, p.Mul(slope, p.Load(y)))
	}},

	// Low is the rate, High the factor of e**x - 1, Vector 0 that of x.
	{"elu", func(p *vec.Program) {
		v := p.Load(x)
		below := p.Mul(expm1(p, p.Mul(p.Min(p.Const(0), v), p.Scalar(low))), p.Scalar(high))
		p.Store(out, p.FMA(p.Max(p.Const(0), v), p.Lanes(0), below))
	}},
	{"elugrad", func(p *vec.Program) {
		v := p.Load(x)
		below := p.Mul(exp(p, p.Mul(p.Min(p.Const(0), v), p.Scalar(low))), p.Scalar(high))
		p.Store(out, p.Mul(p.Select(p.Compare(vec.Greater, v, p.Const(0)), p.Lanes(0), below), p.Load(y)))
	}},
	{"softplus", func(p *vec.Program) {
		v := p.Load(x)
		t := exp(p, p.Min(minus(p, v), v))
		s := p.Div(t, p.Add(t, p.Const(2)))
		l := p.FMA(polynomial(p, p.Mul(s, s), artanh), s, p.Max(p.Const(0), v))
		p.Store(out, p.Mul(l, p.Lanes(0)))
	}},
	{"softsign", func(p *vec.Program) {
		v := p.Load(x)
		p.Store(out, p.Div(v, p.Add(size(p, v), p.Const(1))))
	}},
	{"softsigngrad", func(p *vec.Program) {
		a := p.Add(size(p, p.Load(x)), p.Const(1))
		p.Store(out, p.Div(p.Load(y), p.Mul(a, a)))
	}},
	{"mish", func(p *vec.Program) {
		v := p.Load(x)
		_, n := mishParts(p, v)
		p.Store(out, p.Mul(p.Div(n, p.Add(n, p.Const(2))), v))
	}},
	{"mishgrad", func(p *vec.Program) {
		v := p.Load(x)
		e, n := mishParts(p, v)
		m := p.Add(n, p.Const(2))
		s := p.Div(p.Mul(p.Add(e, p.Const(1)), e), m)
		s = p.FMA(p.Mul(s, p.Min(p.Const(mishEnd), v)), p.Const(4), n)
		p.Store(out, p.Mul(p.Div(s, m), p.Load(y)))
	}},

	// Relatives of ReLU take what they let through from Y: the function takes X itself for it, the gradient dY.
	{"leaky", func(p *vec.Program) { leaky(p, p.Scalar(low)) }},
	{"prelu", func(p *vec.Program) { leaky(p, p.Lanes(0)) }},
	{"threshold", func(p *vec.Program) {
		p.Store(out, p.Where(p.Compare(vec.Greater, p.Load(x), p.Scalar(low)), p.Load(y)))
	}},
}

// sigmoidAndRest is sigmoid(v) and 1 - sigmoid(v), which loses no digits where it is small.
func sigmoidAndRest(p *vec.Program, v vec.Value) (s, rest vec.Value) {
	e := exp(p, minus(p, v))
	s = p.Div(p.Const(1), p.Add(e, p.Const(1)))
	return s, p.Mul(p.Min(p.Const(math.MaxFloat32), e), s) // not infinity times zero
}

// The Gaussian error linear unit (Hendrycks and Gimpel, 2016) by the tail of the normal distribution,
//
//	q(a) = e**(-a*a/2) P(t), t = 1 / (1 + tailSlope a), for a >= 0
//
// with a polynomial P that was fitted to 0 <= a <= 7 with a relative error below 1e-7: x times the distribution function is
// max(x, 0) - |x| q(|x|), which loses no digits on either side.
const (
	tailSlope = 0.3
	tailEnd   = 16                // q is 0 from there on
	density   = 0.398942280401433 // 1/sqrt(2 pi)
)

// tailPolynomial is P(t)/t, the highest power first.
var tailPolynomial = []float32{
	0.037010286, -0.1625277, 0.21500486, -0.061018627, 0.13199615, 0.09905965, 0.1208482, 0.11962719,
}

// normalTail is |v| up to tailEnd, e**(-v*v/2), and the probability of more than |v|.
func normalTail(p *vec.Program, v vec.Value) (a, e, q vec.Value) {
	e = exp(p, p.Mul(p.Mul(v, v), p.Const(-0.5)))
	a = size(p, v)
	t := p.Div(p.Const(1), p.FMA(a, p.Const(tailSlope), p.Const(1)))
	q = p.Mul(p.Mul(polynomial(p, t, tailPolynomial), t), e)
	return p.Min(p.Const(tailEnd), a), e, q
}

// The approximation of the Gaussian error linear unit by tanh, with (1 + tanh(u))/2 = sigmoid(2u): x sigmoid(t), t = a x + b x**3.
const (
	tanhLinear = 1.59576912160573071 // a = 2 sqrt(2/pi)
	tanhCubic  = 0.0713548162726     // b = 0.044715 a
)

// oddCubic is a v + b v**3.
func oddCubic(p *vec.Program, v vec.Value, a, b float32) vec.Value {
	return p.Mul(p.FMA(p.Mul(v, v), p.Const(b), p.Const(a)), v)
}

// artanh makes the logarithm in softplus: ln(1+t) is 2 artanh(s) with s = t/(2+t), which is s times a polynomial of its square: fitted
// from 0 to 1/9 with a relative error below 4e-9.
var artanh = []float32{0.28174666, 0.27961426, 0.40024852, 0.66666316, 2.00000001}

const mishEnd = 20 // from there on tanh(softplus(x)) is 1

// mishParts is e**v and n = (1 + e**v)**2 - 1, of which tanh(softplus(v)) is n/(n+2).
func mishParts(p *vec.Program, v vec.Value) (e, n vec.Value) {
	e = exp(p, p.Min(p.Const(mishEnd), v))
	return e, p.Mul(p.Add(e, p.Const(2)), e)
}

// leaky stores y where x > 0, else slope y. A negative zero becomes positive.
func leaky(p *vec.Program, slope vec.Value) {
	d := p.Load(y)
	v := p.Select(p.Compare(vec.Greater, p.Load(x), p.Const(0)), d, p.Mul(slope, d))
	p.Store(out, p.Add(v, p.Const(0)))
}
