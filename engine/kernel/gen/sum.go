package main

import (
	"unsafe"

	"regraft/engine/kernel/abi"
)

// sums emits the kernel that adds up equal stretches of memory: the first becomes the sum of all, in order.
//
//	DI arguments (abi.SlotSum)   SI first stretch   R8 bytes between stretches   CX lines of 64 bytes left
func sums(f *file) {
	var args abi.SlotSum
	f.function("slotsum_f32_avx2", "sumArgs")
	f.p("MOVQ %d(DI), SI", unsafe.Offsetof(args.First))
	f.p("MOVQ %d(DI), R8", unsafe.Offsetof(args.Step))
	f.p("MOVQ %d(DI), CX", unsafe.Offsetof(args.Lines))
	f.label("line")
	f.p("VMOVUPS (SI), Y0")
	f.p("VMOVUPS 32(SI), Y1")
	f.p("MOVQ SI, AX")
	f.p("MOVQ %d(DI), DX", unsafe.Offsetof(args.Slots)) // stretches
	f.p("JMP next")
	f.label("add")
	f.p("ADDQ R8, AX")
	f.p("VADDPS (AX), Y0, Y0")
	f.p("VADDPS 32(AX), Y1, Y1")
	f.label("next")
	f.p("DECQ DX")
	f.p("JNZ add")
	f.p("VMOVUPS Y0, (SI)")
	f.p("VMOVUPS Y1, 32(SI)")
	f.p("ADDQ $64, SI")
	f.p("DECQ CX")
	f.p("JNZ line")
	f.end()
}
