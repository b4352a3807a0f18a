package main

import (
	"fmt"
	"strconv"
	"unsafe"

	"regraft/engine/kernel/abi"
	"regraft/engine/kernel/toomcook"
)

// The Winograd kernels transform tiles of 16 channels, many tiles a call. A transform of two dimensions goes through a small square of
// scratch: first along one axis, then along the other. AVX2 does all tiles twice, once for each half of the lanes.

// winogradTransform is one kernel to be: its name without the instruction set, and what it does along an axis.
type winogradTransform struct {
	kernel  string
	program toomcook.Program
	dims    int
}

// winogradTransforms lists the transforms into products (of pixels and of weights) and out of them.
func winogradTransforms() (in, out []winogradTransform) {
	seen := map[string]bool{}
	add := func(list *[]winogradTransform, name string, p toomcook.Program, dims int) {
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
		for _, s := range isas {
			f.table(family, "string", args, s, func(entry func(key, function string)) {
				for _, t := range list {
					entry(strconv.Quote(t.kernel), t.kernel+"_"+s.name)
				}
			})
		}
	}
	declare("transformIn", "transformInArgs", in)
	declare("transformOut", "transformOutArgs", out)
	c := &constants{file: f}
	for _, s := range isas {
		for _, t := range in {
			transformIn{c, s, t}.emit()
		}
		for _, t := range out {
			transformOut{c, s, t}.emit()
		}
	}
	c.emit()
	sums(f)
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
//	DI  arguments (abi.TransformIn)   R8, R13, R14, R15, SI  1, 3, 5, 7, 9 times the bytes between positions
//	BX  bytes from a row to the tile         DX   destination of the tile, R12 of a row of it
//	R9  columns left inside the image        R10  scratch
//	R11 bytes from a row to the column       CX   tiles left
type transformIn struct {
	*constants
	isa
	winogradTransform
}

func (t transformIn) emit() {
	steps := map[int]string{1: "R8", 3: "R13", 5: "R14", 7: "R15", 9: "SI"}
	t.function(t.kernel+"_"+t.isa.name, "transformInArgs")
	t.p("MOVQ %d(DI), R8", inPosition)
	t.multiples(len(t.program.Results), steps)
	t.p("MOVQ %d(DI), R10", inScratch)
	t.p("MOVQ %d(DI), DX", inDst)
	t.p("XORL BX, BX")
	t.zero(t.file, t.r(t.regs-1)) // for columns outside the image
	t.label("half")
	t.p("MOVQ %d(DI), CX", inTiles)
	t.p("MOVQ %d(DI), R9", inColumns)
	t.label("tile")
	if t.dims == 2 {
		t.square(steps)
	} else {
		t.line(steps)
	}
	t.p("ADDQ %d(DI), BX", inStep)
	t.p("ADDQ %d(DI), DX", inDstStep)
	t.p("SUBQ %d(DI), R9", inColumnsLess)
	t.p("DECQ CX")
	t.p("JNZ tile")
	upperHalf(t.file, t.isa, inHalf, func() {
		t.p("MOVQ %d(DI), DX", inDst)
		t.p("ADDQ $32, DX")
		t.p("MOVQ $32, BX")
	})
	t.end()
}

// line transforms along the one axis: element i lies at Rows[i], and is zero from the end of the image on.
func (t transformIn) line(steps map[int]string) {
	for i := range t.program.Inputs {
		t.p("CMPQ R9, $%d", i)
		t.p("JLE zero%d", i)
		t.p("MOVQ %d(DI), AX", inRows+8*i)
		t.p("VMOVUPS (AX)(BX*1), %s", t.r(i))
	}
	t.label("whole")
	t.run(t.isa, t.program, t.regs-1, func(i int, reg string) { t.p("VMOVUPS %s, %s", reg, multiple("DX", i, steps)) })
	t.p("JMP next")
	for i := range t.program.Inputs {
		t.label(fmt.Sprintf("zero%d", i))
		t.zero(t.file, t.r(i))
	}
	t.p("JMP whole")
	t.label("next")
}

// square transforms columns into scratch, then rows out of it. Columns outside the image are zero. SI counts, R12 and R11 walk.
func (t transformIn) square(steps map[int]string) {
	in, out := t.program.Inputs, len(t.program.Results)
	t.p("MOVQ BX, R11")
	t.p("MOVQ R10, R12")
	t.p("XORL SI, SI")
	t.label("column")
	t.p("CMPQ R9, SI")
	t.p("JLE outside")
	for i := range in {
		t.p("MOVQ %d(DI), AX", inRows+8*i)
		t.p("VMOVUPS (AX)(R11*1), %s", t.r(i))
	}
	t.run(t.isa, t.program, t.regs-1, func(i int, reg string) { t.p("VMOVUPS %s, %d(R12)", reg, i*in*64) })
	t.p("ADDQ %d(DI), R11", inColumnStep)
	t.nextColumn("column")
	t.label("rows")
	t.p("MOVQ DX, R12")
	t.p("MOVQ R10, R11")
	t.p("MOVQ $%d, SI", out)
	t.label("row")
	for j := range in {
		t.p("VMOVUPS %d(R11), %s", j*64, t.r(j))
	}
	t.run(t.isa, t.program, t.regs-1, func(j int, reg string) { t.p("VMOVUPS %s, %s", reg, multiple("R12", j, steps)) })
	t.p("ADDQ $%d, R11", in*64)
	t.p("LEAQ %s, R12", multiple("R12", out, steps))
	t.p("DECQ SI")
	t.p("JNZ row")
	t.p("JMP next")
	t.label("outside")
	for i := range out {
		t.p("VMOVUPS %s, %d(R12)", t.r(t.regs-1), i*in*64)
	}
	t.nextColumn("outside")
	t.p("JMP rows")
	t.label("next")
}

func (t transformIn) nextColumn(loop string) {
	t.p("ADDQ $64, R12")
	t.p("INCQ SI")
	t.p("CMPQ SI, $%d", t.program.Inputs)
	t.p("JLT %s", loop)
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
//	DI  arguments (abi.TransformOut)  R8, R13, R14, R15, R9  1, 3, 5, 7, 9 times the bytes between positions, and then
//	SI  products of the tile                 R8, R13, R14           1, 3, 5 times the bytes between output rows
//	DX  output of the tile                   R12  output of a column, or products of a row
//	BX  rows left inside the image           R11  columns left
//	R10 scratch                              CX   tiles left
type transformOut struct {
	*constants
	isa
	winogradTransform
}

func (t transformOut) bias() string { return t.r(t.regs - 1) }
func (t transformOut) low() string  { return t.r(t.regs - 2) }

func (t transformOut) emit() {
	t.function(t.kernel+"_"+t.isa.name, "transformOutArgs")
	t.p("MOVQ %d(DI), R10", outScratch)
	t.p("MOVQ %d(DI), SI", outSrc)
	t.p("MOVQ %d(DI), DX", outDst)
	t.p("MOVQ %d(DI), AX", outBias)
	t.p("VMOVUPS (AX), %s", t.bias())
	t.p("VBROADCASTSS %d(DI), %s", outLow, t.low())
	t.label("half")
	t.p("MOVQ %d(DI), CX", outTiles)
	t.p("MOVQ %d(DI), BX", outRows)
	t.p("MOVQ %d(DI), R11", outColumns)
	t.label("tile")
	if t.dims == 2 {
		t.square()
	} else {
		t.line()
	}
	t.label("next")
	t.p("ADDQ $64, SI")
	t.p("ADDQ %d(DI), DX", outStep)
	t.p("SUBQ %d(DI), BX", outRowsLess)
	t.p("SUBQ %d(DI), R11", outColumnsLess)
	t.p("DECQ CX")
	t.p("JNZ tile")
	upperHalf(t.file, t.isa, outHalf, func() {
		t.p("MOVQ %d(DI), SI", outSrc)
		t.p("ADDQ $32, SI")
		t.p("MOVQ %d(DI), DX", outDst)
		t.p("ADDQ $32, DX")
		t.p("MOVQ %d(DI), AX", outBias)
		t.p("VMOVUPS 32(AX), %s", t.bias())
	})
	t.end()
}

var (
	productSteps = map[int]string{1: "R8", 3: "R13", 5: "R14", 7: "R15", 9: "R9"}
	rowSteps     = map[int]string{1: "R8", 3: "R13", 5: "R14"}
)

// square transforms rows of products into scratch, then columns out of it. R9 counts, R12 and AX walk.
func (t transformOut) square() {
	in, out := t.program.Inputs, len(t.program.Results)
	t.p("MOVQ %d(DI), R8", outPosition)
	t.multiples(in, productSteps)
	t.p("MOVQ SI, R12")
	t.p("MOVQ R10, AX")
	t.p("MOVQ $%d, R9", in)
	t.label("row")
	for j := range in {
		t.p("VMOVUPS %s, %s", multiple("R12", j, productSteps), t.r(j))
	}
	t.run(t.isa, t.program, t.regs-2, func(j int, reg string) { t.p("VMOVUPS %s, %d(AX)", reg, j*64) })
	t.p("LEAQ %s, R12", multiple("R12", in, productSteps))
	t.p("ADDQ $%d, AX", out*64)
	t.p("DECQ R9")
	t.p("JNZ row")
	t.p("MOVQ %d(DI), R8", outRow)
	t.multiples(out, rowSteps)
	t.p("MOVQ DX, R12")
	t.p("MOVQ R10, AX")
	t.label("column")
	t.p("CMPQ R11, R9")
	t.p("JLE next")
	for i := range in {
		t.p("VMOVUPS %d(AX), %s", i*out*64, t.r(i))
	}
	t.column("R12")
	t.p("ADDQ $64, R12")
	t.p("ADDQ $64, AX")
	t.p("INCQ R9")
	t.p("CMPQ R9, $%d", out)
	t.p("JLT column")
}

// line transforms the one axis.
func (t transformOut) line() {
	t.p("MOVQ %d(DI), R8", outPosition)
	t.multiples(t.program.Inputs, productSteps)
	for i := range t.program.Inputs {
		t.p("VMOVUPS %s, %s", multiple("SI", i, productSteps), t.r(i))
	}
	t.p("MOVQ %d(DI), R8", outRow)
	t.multiples(len(t.program.Results), rowSteps)
	t.column("DX")
}

// column computes the outputs of a column and writes those inside the image.
func (t transformOut) column(base string) {
	t.run(t.isa, t.program, t.regs-2, func(i int, reg string) {
		at, skip := multiple(base, i, rowSteps), fmt.Sprintf("skip%d", i)
		t.p("CMPQ BX, $%d", i)
		t.p("JLE %s", skip)
		t.p("VADDPS %s, %s, %s", t.bias(), reg, reg)
		t.p("TESTQ $%d, %d(DI)", abi.FromOutput, outFlags)
		t.p("JZ clamp%d", i)
		t.p("VADDPS %s, %s, %s", at, reg, reg)
		t.label(fmt.Sprintf("clamp%d", i))
		t.p("VMAXPS %s, %s, %s", reg, t.low(), reg)
		t.p("VMOVUPS %s, %s", reg, at)
		t.label(skip)
	})
}

// upperHalf goes over all tiles again for the upper half of the lanes, where a register holds half of them.
func upperHalf(f *file, s isa, half int, again func()) {
	if s.per == 1 {
		return
	}
	f.p("CMPQ %d(DI), $0", half)
	f.p("JNE end")
	f.p("MOVQ $1, %d(DI)", half)
	again()
	f.p("JMP half")
	f.label("end")
}
