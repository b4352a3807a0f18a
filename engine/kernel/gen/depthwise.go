package main

import "fmt"

// The kernels of depthwise convolutions go through runs as the pools do, with the same registers; every
// tap has sixteen weights, or sixteen sums of their gradient.
// depthwise: the pixels of a group share a tap's weights. R15 leads from a tap's offset to that of its
// weights.
func depthwise(f *file, s isa) {
	low, high := s.r(s.regs-1), s.r(s.regs-2)
	bias := func(part int) string { return s.r(s.regs - 3 - part) }
	weight := func(part int) string { return s.r(s.regs - 3 - s.per - part) }
	f.p("MOVQ %d(DI), AX", poolBias)
	for part := range s.per {
		f.p("VMOVUPS %d(AX), %s", part*s.bytes, bias(part))
	}
	f.p("VBROADCASTSS %d(DI), %s", poolLow, low)
	f.p("VBROADCASTSS %d(DI), %s", poolHigh, high)
	f.p("MOVQ %d(DI), R15", poolWTaps)
	f.p("SUBQ %d(DI), R15", poolTaps)
	f.runs(func() {
		f.grouped(s,
			func(a accumulator) { f.p("VMOVAPS %s, %s", bias(a.part), a.register) },
			func() {
				f.p("MOVLQSX (R12)(R15*1), AX")
				f.p("ADDQ %d(DI), AX", poolW)
				for part := range s.per {
					f.p("VMOVUPS %d(AX), %s", part*s.bytes, weight(part))
				}
			},
			func(a accumulator) { f.p("VFMADD231PS %s, %s, %s", a.tap, weight(a.part), a.register) },
			func(a accumulator) {
				f.p("VMAXPS %s, %s, %s", a.register, low, a.register)
				f.p("VMINPS %s, %s, %s", a.register, high, a.register)
				f.p("VMOVUPS %s, %s", a.register, a.out)
			})
	})
}

// weightOf sets R15 to the weights of tap R13 of the run.
func (f *file) weightOf() {
	f.p("MOVLQSX %d(R8), R15", runTap)
	f.p("ADDQ %d(DI), R15", poolWTaps)
	f.p("MOVLQSX (R15)(R13*4), R15")
	f.p("ADDQ %d(DI), R15", poolW)
}

// depthwiseGradX: X is the gradient of the input, Y that of the output.
func depthwiseGradX(f *file, s isa) {
	f.runs(func() {
		f.p("TESTQ R10, R10")
		f.p("JZ next")
		f.eachPixel(s, func(part int) {
			f.p("VMOVUPS %d(DX), %s", part*s.bytes, s.r(0))
			f.taps(fmt.Sprintf("tap%d", part), "R9", "SI", func() {
				f.weightOf()
				at := fmt.Sprintf("%d(AX)", part*s.bytes)
				f.p("VMOVUPS %s, %s", at, s.r(1))
				f.p("VFMADD231PS %d(R15), %s, %s", part*s.bytes, s.r(0), s.r(1))
				f.p("VMOVUPS %s, %s", s.r(1), at)
			})
		})
		f.label("next")
	})
}

// depthwiseGradW: one tap after the other walks the pixels of the run; R14 is the pixel of dY, R12 the
// pixels left.
func depthwiseGradW(f *file, s isa) {
	f.runs(func() {
		f.p("TESTQ R10, R10")
		f.p("JZ next")
		f.taps("tap", "R9", "SI", func() {
			f.weightOf()
			for part := range s.per {
				f.p("VMOVUPS %d(R15), %s", part*s.bytes, s.r(part))
			}
			f.p("MOVQ DX, R14")
			f.p("MOVQ CX, R12")
			f.label("pixel")
			for part := range s.per {
				f.p("VMOVUPS %d(R14), %s", part*s.bytes, s.r(2+part))
				f.p("VFMADD231PS %d(AX), %s, %s", part*s.bytes, s.r(2+part), s.r(part))
			}
			f.p("ADDQ R11, AX")
			f.p("ADDQ $64, R14")
			f.p("DECQ R12")
			f.p("JNZ pixel")
			for part := range s.per {
				f.p("VMOVUPS %s, %d(R15)", s.r(part), part*s.bytes)
			}
		})
		f.label("next")
	})
}
