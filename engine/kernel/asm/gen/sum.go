package main

import (
	"fmt"
	"unsafe"

	"regraft/engine/kernel/abi"
	"regraft/engine/kernel/vec"
)

// sums emits the kernel that adds up equal stretches of memory: the first becomes the sum of all, in order.
//
//	DI arguments (abi.SlotSum)   SI first stretch   R8 bytes between stretches   CX lines of 64 bytes left
func sums(f *file) {
	var args abi.SlotSum
	f.function("slotsum_f32_avx2", "sumArgs")
	f.P("MOVQ %d(DI), SI", unsafe.Offsetof(args.First))
	f.P("MOVQ %d(DI), R8", unsafe.Offsetof(args.Step))
	f.P("MOVQ %d(DI), CX", unsafe.Offsetof(args.Lines))
	f.Label("line")
	f.P("VMOVUPS (SI), Y0")
	f.P("VMOVUPS 32(SI), Y1")
	f.P("MOVQ SI, AX")
	f.P("MOVQ %d(DI), DX", unsafe.Offsetof(args.Slots)) // stretches
	f.P("JMP next")
	f.Label("add")
	f.P("ADDQ R8, AX")
	add := epilogue(avx2, func(p *vec.Program) { plus(p, p.Load(operand)) })
	for half := range 2 {
		f.body(add, vec.Places{
			Memory: func(int) string { return fmt.Sprintf("%d(AX)", 32*half) },
			State:  func(int) int { return half },
		})
	}
	f.Label("next")
	f.P("DECQ DX")
	f.P("JNZ add")
	f.P("VMOVUPS Y0, (SI)")
	f.P("VMOVUPS Y1, 32(SI)")
	f.P("ADDQ $64, SI")
	f.P("DECQ CX")
	f.P("JNZ line")
	f.End()
}
