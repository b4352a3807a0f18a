package main

import (
	"fmt"
	"strconv"
	"unsafe"

	"regraft/engine/kernel/abi"
	"regraft/engine/kernel/toomcook"
	"regraft/engine/kernel/vec"
)

// The Winograd kernels transform tiles of 16 channels, many tiles a call. A transform of two dimensions goes through a small square of
// scratch: first along one axis, then along the other. AVX2 and NEON do all tiles once for each register that the lanes take.

// winogradTransform is one kernel to be: its name without the instruction set, and what it does along an axis.
type winogradTransform struct {
	kernel  string
	program *vec.Program
	dims    int
}

func (t winogradTransform) inputs() int  { return t.program.Count(vec.Input) }
func (t winogradTransform) results() int { return t.program.Count(vec.Store) }

// winogradTransforms lists the transforms into products (of pixels and of weights) and out of them.
func winogradTransforms() (in, out []winogradTransform) {
	seen := map[string]bool{}
	add := func(list *[]winogradTransform, name string, p *vec.Program, dims int) {
		if !seen[name] {
			seen[name] = true
			*list = append(*list, winogradTransform{name, p, dims})
		}
	}
	for _, a := range toomcook.Algorithms {
		f := a.F()
		add(&in, a.InputKernel(), f.Input(), a.Dims)
		add(&in, a.WeightsKernel(), f.Weights(), a.Dims)
		add(&in, a.OutputGradKernel(), f.OutputGrad(), a.Dims)
		add(&in, a.WeightsGradKernel(), f.WeightsGrad(), a.Dims)
		add(&out, a.OutputKernel(), f.Output(), a.Dims)
	}
	return in, out
}

func winograds(f *file) {
	in, out := winogradTransforms()
	declare := func(family, args string, list []winogradTransform) {
		for _, s := range f.isas {
			f.table(family, "string", args, s, func(entry func(key, function string)) {
				for _, t := range list {
					entry(strconv.Quote(t.kernel), t.kernel+"_"+s.name)
				}
			})
		}
	}
	declare("transformIn", "transformInArgs", in)
	declare("transformOut", "transformOutArgs", out)
	for _, s := range f.isas {
		for _, t := range in {
			transformIn{f, s, t}.emit()
		}
		for _, t := range out {
			transformOut{f, s, t}.emit()
		}
	}
	plainTransforms(f, "transformInGo", "transformInArgs", in)
	plainTransforms(f, "transformOutGo", "transformOutArgs", out)
	sums(f)
}

// plainTransforms writes the plain Go forms: a table of those around the programs along an axis, which run in loops of the kernel package.
func plainTransforms(f *file, around, args string, list []winogradTransform) {
	fmt.Fprintf(&f.Plain, "\nvar %ss = map[string]func(*%s){\n", around, args)
	for _, t := range list {
		fmt.Fprintf(&f.Plain, "%q: func(a *%s) { %s(transform{%d, %d, %d, %s_go}, a) },\n",
			t.kernel, args, around, t.inputs(), t.results(), t.dims, t.kernel)
	}
	fmt.Fprintf(&f.Plain, "}\n")
	for _, t := range list {
		fmt.Fprintf(&f.Plain, "\nfunc %s_go(in line) (out line) {\nfor c := range Lanes {\n%s}\nreturn out\n}\n", t.kernel, t.program.Plain(vec.Names{
			Input: func(i int) string { return fmt.Sprintf("in[%d][c]", i) },
			Store: func(i int) string { return fmt.Sprintf("out[%d][c]", i) },
		}))
	}
}

// compile puts the program of a transform, whose inputs are in the first vector registers, into no more than the given number of them,
// and emits what loads its constants.
func (t winogradTransform) compile(f *file, s isa, registers int) *vec.Code {
	code := compile(t.kernel, s.target, t.program, vec.Frame{Free: s.registers(0)[:registers]})
	code.PrintConstants(nil, nil, f.number, f.line)
	return code
}

// transform emits the program. It calls store as soon as a result is in a register.
func (f *file) transform(code *vec.Code, store func(result, reg int)) {
	f.body(code, vec.Places{Store: store})
}

var transformInArgs abi.TransformIn

