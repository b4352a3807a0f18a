package main

import (
	"fmt"
	"math"

	"regraft/engine/kernel/vec"
)

var minusInfinity = float32(math.Inf(-1))

// windowKernel writes the assembly of a window. States of a group of pixels are in the first registers, those that the loop provides in
// the last, and bodies have what lies between.
type windowKernel struct {
	*file
	isa
	window
	code [bodies]*vec.Code
}

// provided is the register of a state that only the loop changes.
func (k *windowKernel) provided(state, part int) int {
	return k.regs - 1 - map[int]int{divisor: 0, index: 0, factor: part}[state]
}

func newWindowKernel(f *file, s isa, w window) *windowKernel {
	k := &windowKernel{file: f, isa: s, window: w}
	free := s.registers(poolGroup * s.per)
	free = free[:len(free)-s.per]
	for i, p := range w.programs() {
		if p == nil {
			continue
		}
		k.code[i] = compile(w.name, s.target, p, vec.Frame{Free: free, Parts: s.per})
		free = k.code[i].Rest()
	}
	return k
}

func (k *windowKernel) emit() {
	for _, code := range k.code {
		if code != nil {
			code.PrintConstants(func(_, part int) string {
				if part == 0 {
					k.P("MOVQ %d(DI), AX", poolBias)
				}
				return fmt.Sprintf("%d(AX)", part*k.bytes)
			}, func(i int) string { return fmt.Sprintf("%d(DI)", poolLow+4*i) }, k.number, k.line)
		}
	}
	k.loop(k)
}

// print emits a body for one part of a pixel, whose own states are from a register on; memory names its slots.
func (k *windowKernel) print(body, part, first int, memory ...string) {
	k.body(k.code[body], vec.Places{
		Part:   part,
		Memory: func(slot int) string { return memory[slot] },
		State: func(i int) int {
			if i <= winner {
				return first + i
			}
			return k.provided(i, part)
		},
	})
}

// group emits the loops of a kernel that sums several windows at a time.
func (k *windowKernel) group(before func()) {
	k.grouped(k.isa,
		func(a accumulator) { k.print(atStart, a.part, a.register) },
		before,
		func(a accumulator) { k.print(atTap, a.part, a.register, a.tap) },
		func(a accumulator) { k.print(atFinish, a.part, a.register, "", a.out) })
}

// each emits the loops of a kernel that treats one window after the other; body gets a part of the pixel, at DX.
func (k *windowKernel) each(body func(part int, pixel string)) {
	k.P("TESTQ R10, R10")
	k.P("JZ next")
	k.eachPixel(k.isa, func(part int) { body(part, fmt.Sprintf("%d(DX)", part*k.bytes)) })
	k.Label("next")
}

func (k *windowKernel) max() { k.runs(func() { k.group(func() {}) }) }

func (k *windowKernel) average() {
	k.runs(func() {
		k.loadDivisor()
		k.group(func() {})
	})
}

func (k *windowKernel) loadDivisor() {
	k.spread(k.isa, fmt.Sprintf("%d(R8)", runDivisor), k.provided(divisor, 0))
}

func (k *windowKernel) averageGrad() {
	k.runs(func() {
		k.loadDivisor()
		k.each(func(part int, pixel string) {
			k.print(atStart, part, 0, "", pixel)
			k.taps(fmt.Sprintf("tap%d", part), "R9", "SI", func() { k.print(atTap, part, 0, fmt.Sprintf("%d(AX)", part*k.bytes)) })
		})
	})
}

// maxGrad: the gradient's own window is at R15 and its taps at R12.
func (k *windowKernel) maxGrad() {
	broadcast := func() { // the index of the tap, in all lanes
		k.lanes.integer(k.file, k.isa, "R13", k.provided(index, 0))
	}
	k.runs(func() {
		k.P("MOVQ R8, R15")
		k.P("SUBQ %d(DI), R15", poolRuns)
		k.P("ADDQ %d(DI), R15", poolDXRuns)
		k.P("MOVLQSX %d(R15), R15", runIn)
		k.P("ADDQ %d(DI), R15", poolDX)
		k.P("MOVLQSX %d(R8), R12", runTap)
		k.P("ADDQ %d(DI), R12", poolDXTaps)
		k.each(func(part int, pixel string) {
			at := fmt.Sprintf("%d(AX)", part*k.bytes)
			k.print(atStart, part, 0)
			k.taps(fmt.Sprintf("find%d", part), "R9", "SI", func() {
				broadcast()
				k.print(atTap, part, 0, at)
			})
			k.taps(fmt.Sprintf("give%d", part), "R12", "R15", func() {
				broadcast()
				k.print(atGive, part, 0, at, pixel)
			})
			if part == k.per-1 {
				k.P("ADDQ R11, R15")
			}
		})
	})
}

// depthwise: the pixels of a group share a tap's weights. R15 leads from a tap's offset to that of its weights.
func (k *windowKernel) depthwise() {
	k.P("MOVQ %d(DI), R15", poolWTaps)
	k.P("SUBQ %d(DI), R15", poolTaps)
	k.runs(func() {
		k.group(func() {
			k.P("MOVLQSX (R12)(R15*1), AX")
			k.P("ADDQ %d(DI), AX", poolW)
			for part := range k.per {
				k.load(k.isa, k.part(part, "AX"), k.provided(factor, part))
			}
		})
	})
}

// weightOf sets R15 to the weights of tap R13 of the run.
func (k *windowKernel) weightOf() {
	k.P("MOVLQSX %d(R8), R15", runTap)
	k.P("ADDQ %d(DI), R15", poolWTaps)
	k.P("MOVLQSX (R15)(R13*4), R15")
	k.P("ADDQ %d(DI), R15", poolW)
}

func (k *windowKernel) depthwiseGradX() {
	k.runs(func() {
		k.each(func(part int, pixel string) {
			k.print(atStart, part, 0, "", pixel)
			k.taps(fmt.Sprintf("tap%d", part), "R9", "SI", func() {
				k.weightOf()
				k.print(atTap, part, 0, fmt.Sprintf("%d(AX)", part*k.bytes), "", fmt.Sprintf("%d(R15)", part*k.bytes))
			})
		})
	})
}

// depthwiseGradW: one tap after the other walks the pixels of the run; R14 is the pixel of dY, R12 the pixels left.
func (k *windowKernel) depthwiseGradW() {
	k.runs(func() {
		k.P("TESTQ R10, R10")
		k.P("JZ next")
		k.taps("tap", "R9", "SI", func() {
			k.weightOf()
			for part := range k.per {
				k.load(k.isa, k.part(part, "R15"), k.provided(factor, part))
			}
			k.P("MOVQ DX, R14")
			k.P("MOVQ CX, R12")
			k.Label("pixel")
			for part := range k.per {
				k.print(atTap, part, 0, fmt.Sprintf("%d(AX)", part*k.bytes), fmt.Sprintf("%d(R14)", part*k.bytes))
			}
			k.P("ADDQ R11, AX")
			k.P("ADDQ $64, R14")
			k.P("DECQ R12")
			k.P("JNZ pixel")
			for part := range k.per {
				k.store(k.isa, k.provided(factor, part), k.part(part, "R15"))
			}
		})
		k.Label("next")
	})
}
