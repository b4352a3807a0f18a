package main

import (
	"unsafe"

	"regraft/engine/kernel/abi"
)

// transposes emits the kernel that transposes 16x16 blocks of floats; every processor has one.
//
//	DI arguments (abi.Transpose)   SI source   DX destination   CX blocks left
func transposes(f *file) {
	var args abi.Transpose
	s := f.common()
	f.function("transpose_f32_16x16_"+s.name, "transposeArgs")
	f.P("MOVQ %d(DI), SI", unsafe.Offsetof(args.Src))
	f.P("MOVQ %d(DI), DX", unsafe.Offsetof(args.Dst))
	f.P("MOVQ %d(DI), R8", unsafe.Offsetof(args.SrcStep)) // bytes between source blocks
	f.P("MOVQ %d(DI), R9", unsafe.Offsetof(args.DstStep)) // bytes between destination blocks
	f.P("MOVQ %d(DI), CX", unsafe.Offsetof(args.Count))
	f.Label("block")
	s.lanes.transpose(f)
	f.P("ADDQ R8, SI")
	f.P("ADDQ R9, DX")
	f.P("DECQ CX")
	f.P("JNZ block")
	f.End()
}
