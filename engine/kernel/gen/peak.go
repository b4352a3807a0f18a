package main

import "fmt"

// peaks emits loops of independent multiply-adds: what the machine can do at most.
func peaks(f *file) {
	fmt.Fprintf(&f.decl, "\n// peakLoop is the loop for an instruction set and the floating-point operations of one of its rounds.\n")
	fmt.Fprintf(&f.decl, "func peakLoop(isa ISA) (func(*peakArgs), float64) {\nswitch isa {\n")
	for _, s := range []isa{avx512, avx2} {
		fmt.Fprintf(&f.decl, "case %s:\nreturn peak_f32_%s, %d\n", s.constant(), s.name, 4*(s.regs-2)*s.bytes/4*2)
	}
	fmt.Fprintf(&f.decl, "}\nreturn nil, 0\n}\n")
	for _, s := range []isa{avx512, avx2} {
		f.function("peak_f32_"+s.name, "peakArgs")
		f.p("MOVQ 0(DI), CX")
		for i := range s.regs {
			s.zero(f, s.r(i))
		}
		f.label("loop")
		for range 4 {
			for i := range s.regs - 2 { // far more chains than the latency asks for
				f.p("VFMADD231PS %s, %s, %s", s.r(s.regs-1), s.r(s.regs-2), s.r(i))
			}
		}
		f.p("DECQ CX")
		f.p("JNZ loop")
		f.end()
	}
}
