package main

import (
	"fmt"
	"unsafe"

	"regraft/engine/kernel/abi"
	"regraft/engine/kernel/vec"
)

// The convolution kernel computes one tile after the other, each of n pixels x 16k channels:
//
//	y[i][o] = start + sum over entries e, channels c of x[off[e] + i*pitch + c] * w[e][c][o]
//
// where start is the bias, what y holds, or both. The sum is one chain of fused multiply-adds per output, in list order, so its bits
// do not depend on n, k or the instruction set.
//
//	DI  arguments (abi.Conv)     AX       input of the entry, first pixel
//	SI  input of the tile               R8..R11  weights of each output block
//	BX  offset list, CX entries left    DX       channels left / 4; output, before and after the loop
//	R14 distance to the next tile       R13      where the next tile will read: prefetched to L1
//	R15 how R12 changes, or 0           R12      distance from weights to others wanted later, prefetched to L2; or 0
//
// Vectors: accumulators from 0 up, weights from the last register down, the input below them.
var convArgs abi.Conv

const (
	argX          = int(unsafe.Offsetof(convArgs.X))
	argW          = int(unsafe.Offsetof(convArgs.W))
	argY          = int(unsafe.Offsetof(convArgs.Y))
	argOff        = int(unsafe.Offsetof(convArgs.Off))
	argEntries    = int(unsafe.Offsetof(convArgs.Entries))
	argWK         = int(unsafe.Offsetof(convArgs.WK))
	argYP         = int(unsafe.Offsetof(convArgs.YP))
	argYK         = int(unsafe.Offsetof(convArgs.YK))
	argBias       = int(unsafe.Offsetof(convArgs.Bias))
	argFlags      = int(unsafe.Offsetof(convArgs.Flags))
	argTiles      = int(unsafe.Offsetof(convArgs.Tiles))
	argXStep      = int(unsafe.Offsetof(convArgs.XStep))
	argYStep      = int(unsafe.Offsetof(convArgs.YStep))
	argWStep      = int(unsafe.Offsetof(convArgs.WStep))
	argWNext      = int(unsafe.Offsetof(convArgs.WNext))
	argWNextTiles = int(unsafe.Offsetof(convArgs.WNextTiles))
	argSix        = int(unsafe.Offsetof(convArgs.Six))
)

const (
	aheadWeights = 2048 // how far ahead weights are prefetched to L1, where there is one stream of them; half of that where there are several
	nextTiles    = 4    // tiles that together prefetch weights wanted later: the distance shrinks so that one goes through a quarter of them
)

func convolutions(f *file) {
	plainEpilogues(f)
	name := func(s isa, t abi.ConvTile) string {
		return fmt.Sprintf("conv_f32_%dx%d_p%d_%s", t.Blocks, t.Pixels, t.Pitch, s.name)
	}
	for _, s := range f.isas {
		f.table("conv", "convTile", "convArgs", s, func(entry func(key, function string)) {
			for _, t := range s.tiles.Conv() {
				entry(fmt.Sprintf("{Blocks: %d, Pixels: %d, Pitch: %d}", t.Blocks, t.Pixels, t.Pitch), name(s, t))
			}
		})
	}
	for _, s := range f.isas {
		for _, t := range s.tiles.Conv() {
			convTile{f, s, t.Blocks, t.Pixels, t.Pitch, t.Channels()}.emit(name(s, t))
		}
	}
}

// convTile is the generator of one kernel.
type convTile struct {
	*file
	isa
	k, n, pitch, channels int
}

func (t convTile) vectors() int         { return t.k * t.per }
func (t convTile) acc(i, j int) int     { return i*t.vectors() + j }
func (t convTile) weights() int         { return t.factors.blocks(t.k) * t.per } // registers
func (t convTile) weight(j int) int     { return t.regs - 1 - j%t.weights() }
func (t convTile) input() int           { return t.regs - 1 - t.weights() }
func (t convTile) pointer(j int) string { return []string{"R8", "R9", "R10", "R11"}[j/t.per] }
func (t convTile) lane(j int) int       { return j % t.per * t.bytes }

