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
	f.P("MOVQ %d(DI), AX", poolBias)
	for part := range s.per {
		f.P("VMOVUPS %d(AX), %s", part*s.bytes, bias(part))
	}
	f.P("VBROADCASTSS %d(DI), %s", poolLow, low)
	f.P("VBROADCASTSS %d(DI), %s", poolHigh, high)
	f.P("MOVQ %d(DI), R15", poolWTaps)
	f.P("SUBQ %d(DI), R15", poolTaps)
	f.runs(func() {
		f.grouped(s,
			func(a accumulator) { f.P("VMOVAPS %s, %s", bias(a.part), a.register) },
			func() {
				f.P("MOVLQSX (R12)(R15*1), AX")
				f.P("ADDQ %d(DI), AX", poolW)
				for part := range s.per {
					f.P("VMOVUPS %d(AX), %s", part*s.bytes, weight(part))
				}
			},
			func(a accumulator) { f.P("VFMADD231PS %s, %s, %s", a.tap, weight(a.part), a.register) },
			func(a accumulator) {
				f.P("VMAXPS %s, %s, %s", a.register, low, a.register)
				f.P("VMINPS %s, %s, %s", a.register, high, a.register)
				f.P("VMOVUPS %s, %s", a.register, a.out)
			})
	})
}

// weightOf sets R15 to the weights of tap R13 of the run.
func (f *file) weightOf() {
	f.P("MOVLQSX %d(R8), R15", runTap)
	f.P("ADDQ %d(DI), R15", poolWTaps)
	f.P("MOVLQSX (R15)(R13*4), R15")
	f.P("ADDQ %d(DI), R15", poolW)
}

// depthwiseGradX: X is the gradient of the input, Y that of the output.
func depthwiseGradX(f *file, s isa) {
	f.runs(func() {
		f.P("TESTQ R10, R10")
		f.P("JZ next")
		f.eachPixel(s, func(part int) {
			f.P("VMOVUPS %d(DX), %s", part*s.bytes, s.r(0))
			f.taps(fmt.Sprintf("tap%d", part), "R9", "SI", func() {
				f.weightOf()
				at := fmt.Sprintf("%d(AX)", part*s.bytes)
				f.P("VMOVUPS %s, %s", at, s.r(1))
				f.P("VFMADD231PS %d(R15), %s, %s", part*s.bytes, s.r(0), s.r(1))
				f.P("VMOVUPS %s, %s", s.r(1), at)
			})
		})
		f.Label("next")
	})
}

// depthwiseGradW: one tap after the other walks the pixels of the run; R14 is the pixel of dY, R12 the
// pixels left.
func depthwiseGradW(f *file, s isa) {
	f.runs(func() {
		f.P("TESTQ R10, R10")
		f.P("JZ next")
		f.taps("tap", "R9", "SI", func() {
			f.weightOf()
			for part := range s.per {
				f.P("VMOVUPS %d(R15), %s", part*s.bytes, s.r(part))
			}
			f.P("MOVQ DX, R14")
			f.P("MOVQ CX, R12")
			f.Label("pixel")
			for part := range s.per {
				f.P("VMOVUPS %d(R14), %s", part*s.bytes, s.r(2+part))
				f.P("VFMADD231PS %d(AX), %s, %s", part*s.bytes, s.r(2+part), s.r(part))
			}
			f.P("ADDQ R11, AX")
			f.P("ADDQ $64, R14")
			f.P("DECQ R12")
			f.P("JNZ pixel")
			for part := range s.per {
				f.P("VMOVUPS %s, %d(R15)", s.r(part), part*s.bytes)
			}
		})
		f.Label("next")
	})
}