const (
	inRows        = int(unsafe.Offsetof(transformInArgs.Rows))
	inDst         = int(unsafe.Offsetof(transformInArgs.Dst))
	inPosition    = int(unsafe.Offsetof(transformInArgs.Position))
	inTiles       = int(unsafe.Offsetof(transformInArgs.Tiles))
	inStep        = int(unsafe.Offsetof(transformInArgs.Step))
	inColumnStep  = int(unsafe.Offsetof(transformInArgs.ColumnStep))
	inColumns     = int(unsafe.Offsetof(transformInArgs.Columns))
	inColumnsLess = int(unsafe.Offsetof(transformInArgs.ColumnsLess))
	inScratch     = int(unsafe.Offsetof(transformInArgs.Scratch))
	inHalf        = int(unsafe.Offsetof(transformInArgs.Half))
	inDstStep     = int(unsafe.Offsetof(transformInArgs.DstStep))
)

// transformIn emits the transform into products.
//
//	DI  arguments (abi.TransformIn)   R8, R13, R14, R15, SI  1, 3, 5, 7, 9 times the bytes between positions; R11: 11 times, along one axis
//	BX  bytes from a row to the tile         DX   destination of the tile, R12 of a row of it
//	R9  columns left inside the image        R10  scratch
//	R11 bytes from a row to the column       CX   tiles left
type transformIn struct {
	*file
	isa
	winogradTransform
}

func (t transformIn) emit() {
	steps := map[int]string{1: "R8", 3: "R13", 5: "R14", 7: "R15", 9: "SI", 11: "R11"}
	t.function(t.kernel+"_"+t.isa.name, "transformInArgs")
	t.P("MOVQ %d(DI), R8", inPosition)
	t.multiples(t.results(), steps)
	t.P("MOVQ %d(DI), R10", inScratch)
	t.P("MOVQ %d(DI), DX", inDst)
	t.P("XORL BX, BX")
	t.zero(t.isa, t.regs-1) // for columns outside the image
	code := t.compile(t.file, t.isa, t.regs-1)
	t.Label("half")
	t.P("MOVQ %d(DI), CX", inTiles)
	t.P("MOVQ %d(DI), R9", inColumns)
	t.Label("tile")
	if t.dims == 2 {
		t.square(code, steps)
	} else {
		t.line(code, steps)
	}
	t.P("ADDQ %d(DI), BX", inStep)
	t.P("ADDQ %d(DI), DX", inDstStep)
	t.P("SUBQ %d(DI), R9", inColumnsLess)
	t.P("DECQ CX")
	t.P("JNZ tile")
	otherParts(t.file, t.isa, inHalf, func(at int) {
		t.P("MOVQ %d(DI), DX", inDst)
		t.P("ADDQ $%d, DX", at)
		t.P("MOVQ $%d, BX", at)
	})
	t.End()
}

// line transforms along the one axis: element i lies at Rows[i], and is zero from the end of the image on.
func (t transformIn) line(code *vec.Code, steps map[int]string) {
	for i := range t.inputs() {
		t.P("CMPQ R9, $%d", i)
		t.P("JLE zero%d", i)
		t.P("MOVQ %d(DI), AX", inRows+8*i)
		t.load(t.isa, "(AX)(BX*1)", i)
	}
	t.Label("whole")
	t.transform(code, func(i, reg int) { t.store(t.isa, reg, multiple("DX", i, steps)) })
	t.P("JMP next")
	for i := range t.inputs() {
		t.Label(fmt.Sprintf("zero%d", i))
		t.zero(t.isa, i)
	}
	t.P("JMP whole")
	t.Label("next")
}

// square transforms columns into scratch, then rows out of it. Columns outside the image are zero. SI counts, R12 and R11 walk.
func (t transformIn) square(code *vec.Code, steps map[int]string) {
	in, out := t.inputs(), t.results()
	t.P("MOVQ BX, R11")
	t.P("MOVQ R10, R12")
	t.P("XORL SI, SI")
	t.Label("column")
	t.P("CMPQ R9, SI")
	t.P("JLE outside")
	for i := range in {
		t.P("MOVQ %d(DI), AX", inRows+8*i)
		t.load(t.isa, "(AX)(R11*1)", i)
	}
	t.transform(code, func(i, reg int) { t.store(t.isa, reg, fmt.Sprintf("%d(R12)", i*in*64)) })
	t.P("ADDQ %d(DI), R11", inColumnStep)
	t.nextColumn("column")
	t.Label("rows")
	t.P("MOVQ DX, R12")
	t.P("MOVQ R10, R11")
	t.P("MOVQ $%d, SI", out)
	t.Label("row")
	for j := range in {
		t.load(t.isa, fmt.Sprintf("%d(R11)", j*64), j)
	}
	t.transform(code, func(j, reg int) { t.store(t.isa, reg, multiple("R12", j, steps)) })
	t.P("ADDQ $%d, R11", in*64)
	t.P("LEAQ %s, R12", multiple("R12", out, steps))
	t.P("DECQ SI")
	t.P("JNZ row")
	t.P("JMP next")
	t.Label("outside")
	for i := range out {
		t.store(t.isa, t.regs-1, fmt.Sprintf("%d(R12)", i*in*64))
	}
	t.nextColumn("outside")
	t.P("JMP rows")
	t.Label("next")
}

