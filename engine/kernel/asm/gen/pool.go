package main

import (
	"fmt"
	"unsafe"

	"regraft/engine/kernel/abi"
)

// The pooling kernels go through a list of runs (abi.PoolRun) of neighbouring output pixels whose
// windows have the same taps.
//
//	DI  arguments (abi.Pool)          R8  run          BX  runs left
//	SI  where the window starts       DX  its pixel    CX  pixels left in the run
//	R9  taps   R10 number of taps     R11 step between windows   R14 three steps
//	R12 tap    R13 taps left          AX  address of a tap
//
// Where taps are visited one pixel after the other, R13 is a tap's index, R12 the taps of the gradient of a maximum and R15 where its
// window starts; R15 leads to the weights of depthwise convolutions. Vectors: what a window makes from 0 up, four pixels at a time; what
// the loop provides (divisor, index, weights) from the last register down, below these the bodies' constants, between them their
// intermediate results.
var poolArgs abi.Pool

const (
	poolX      = int(unsafe.Offsetof(poolArgs.X))
	poolY      = int(unsafe.Offsetof(poolArgs.Y))
	poolRuns   = int(unsafe.Offsetof(poolArgs.Runs))
	poolN      = int(unsafe.Offsetof(poolArgs.N))
	poolTaps   = int(unsafe.Offsetof(poolArgs.Taps))
	poolStep   = int(unsafe.Offsetof(poolArgs.Step))
	poolBias   = int(unsafe.Offsetof(poolArgs.Bias))
	poolLow    = int(unsafe.Offsetof(poolArgs.Low))
	poolHigh   = int(unsafe.Offsetof(poolArgs.High))
	poolDX     = int(unsafe.Offsetof(poolArgs.DX))
	poolDXRuns = int(unsafe.Offsetof(poolArgs.DXRuns))
	poolDXTaps = int(unsafe.Offsetof(poolArgs.DXTaps))
	poolW      = int(unsafe.Offsetof(poolArgs.W))
	poolWTaps  = int(unsafe.Offsetof(poolArgs.WTaps))
)

var poolRun abi.PoolRun

const (
	runIn      = int(unsafe.Offsetof(poolRun.In))
	runOut     = int(unsafe.Offsetof(poolRun.Out))
	runTap     = int(unsafe.Offsetof(poolRun.Tap))
	runTaps    = int(unsafe.Offsetof(poolRun.Taps))
	runPixels  = int(unsafe.Offsetof(poolRun.Pixels))
	runDivisor = int(unsafe.Offsetof(poolRun.Divisor))
	runBytes   = int(unsafe.Sizeof(poolRun))
)

// poolGroup is the number of output pixels that share the reading of a tap's offset.
const poolGroup = 4

// runs emits the loop over runs; body treats the CX pixels of one.
func (f *file) runs(body func()) {
	f.P("MOVQ %d(DI), R8", poolRuns)
	f.P("MOVQ %d(DI), BX", poolN)
	f.P("MOVQ %d(DI), R11", poolStep)
	f.P("LEAQ (R11)(R11*2), R14")
	f.Label("run")
	f.P("MOVLQSX %d(R8), SI", runIn)
	f.P("ADDQ %d(DI), SI", poolX)
	f.P("MOVLQSX %d(R8), DX", runOut)
	f.P("ADDQ %d(DI), DX", poolY)
	f.P("MOVLQSX %d(R8), R9", runTap)
	f.P("ADDQ %d(DI), R9", poolTaps)
	f.P("MOVLQSX %d(R8), R10", runTaps)
	f.P("MOVLQSX %d(R8), CX", runPixels)
	body()
	f.P("ADDQ $%d, R8", runBytes)
	f.P("DECQ BX")
	f.P("JNZ run")
}

// accumulator is one register of a group of pixels, counted from 0 up: state total of the bodies.
type accumulator struct {
	register int
	part     int    // of its pixel
	tap      string // memory, once AX is the tap of the group's first pixel
	out      string // memory of the output
}

// grouped emits the loop over the pixels of a run, poolGroup at a time and then one by one: start sets
// an accumulator, before prepares for a tap (its offset is at R12), tap adds it and finish stores the
// accumulator.
func (f *file) grouped(s isa, start func(a accumulator), before func(), tap, finish func(a accumulator)) {
	group := func(n int, label string) {
		var all []accumulator
		for pixel := range n {
			for part := range s.per {
				index := []string{"", "(R11*1)", "(R11*2)", "(R14*1)"}[pixel]
				all = append(all, accumulator{
					len(all), part, fmt.Sprintf("%d(AX)%s", part*s.bytes, index), fmt.Sprintf("%d(DX)", pixel*64+part*s.bytes),
				})
			}
		}
		for _, a := range all {
			start(a)
		}
		f.P("MOVQ R9, R12")
		f.P("MOVQ R10, R13")
		f.P("TESTQ R13, R13")
		f.P("JZ %sout", label)
		f.Label(label + "tap")
		before()
		f.P("MOVLQSX (R12), AX")
		f.P("ADDQ $4, R12")
		f.P("ADDQ SI, AX")
		for _, a := range all {
			tap(a)
		}
		f.P("DECQ R13")
		f.P("JNZ %stap", label)
		f.Label(label + "out")
		for _, a := range all {
			finish(a)
		}
		f.P("ADDQ $%d, DX", 64*n)
	}
	f.P("SUBQ $%d, CX", poolGroup)
	f.P("JLT tail")
	f.Label("group")
	group(poolGroup, "group")
	f.P("LEAQ (SI)(R11*4), SI")
	f.P("SUBQ $%d, CX", poolGroup)
	f.P("JGE group")
	f.Label("tail")
	f.P("ADDQ $%d, CX", poolGroup)
	f.P("JZ next")
	f.Label("one")
	group(1, "one")
	f.P("ADDQ R11, SI")
	f.P("DECQ CX")
	f.P("JNZ one")
	f.Label("next")
}

// eachPixel emits the loop over the pixels of a run, one by one, and over the parts of each.
func (f *file) eachPixel(s isa, body func(part int)) {
	f.Label("pixel")
	for part := range s.per {
		body(part)
	}
	f.P("ADDQ R11, SI")
	f.P("ADDQ $64, DX")
	f.P("DECQ CX")
	f.P("JNZ pixel")
}

// taps emits the loop over the list of taps at list, with the window at base: AX is the tap, R13 its
// index in the list.
func (f *file) taps(label, list, base string, body func()) {
	f.P("XORQ R13, R13")
	f.Label(label)
	f.P("MOVLQSX (%s)(R13*4), AX", list)
	f.P("ADDQ %s, AX", base)
	body()
	f.P("INCQ R13")
	f.P("CMPQ R13, R10")
	f.P("JLT %s", label)
}
