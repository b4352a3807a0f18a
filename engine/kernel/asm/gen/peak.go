package main

import (
	"fmt"
	"unsafe"

	"regraft/engine/kernel/abi"
)

// peaks emits loops of independent multiply-adds: what the machine can do at most.
func peaks(f *file) {
	fmt.Fprintf(&f.Decl, "\n// Floating-point operations of one round.\nconst (\n")
	for _, s := range f.isas {
		fmt.Fprintf(&f.Decl, "peakFlops%s = %d\n", s.constant(), 4*(s.regs-2)*s.bytes/4*2)
	}
	fmt.Fprintf(&f.Decl, ")\n")
	for _, s := range f.isas {
		f.function("peak_f32_"+s.name, "peakArgs")
		f.P("MOVQ %d(DI), CX", unsafe.Offsetof(abi.Peak{}.Rounds))
		for i := range s.regs {
			f.zero(s, i)
		}
		f.Label("loop")
		for range 4 {
			for i := range s.regs - 2 { // far more chains than the latency asks for
				f.all(s.target.MultiplyAdd(s.regs-2, s.regs-1, i))
			}
		}
		f.P("DECQ CX")
		f.P("JNZ loop")
		f.End()
	}
}