func (t transformIn) nextColumn(loop string) {
	t.P("ADDQ $64, R12")
	t.P("INCQ SI")
	t.P("CMPQ SI, $%d", t.inputs())
	t.P("JLT %s", loop)
}

var transformOutArgs abi.TransformOut

const (
	outSrc         = int(unsafe.Offsetof(transformOutArgs.Src))
	outPosition    = int(unsafe.Offsetof(transformOutArgs.Position))
	outTiles       = int(unsafe.Offsetof(transformOutArgs.Tiles))
	outDst         = int(unsafe.Offsetof(transformOutArgs.Dst))
	outRow         = int(unsafe.Offsetof(transformOutArgs.Row))
	outStep        = int(unsafe.Offsetof(transformOutArgs.Step))
	outRows        = int(unsafe.Offsetof(transformOutArgs.Rows))
	outRowsLess    = int(unsafe.Offsetof(transformOutArgs.RowsLess))
	outColumns     = int(unsafe.Offsetof(transformOutArgs.Columns))
	outColumnsLess = int(unsafe.Offsetof(transformOutArgs.ColumnsLess))
	outBias        = int(unsafe.Offsetof(transformOutArgs.Bias))
	outLow         = int(unsafe.Offsetof(transformOutArgs.Low))
	outFlags       = int(unsafe.Offsetof(transformOutArgs.Flags))
	outScratch     = int(unsafe.Offsetof(transformOutArgs.Scratch))
	outHalf        = int(unsafe.Offsetof(transformOutArgs.Half))
)

// transformOut emits the transform out of products: bias, what the output holds, and the lower bound are applied on the way out, and
// nothing is written outside the image.
//
//	DI  arguments (abi.TransformOut)  R8, R13, R14, R15, R9  1, 3, 5, 7, 9 times the bytes between positions (R12: 11 times, along one axis), and then
//	SI  products of the tile                 R8, R13, R14           1, 3, 5 times the bytes between output rows
//	DX  output of the tile                   R12  output of a column, or products of a row
//	BX  rows left inside the image           R11  columns left
//	R10 scratch                              CX   tiles left
type transformOut struct {
	*file
	isa
	winogradTransform
}

func (t transformOut) bias() int { return t.regs - 1 }
func (t transformOut) low() int  { return t.regs - 2 }
func (t transformOut) free() int { return t.regs - 2 - t.work } // registers of the program, before those of the epilogues

func (t transformOut) emit() {
	t.function(t.kernel+"_"+t.isa.name, "transformOutArgs")
	t.P("MOVQ %d(DI), R10", outScratch)
	t.P("MOVQ %d(DI), SI", outSrc)
	t.P("MOVQ %d(DI), DX", outDst)
	t.P("MOVQ %d(DI), AX", outBias)
	t.load(t.isa, "(AX)", t.bias())
	t.spread(t.isa, fmt.Sprintf("%d(DI)", outLow), t.low())
	code := t.compile(t.file, t.isa, t.free())
	t.Label("half")
	t.P("MOVQ %d(DI), CX", outTiles)
	t.P("MOVQ %d(DI), BX", outRows)
	t.P("MOVQ %d(DI), R11", outColumns)
	t.Label("tile")
	if t.dims == 2 {
		t.square(code)
	} else {
		t.line(code)
	}
	t.Label("next")
	t.P("ADDQ $64, SI")
	t.P("ADDQ %d(DI), DX", outStep)
	t.P("SUBQ %d(DI), BX", outRowsLess)
	t.P("SUBQ %d(DI), R11", outColumnsLess)
	t.P("DECQ CX")
	t.P("JNZ tile")
	otherParts(t.file, t.isa, outHalf, func(at int) {
		t.P("MOVQ %d(DI), SI", outSrc)
		t.P("ADDQ $%d, SI", at)
		t.P("MOVQ %d(DI), DX", outDst)
		t.P("ADDQ $%d, DX", at)
		t.P("MOVQ %d(DI), AX", outBias)
		t.load(t.isa, fmt.Sprintf("%d(AX)", at), t.bias())
	})
	t.End()
}

