package main

import (
	"fmt"
	"maps"
	"slices"
	"unsafe"

	"regraft/engine/kernel/abi"
)

// The pooling kernels go through a list of runs (abi.PoolRun) of neighbouring output pixels whose
// windows have the same taps.
//
//	DI  arguments (abi.Pool)   R8  run          BX  runs left
//	SI  where the window starts       DX  its pixel    CX  pixels left in the run
//	R9  taps   R10 number of taps     R11 step between windows   R14 three steps
//	R12 tap    R13 taps left          AX  address of a tap
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

func pools(f *file) {
	emit := map[string]func(*file, isa){
		"maxpool": maxPool, "averagepool": averagePool, "maxpoolgrad": maxPoolGrad, "averagepoolgrad": averagePoolGrad,
		"depthwise": depthwise, "depthwisegradx": depthwiseGradX, "depthwisegradw": depthwiseGradW,
	}
	names := slices.Sorted(maps.Keys(emit))
	named(f, "pool", "poolArgs", names, func(s isa, name string) { emit[name](f, s) })
}

// runs emits the loop over runs; body treats the CX pixels of one.
func (f *file) runs(body func()) {
	f.p("MOVQ %d(DI), R8", poolRuns)
	f.p("MOVQ %d(DI), BX", poolN)
	f.p("MOVQ %d(DI), R11", poolStep)
	f.p("LEAQ (R11)(R11*2), R14")
	f.label("run")
	f.p("MOVLQSX %d(R8), SI", runIn)
	f.p("ADDQ %d(DI), SI", poolX)
	f.p("MOVLQSX %d(R8), DX", runOut)
	f.p("ADDQ %d(DI), DX", poolY)
	f.p("MOVLQSX %d(R8), R9", runTap)
	f.p("ADDQ %d(DI), R9", poolTaps)
	f.p("MOVLQSX %d(R8), R10", runTaps)
	f.p("MOVLQSX %d(R8), CX", runPixels)
	body()
	f.p("ADDQ $%d, R8", runBytes)
	f.p("DECQ BX")
	f.p("JNZ run")
}

// accumulator is one register of a group of pixels, counted from 0 up.
type accumulator struct {
	register string
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
					s.r(len(all)), part, fmt.Sprintf("%d(AX)%s", part*s.bytes, index), fmt.Sprintf("%d(DX)", pixel*64+part*s.bytes),
				})
			}
		}
		for _, a := range all {
			start(a)
		}
		f.p("MOVQ R9, R12")
		f.p("MOVQ R10, R13")
		f.p("TESTQ R13, R13")
		f.p("JZ %sout", label)
		f.label(label + "tap")
		before()
		f.p("MOVLQSX (R12), AX")
		f.p("ADDQ $4, R12")
		f.p("ADDQ SI, AX")
		for _, a := range all {
			tap(a)
		}
		f.p("DECQ R13")
		f.p("JNZ %stap", label)
		f.label(label + "out")
		for _, a := range all {
			finish(a)
		}
		f.p("ADDQ $%d, DX", 64*n)
	}
	f.p("SUBQ $%d, CX", poolGroup)
	f.p("JLT tail")
	f.label("group")
	group(poolGroup, "group")
	f.p("LEAQ (SI)(R11*4), SI")
	f.p("SUBQ $%d, CX", poolGroup)
	f.p("JGE group")
	f.label("tail")
	f.p("ADDQ $%d, CX", poolGroup)
	f.p("JZ next")
	f.label("one")
	group(1, "one")
	f.p("ADDQ R11, SI")
	f.p("DECQ CX")
	f.p("JNZ one")
	f.label("next")
}

// minusInfinity sets register r, one of the first sixteen.
func (s isa) minusInfinity(f *file, r string) {
	f.p("MOVL $0xff800000, AX")
	f.p("VMOVD AX, X%s", r[1:])
	f.p("VBROADCASTSS X%s, %s", r[1:], r)
}

func maxPool(f *file, s isa) {
	lowest, mask, t := s.r(15), s.r(14), s.r(13)
	s.minusInfinity(f, lowest)
	f.runs(func() {
		f.grouped(s,
			func(a accumulator) { f.p("VMOVAPS %s, %s", lowest, a.register) },
			func() {},
			func(a accumulator) {
				// The second source, the tap, wins when it is NaN; a NaN in the accumulator stays.
				if s.per == 1 {
					f.p("VCMPPS $%#x, %s, %s, K1", cmpOrdered, a.register, a.register)
					f.p("VMAXPS %s, %s, K1, %s", a.tap, a.register, a.register)
					return
				}
				f.p("VCMPPS $%#x, %s, %s, %s", cmpUnordered, a.register, a.register, mask)
				f.p("VMAXPS %s, %s, %s", a.tap, a.register, t)
				f.p("VBLENDVPS %s, %s, %s, %s", mask, a.register, t, a.register)
			},
			func(a accumulator) { f.p("VMOVUPS %s, %s", a.register, a.out) })
	})
}

