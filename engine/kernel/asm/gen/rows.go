package main

import "regraft/engine/kernel/vec"

// What is computed over the channels of every pixel, as layer normalisation and attention's softmax are, goes block by block of channels:
// lane by lane over the blocks here, and over the sixteen lanes of the result by whoever calls. X is a block, Y what belongs to its
// pixels, with the same number in all lanes or, in sums, one of its own in each.
var overChannels = []elementwise{
	{"largest", func(p *vec.Program) { p.Store(out, p.Max(p.Mul(p.Load(x), p.Scalar(low)), p.Load(y))) }},
	{"expless", func(p *vec.Program) { p.Store(out, exp(p, p.FMS(p.Load(x), p.Scalar(low), p.Load(y)))) }},
	{"sub", func(p *vec.Program) { p.Store(out, p.Sub(p.Load(x), p.Load(y))) }},
	{"addsquare", func(p *vec.Program) { v := p.Load(x); p.Store(out, p.FMA(v, v, p.Load(y))) }},
	{"normalize", func(p *vec.Program) { p.Store(out, p.FMA(p.Mul(p.Load(x), p.Load(y)), p.Lanes(0), p.Lanes(1))) }},
	{"scaleadd", func(p *vec.Program) { p.Store(out, p.FMA(p.Load(x), p.Scalar(low), p.Load(y))) }},
	{"product", func(p *vec.Program) { p.Store(out, p.Mul(p.Mul(p.Load(x), p.Load(y)), p.Scalar(low))) }},
}