var (
	productSteps = map[int]string{1: "R8", 3: "R13", 5: "R14", 7: "R15", 9: "R9", 11: "R12"}
	rowSteps     = map[int]string{1: "R8", 3: "R13", 5: "R14"}
)

// square transforms rows of products into scratch, then columns out of it. R9 counts, R12 and AX walk.
func (t transformOut) square(code *vec.Code) {
	in, out := t.inputs(), t.results()
	t.P("MOVQ %d(DI), R8", outPosition)
	t.multiples(in, productSteps)
	t.P("MOVQ SI, R12")
	t.P("MOVQ R10, AX")
	t.P("MOVQ $%d, R9", in)
	t.Label("row")
	for j := range in {
		t.load(t.isa, multiple("R12", j, productSteps), j)
	}
	t.transform(code, func(j, reg int) { t.store(t.isa, reg, fmt.Sprintf("%d(AX)", j*64)) })
	t.P("LEAQ %s, R12", multiple("R12", in, productSteps))
	t.P("ADDQ $%d, AX", out*64)
	t.P("DECQ R9")
	t.P("JNZ row")
	t.P("MOVQ %d(DI), R8", outRow)
	t.multiples(out, rowSteps)
	t.P("MOVQ DX, R12")
	t.P("MOVQ R10, AX")
	t.Label("column")
	t.P("CMPQ R11, R9")
	t.P("JLE next")
	for i := range in {
		t.load(t.isa, fmt.Sprintf("%d(AX)", i*out*64), i)
	}
	t.column(code, "R12")
	t.P("ADDQ $64, R12")
	t.P("ADDQ $64, AX")
	t.P("INCQ R9")
	t.P("CMPQ R9, $%d", out)
	t.P("JLT column")
}

// line transforms the one axis.
func (t transformOut) line(code *vec.Code) {
	t.P("MOVQ %d(DI), R8", outPosition)
	t.multiples(t.inputs(), productSteps)
	for i := range t.inputs() {
		t.load(t.isa, multiple("SI", i, productSteps), i)
	}
	t.P("MOVQ %d(DI), R8", outRow)
	t.multiples(t.results(), rowSteps)
	t.column(code, "DX")
}

// column computes the outputs of a column and writes those inside the image.
func (t transformOut) column(code *vec.Code, base string) {
	work := t.registers(t.free())[:t.work]
	bias := epilogue(t.isa, func(p *vec.Program) { plus(p, state(p, operand)) })
	before := epilogue(t.isa, func(p *vec.Program) { plus(p, p.Load(operand)) }, work...)
	bound := epilogue(t.isa, func(p *vec.Program) { atLeast(p, state(p, operand)) }, work...)
	t.transform(code, func(i, reg int) {
		at, skip := multiple(base, i, rowSteps), fmt.Sprintf("skip%d", i)
		finish := func(code *vec.Code, with int) {
			t.body(code, vec.Places{Memory: func(int) string { return at }, State: func(i int) int { return []int{reg, with}[i] }})
		}
		t.P("CMPQ BX, $%d", i)
		t.P("JLE %s", skip)
		finish(bias, t.bias())
		t.P("TESTQ $%d, %d(DI)", abi.FromOutput, outFlags)
		t.P("JZ clamp%d", i)
		finish(before, 0)
		t.Label(fmt.Sprintf("clamp%d", i))
		finish(bound, t.low())
		t.store(t.isa, reg, at)
		t.Label(skip)
	})
}

// otherParts goes over all tiles again for the other lanes, where a register holds some of them: after one part the next, whose distance
// in bytes again gets. The argument half counts.
func otherParts(f *file, s isa, half int, again func(at int)) {
	for part := 1; part < s.per; part++ {
		past := fmt.Sprintf("past%d", part)
		if part == s.per-1 {
			past = "end"
		}
		f.P("CMPQ %d(DI), $%d", half, part-1)
		f.P("JNE %s", past)
		f.P("MOVQ $%d, %d(DI)", part, half)
		again(part * s.bytes)
		f.P("JMP half")
		f.Label(past)
	}
}