func (t convTile) emit(name string) {
	t.function(name, "convArgs")
	t.P("MOVQ %d(DI), SI", argX)
	t.P("MOVQ %d(DI), R14", argXStep)
	t.P("XORL R12, R12")
	t.P("XORL R15, R15")
	t.P("CMPQ %d(DI), $0", argWNextTiles)
	t.P("JEQ tile")
	t.P("MOVQ %d(DI), R12", argWNext)
	t.P("MOVQ $%d, R15", t.unrolled*(64/nextTiles-64))

	t.Label("tile")
	t.P("MOVQ %d(DI), DX", argY)
	t.P("MOVQ %d(DI), AX", argFlags)
	t.P("TESTQ $%d, AX", abi.FromOutput)
	t.P("JZ bias")
	t.outputs(func(at string, i, j int) { t.load(t.isa, at, t.acc(i, j)) })
	t.P("MOVQ %d(DI), AX", argFlags)
	t.P("TESTQ $%d, AX", abi.AddBias)
	t.P("JZ start")
	t.P("MOVQ %d(DI), AX", argBias)
	bias := epilogue(t.isa, func(p *vec.Program) { plus(p, p.Load(operand)) }, t.free()...)
	for j := range t.vectors() {
		for i := range t.n {
			t.epilogue(bias, i, j, fmt.Sprintf("%d(AX)", j*t.bytes))
		}
	}
	t.P("JMP start")
	t.Label("bias")
	t.P("MOVQ %d(DI), AX", argBias)
	for j := range t.vectors() {
		t.load(t.isa, t.part(j, "AX"), t.acc(0, j))
	}
	for i := 1; i < t.n; i++ {
		for j := range t.vectors() {
			t.copy(t.isa, t.acc(0, j), t.acc(i, j))
		}
	}

	t.Label("start")
	t.P("MOVQ %d(DI), BX", argOff)
	t.P("MOVQ %d(DI), R8", argW)
	if t.k > 1 {
		t.P("MOVQ %d(DI), R13", argWK)
	}
	for j := 1; j < t.k; j++ {
		t.P("LEAQ (%s)(R13*1), %s", t.pointer((j-1)*t.per), t.pointer(j*t.per))
	}
	t.P("MOVQ %d(DI), CX", argEntries)
	t.P("TESTQ CX, CX")
	t.P("JZ done")
	t.Label("entry")
	t.P("MOVLQSX (BX), AX")
	t.P("ADDQ $4, BX")
	t.P("ADDQ SI, AX")
	if t.channels == 16 {
		t.sixteen()
	} else {
		t.three()
	}
	t.P("DECQ CX")
	t.P("JNZ entry")

	t.Label("done")
	t.P("MOVQ %d(DI), AX", argFlags)
	t.P("TESTQ $%d, AX", abi.ClampZero)
	t.P("JZ store")
	t.bound(func(p *vec.Program) { atLeast(p, p.Const(0)) })
	t.P("TESTQ $%d, AX", abi.ClampSix)
	t.P("JZ store")
	t.bound(func(p *vec.Program) { atMost(p, p.Scalar(0)) })
	t.Label("store")
	t.P("MOVQ %d(DI), DX", argY)
	t.outputs(func(at string, i, j int) { t.store(t.isa, t.acc(i, j), at) })

	t.P("ADDQ R8, R12")
	t.P("SUBQ %d(DI), R12", argW)
	t.P("ADDQ R14, SI")
	t.P("MOVQ %d(DI), AX", argYStep)
	t.P("ADDQ AX, %d(DI)", argY)
	t.P("MOVQ %d(DI), AX", argWStep)
	t.P("ADDQ AX, %d(DI)", argW)
	t.P("XORL AX, AX")
	t.P("DECQ %d(DI)", argWNextTiles)
	t.P("CMOVQLE AX, R12")
	t.P("CMOVQLE AX, R15")
	t.P("DECQ %d(DI)", argTiles)
	t.P("JNZ tile")
	t.End()
}

// epilogue emits one for an accumulator.
func (t convTile) epilogue(code *vec.Code, i, j int, operand string) {
	t.body(code, vec.Places{
		Memory: func(int) string { return operand },
		State:  func(int) int { return t.acc(i, j) },
	})
}

// free are registers of weights and input, for epilogues.
func (t convTile) free() (list []int) {
	for i := range t.work {
		list = append(list, t.weight(i))
	}
	return append(list, t.input())
}

