package main

import (
	"unsafe"

	"regraft/engine/kernel/abi"
	"regraft/engine/kernel/vec"
)

// sums emits the kernel that adds up equal stretches of memory: the first becomes the sum of all, in order.
//
//	DI arguments (abi.SlotSum)   SI first stretch   R8 bytes between stretches   CX lines of 64 bytes left
func sums(f *file) {
	var args abi.SlotSum
	s := f.common()
	f.function("slotsum_f32_"+s.name, "sumArgs")
	f.P("MOVQ %d(DI), SI", unsafe.Offsetof(args.First))
	f.P("MOVQ %d(DI), R8", unsafe.Offsetof(args.Step))
	f.P("MOVQ %d(DI), CX", unsafe.Offsetof(args.Lines))
	line := func(i int) string {
		if i == 0 {
			return "(SI)"
		}
		return s.part(i, "SI")
	}
	f.Label("line")
	for i := range s.per {
		f.load(s, line(i), i)
	}
	f.P("MOVQ SI, AX")
	f.P("MOVQ %d(DI), DX", unsafe.Offsetof(args.Slots)) // stretches
	f.P("JMP next")
	f.Label("add")
	f.P("ADDQ R8, AX")
	add := epilogue(s, func(p *vec.Program) { plus(p, p.Load(operand)) }, s.registers(s.per)...)
	for i := range s.per {
		f.body(add, vec.Places{
			Memory: func(int) string { return s.part(i, "AX") },
			State:  func(int) int { return i },
		})
	}
	f.Label("next")
	f.P("DECQ DX")
	f.P("JNZ add")
	for i := range s.per {
		f.store(s, i, line(i))
	}
	f.P("ADDQ $64, SI")
	f.P("DECQ CX")
	f.P("JNZ line")
	f.End()
}
