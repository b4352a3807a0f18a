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

// minusInfinity sets register r, one of the first sixteen.
func (s isa) minusInfinity(f *file, r string) {
	f.P("MOVL $0xff800000, AX")
	f.P("VMOVD AX, X%s", r[1:])
	f.P("VBROADCASTSS X%s, %s", r[1:], r)
}

func maxPool(f *file, s isa) {
	lowest, mask, t := s.r(15), s.r(14), s.r(13)
	s.minusInfinity(f, lowest)
	f.runs(func() {
		f.grouped(s,
			func(a accumulator) { f.P("VMOVAPS %s, %s", lowest, a.register) },
			func() {},
			func(a accumulator) {
				// The second source, the tap, wins when it is NaN; a NaN in the accumulator stays.
				if s.per == 1 {
					f.P("VCMPPS $%#x, %s, %s, K1", cmpOrdered, a.register, a.register)
					f.P("VMAXPS %s, %s, K1, %s", a.tap, a.register, a.register)
					return
				}
				f.P("VCMPPS $%#x, %s, %s, %s", cmpUnordered, a.register, a.register, mask)
				f.P("VMAXPS %s, %s, %s", a.tap, a.register, t)
				f.P("VBLENDVPS %s, %s, %s, %s", mask, a.register, t, a.register)
			},
			func(a accumulator) { f.P("VMOVUPS %s, %s", a.register, a.out) })
	})
}

func averagePool(f *file, s isa) {
	divisor, low := s.r(s.regs-1), s.r(s.regs-2)
	bias := func(part int) string { return s.r(s.regs - 3 - part) }
	f.P("MOVQ %d(DI), AX", poolBias)
	for part := range s.per {
		f.P("VMOVUPS %d(AX), %s", part*s.bytes, bias(part))
	}
	f.P("VBROADCASTSS %d(DI), %s", poolLow, low)
	f.runs(func() {
		f.P("VBROADCASTSS %d(R8), %s", runDivisor, divisor)
		f.grouped(s,
			func(a accumulator) { s.zero(f, a.register) },
			func() {},
			func(a accumulator) { f.P("VADDPS %s, %s, %s", a.tap, a.register, a.register) },
			func(a accumulator) {
				f.P("VDIVPS %s, %s, %s", divisor, a.register, a.register)
				f.P("VADDPS %s, %s, %s", bias(a.part), a.register, a.register)
				f.P("VMAXPS %s, %s, %s", a.register, low, a.register)
				f.P("VMOVUPS %s, %s", a.register, a.out)
			})
	})
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

// averagePoolGrad: X is the gradient of the input, Y that of the output.
func averagePoolGrad(f *file, s isa) {
	divisor, share := s.r(s.regs-1), s.r(0)
	f.runs(func() {
		f.P("VBROADCASTSS %d(R8), %s", runDivisor, divisor)
		f.P("TESTQ R10, R10")
		f.P("JZ next")
		f.eachPixel(s, func(part int) {
			f.P("VMOVUPS %d(DX), %s", part*s.bytes, share)
			f.P("VDIVPS %s, %s, %s", divisor, share, share)
			f.taps(fmt.Sprintf("tap%d", part), "R9", "SI", func() {
				at := fmt.Sprintf("%d(AX)", part*s.bytes)
				f.P("VADDPS %s, %s, %s", at, share, s.r(1))
				f.P("VMOVUPS %s, %s", s.r(1), at)
			})
		})
		f.Label("next")
	})
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

// maxPoolGrad finds the winning tap of every lane, then adds dy there. The gradient's own window is at
// R15 and its taps at R12.
func maxPoolGrad(f *file, s isa) {
	best, winner, x, index, mask, t := s.r(0), s.r(1), s.r(2), s.r(3), s.r(4), s.r(5)
	lowest := s.r(6)
	s.minusInfinity(f, lowest)
	broadcast := func() { // the index of the tap, in all lanes
		f.P("VMOVD R13, X%s", index[1:])
		f.P("VPBROADCASTD X%s, %s", index[1:], index)
	}
	f.runs(func() {
		f.P("TESTQ R10, R10")
		f.P("JZ next")
		f.P("MOVQ R8, R15")
		f.P("SUBQ %d(DI), R15", poolRuns)
		f.P("ADDQ %d(DI), R15", poolDXRuns)
		f.P("MOVLQSX %d(R15), R15", runIn)
		f.P("ADDQ %d(DI), R15", poolDX)
		f.P("MOVLQSX %d(R8), R12", runTap)
		f.P("ADDQ %d(DI), R12", poolDXTaps)
		f.eachPixel(s, func(part int) {
			at := fmt.Sprintf("%d(AX)", part*s.bytes)
			f.P("VMOVAPS %s, %s", lowest, best)
			s.zero(f, winner)
			f.taps(fmt.Sprintf("find%d", part), "R9", "SI", func() {
				f.P("VMOVUPS %s, %s", at, x)
				broadcast()
				if s.per == 1 {
					f.P("VCMPPS $%#x, %s, %s, K1", cmpGreater, best, x)
					f.P("VCMPPS $%#x, %s, %s, K2", cmpUnordered, x, x)
					f.P("KORW K1, K2, K1")
					f.P("VMOVAPS %s, K1, %s", x, best)
					f.P("VMOVDQA32 %s, K1, %s", index, winner)
					return
				}
				f.P("VCMPPS $%#x, %s, %s, %s", cmpGreater, best, x, mask)
				f.P("VCMPPS $%#x, %s, %s, %s", cmpUnordered, x, x, t)
				f.P("VORPS %s, %s, %s", t, mask, mask)
				f.P("VBLENDVPS %s, %s, %s, %s", mask, x, best, best)
				f.P("VBLENDVPS %s, %s, %s, %s", mask, index, winner, winner)
			})
			dy := fmt.Sprintf("%d(DX)", part*s.bytes)
			f.taps(fmt.Sprintf("give%d", part), "R12", "R15", func() {
				broadcast()
				if s.per == 1 {
					f.P("VPCMPEQD %s, %s, K1", index, winner)
					f.P("VMOVUPS.Z %s, K1, %s", dy, t)
				} else {
					f.P("VPCMPEQD %s, %s, %s", index, winner, t)
					f.P("VANDPS %s, %s, %s", dy, t, t)
				}
				f.P("VADDPS %s, %s, %s", at, t, t)
				f.P("VMOVUPS %s, %s", t, at)
			})
			if part == s.per-1 {
				f.P("ADDQ R11, R15")
			}
		})
		f.Label("next")
	})
}