// bound emits an epilogue with a bound, which stands in a register of the input, for all accumulators.
func (t convTile) bound(body func(p *vec.Program)) {
	code := epilogue(t.isa, body, t.free()...)
	code.PrintConstants(nil, func(int) string { return fmt.Sprintf("%d(DI)", argSix) }, t.number, t.line)
	for i := range t.n {
		for j := range t.vectors() {
			t.epilogue(code, i, j, "")
		}
	}
}

// outputs visits every output vector; DX holds the first and is used up.
func (t convTile) outputs(visit func(at string, i, j int)) {
	t.P("MOVQ %d(DI), R13", argYP)
	if t.k > 1 {
		t.P("MOVQ %d(DI), CX", argYK)
	}
	for i := range t.n {
		base := "DX"
		if t.k > 1 {
			base = "AX"
			t.P("MOVQ DX, AX")
		}
		for j := range t.vectors() {
			visit(fmt.Sprintf("%d(%s)", t.lane(j), base), i, j)
			if j%t.per == t.per-1 && j < t.vectors()-1 {
				t.P("ADDQ CX, AX")
			}
		}
		if i < t.n-1 {
			t.P("ADDQ R13, DX")
		}
	}
}

// sixteen emits the 16 channels of a block as a loop, each round prefetching a part of the next tile's pixels.
func (t convTile) sixteen() {
	rounds := 16 / t.unrolled
	pixels := (t.n + rounds - 1) / rounds
	t.P("LEAQ (AX)(R14*1), R13")
	if rounds > 1 {
		t.P("MOVQ $%d, DX", rounds)
		t.Label("channels")
	}
	for i := range pixels {
		t.P("PREFETCHT0 %d(R13)", i*t.pitch)
	}
	if rounds > 1 {
		t.P("ADDQ $%d, R13", pixels*t.pitch)
	}
	for j := range t.k {
		for line := range t.unrolled / nextTiles {
			t.P("PREFETCHT1 %d(%s)(R12*1)", 64*line, t.pointer(j*t.per))
		}
	}
	t.P("ADDQ R15, R12")
	t.someChannels(t.unrolled)
	if rounds > 1 {
		t.P("ADDQ $%d, AX", 4*t.unrolled)
	}
	t.advance(abi.EntryBytes / rounds)
	if rounds > 1 {
		t.P("DECQ DX")
		t.P("JNZ channels")
	}
}

// three emits the 3 channels of a tap of an RGB image, prefetching the next tile's.
func (t convTile) three() {
	for line := 0; line < t.n*t.pitch; line += 64 {
		t.P("PREFETCHT0 %d(AX)(R14*1)", line)
	}
	t.someChannels(3)
	t.advance(abi.EntryBytes)
}

// someChannels emits the multiply-adds of the next few channels.
func (t convTile) someChannels(count int) {
	blocks := t.factors.blocks(t.k)
	for c := range count {
		for first := 0; first < t.k; first += blocks {
			t.channel(c, count, first, blocks)
		}
	}
}

// channel emits the multiply-adds of one channel with some blocks of weights.
func (t convTile) channel(c, count, first, blocks int) {
	var weights []int
	from, to := first*t.per, (first+blocks)*t.per
	for j := from; j < to; j++ {
		t.load(t.isa, fmt.Sprintf("%d(%s)", c*64+t.lane(j), t.pointer(j)), t.weight(j))
		weights = append(weights, t.weight(j))
	}
	if t.fetches {
		for j := range t.k {
			t.P("PREFETCHT0 %d(%s)", c*64+aheadWeights/min(t.k, 2), t.pointer(j*t.per))
		}
	}
	for i := range t.n {
		var sums []int
		for j := from; j < to; j++ {
			sums = append(sums, t.acc(i, j))
		}
		at := func(lane int) string { return fmt.Sprintf("%d(AX)", i*t.pitch+lane*4) }
		t.factors.multiplyAdd(t.file, t.isa, inputLane{at, c, count, t.factors.register(t.input(), i), first > 0}, weights, sums)
	}
}

// advance moves the weight pointers.
func (t convTile) advance(bytes int) {
	for j := range t.k {
		t.P("ADDQ $%d, %s", bytes, t.pointer(j*t.per))
	}
}