func averagePool(f *file, s isa) {
	divisor, low := s.r(s.regs-1), s.r(s.regs-2)
	bias := func(part int) string { return s.r(s.regs - 3 - part) }
	f.p("MOVQ %d(DI), AX", poolBias)
	for part := range s.per {
		f.p("VMOVUPS %d(AX), %s", part*s.bytes, bias(part))
	}
	f.p("VBROADCASTSS %d(DI), %s", poolLow, low)
	f.runs(func() {
		f.p("VBROADCASTSS %d(R8), %s", runDivisor, divisor)
		f.grouped(s,
			func(a accumulator) { s.zero(f, a.register) },
			func() {},
			func(a accumulator) { f.p("VADDPS %s, %s, %s", a.tap, a.register, a.register) },
			func(a accumulator) {
				f.p("VDIVPS %s, %s, %s", divisor, a.register, a.register)
				f.p("VADDPS %s, %s, %s", bias(a.part), a.register, a.register)
				f.p("VMAXPS %s, %s, %s", a.register, low, a.register)
				f.p("VMOVUPS %s, %s", a.register, a.out)
			})
	})
}

// eachPixel emits the loop over the pixels of a run, one by one, and over the parts of each.
func (f *file) eachPixel(s isa, body func(part int)) {
	f.label("pixel")
	for part := range s.per {
		body(part)
	}
	f.p("ADDQ R11, SI")
	f.p("ADDQ $64, DX")
	f.p("DECQ CX")
	f.p("JNZ pixel")
}

// averagePoolGrad: X is the gradient of the input, Y that of the output.
func averagePoolGrad(f *file, s isa) {
	divisor, share := s.r(s.regs-1), s.r(0)
	f.runs(func() {
		f.p("VBROADCASTSS %d(R8), %s", runDivisor, divisor)
		f.p("TESTQ R10, R10")
		f.p("JZ next")
		f.eachPixel(s, func(part int) {
			f.p("VMOVUPS %d(DX), %s", part*s.bytes, share)
			f.p("VDIVPS %s, %s, %s", divisor, share, share)
			f.taps(fmt.Sprintf("tap%d", part), "R9", "SI", func() {
				at := fmt.Sprintf("%d(AX)", part*s.bytes)
				f.p("VADDPS %s, %s, %s", at, share, s.r(1))
				f.p("VMOVUPS %s, %s", s.r(1), at)
			})
		})
		f.label("next")
	})
}

// taps emits the loop over the list of taps at list, with the window at base: AX is the tap, R13 its
// index in the list.
func (f *file) taps(label, list, base string, body func()) {
	f.p("XORQ R13, R13")
	f.label(label)
	f.p("MOVLQSX (%s)(R13*4), AX", list)
	f.p("ADDQ %s, AX", base)
	body()
	f.p("INCQ R13")
	f.p("CMPQ R13, R10")
	f.p("JLT %s", label)
}

// maxPoolGrad finds the winning tap of every lane, then adds dy there. The gradient's own window is at
// R15 and its taps at R12.
func maxPoolGrad(f *file, s isa) {
	best, winner, x, index, mask, t := s.r(0), s.r(1), s.r(2), s.r(3), s.r(4), s.r(5)
	lowest := s.r(6)
	s.minusInfinity(f, lowest)
	broadcast := func() { // the index of the tap, in all lanes
		f.p("VMOVD R13, X%s", index[1:])
		f.p("VPBROADCASTD X%s, %s", index[1:], index)
	}
	f.runs(func() {
		f.p("TESTQ R10, R10")
		f.p("JZ next")
		f.p("MOVQ R8, R15")
		f.p("SUBQ %d(DI), R15", poolRuns)
		f.p("ADDQ %d(DI), R15", poolDXRuns)
		f.p("MOVLQSX %d(R15), R15", runIn)
		f.p("ADDQ %d(DI), R15", poolDX)
		f.p("MOVLQSX %d(R8), R12", runTap)
		f.p("ADDQ %d(DI), R12", poolDXTaps)
		f.eachPixel(s, func(part int) {
			at := fmt.Sprintf("%d(AX)", part*s.bytes)
			f.p("VMOVAPS %s, %s", lowest, best)
			s.zero(f, winner)
			f.taps(fmt.Sprintf("find%d", part), "R9", "SI", func() {
				f.p("VMOVUPS %s, %s", at, x)
				broadcast()
				if s.per == 1 {
					f.p("VCMPPS $%#x, %s, %s, K1", cmpGreater, best, x)
					f.p("VCMPPS $%#x, %s, %s, K2", cmpUnordered, x, x)
					f.p("KORW K1, K2, K1")
					f.p("VMOVAPS %s, K1, %s", x, best)
					f.p("VMOVDQA32 %s, K1, %s", index, winner)
					return
				}
				f.p("VCMPPS $%#x, %s, %s, %s", cmpGreater, best, x, mask)
				f.p("VCMPPS $%#x, %s, %s, %s", cmpUnordered, x, x, t)
				f.p("VORPS %s, %s, %s", t, mask, mask)
				f.p("VBLENDVPS %s, %s, %s, %s", mask, x, best, best)
				f.p("VBLENDVPS %s, %s, %s, %s", mask, index, winner, winner)
			})
			dy := fmt.Sprintf("%d(DX)", part*s.bytes)
			f.taps(fmt.Sprintf("give%d", part), "R12", "R15", func() {
				broadcast()
				if s.per == 1 {
					f.p("VPCMPEQD %s, %s, K1", index, winner)
					f.p("VMOVUPS.Z %s, K1, %s", dy, t)
				} else {
					f.p("VPCMPEQD %s, %s, %s", index, winner, t)
					f.p("VANDPS %s, %s, %s", dy, t, t)
				}
				f.p("VADDPS %s, %s, %s", at, t, t)
				f.p("VMOVUPS %s, %s", t, at)
			})
			if part == s.per-1 {
				f.p("ADDQ R11, R15")
			}
		})
		f.label("next")
	})
}
