package main

import (
	"fmt"
	"unsafe"

	"regraft/engine/kernel/abi"
	"regraft/engine/kernel/vec"
)

// The packing kernel interleaves rows of three channels into rows of RGB pixels, a register of pixels
// at a time: float e of the output belongs to pixel e/3, channel e%3. The last register of a
// row overlaps the one before, so rows must have at least one register of pixels.
//
//	DI  arguments (abi.Pack)    CX  rows left     AX  pixels left in the row
//	R8  row of X   SI R10 R11  pixels of the channels    R12 bytes between channels
//	R9  row of Y   DX  pixels of Y
//
// Registers: 0 to 2 the channels, 8 to 10 scales, 11 to 13 shifts, 3 to 7 for what interleaves.
var packArgs abi.Pack

const (
	packX       = int(unsafe.Offsetof(packArgs.X))
	packY       = int(unsafe.Offsetof(packArgs.Y))
	packChannel = int(unsafe.Offsetof(packArgs.Channel))
	packXRow    = int(unsafe.Offsetof(packArgs.XRow))
	packYRow    = int(unsafe.Offsetof(packArgs.YRow))
	packRows    = int(unsafe.Offsetof(packArgs.Rows))
	packPixels  = int(unsafe.Offsetof(packArgs.Pixels))
	packScale   = int(unsafe.Offsetof(packArgs.Scale))
	packShift   = int(unsafe.Offsetof(packArgs.Shift))
)

// packed is the arithmetic on an element: state 0 becomes element*scale + shift, fused.
func packed(p *vec.Program) {
	p.SetState(0, p.FMA(p.Load(element), state(p, 1), state(p, 2)))
}

func packs(f *file) {
	f.plainFunction("pack", "packArgs", func() { plainPack(f) })
	for _, s := range f.isas {
		s.lanes.tables(f, s)
	}
	for _, s := range f.isas {
		f.function(kernelName("pack", s), "packArgs")
		pack(f, s)
		f.End()
	}
}

func pack(f *file, s isa) {
	lanes := s.bytes / 4
	channels := []string{"SI", "R10", "R11"}
	for i := range 3 {
		s.lanes.prepare(f, s, i)
	}
	f.P("MOVQ %d(DI), R8", packX)
	f.P("MOVQ %d(DI), R9", packY)
	f.P("MOVQ %d(DI), R12", packChannel)
	f.P("MOVQ %d(DI), CX", packRows)
	f.Label("row")
	f.P("MOVQ R8, SI")
	f.P("LEAQ (R8)(R12*1), R10")
	f.P("LEAQ (R8)(R12*2), R11")
	f.P("MOVQ R9, DX")
	f.P("MOVQ %d(DI), AX", packPixels)
	f.P("SUBQ $%d, AX", lanes)
	f.Label("pixels")
	arithmetic := epilogue(s, packed, 3)
	for c, base := range channels {
		f.body(arithmetic, vec.Places{
			Memory: func(int) string { return "(" + base + ")" },
			State:  func(i int) int { return []int{c, 8 + c, 11 + c}[i] },
		})
	}
	s.lanes.interleave(f, s)
	f.P("TESTQ AX, AX")
	f.P("JZ next")
	step := func(by string) { // by pixels
		for _, base := range channels {
			f.P("LEAQ (%s)(%s*4), %s", base, by, base)
		}
		f.P("LEAQ (%s)(%s*2), R13", by, by)
		f.P("LEAQ (DX)(R13*4), DX")
	}
	f.P("MOVQ $%d, R14", lanes)
	f.P("CMPQ AX, R14")
	f.P("CMOVQLT AX, R14") // the last step is shorter
	step("R14")
	f.P("SUBQ R14, AX")
	f.P("JMP pixels")
	f.Label("next")
	f.P("ADDQ %d(DI), R8", packXRow)
	f.P("ADDQ %d(DI), R9", packYRow)
	f.P("DECQ CX")
	f.P("JNZ row")
}

// packFactors loads the scale and shift of a channel.
func (f *file) packFactors(s isa, channel int) {
	f.spread(s, fmt.Sprintf("%d(DI)", packScale+4*channel), 8+channel)
	f.spread(s, fmt.Sprintf("%d(DI)", packShift+4*channel), 11+channel)
}

// plainPack writes the plain Go form.
func plainPack(f *file) {
	text := vec.Of(packed).Plain(vec.Names{
		Load:  func(int) string { return "element" },
		State: func(i int) string { return []string{"y[3*i+c]", "k.Scale[c]", "k.Shift[c]"}[i] },
	})
	fmt.Fprintf(&f.Plain, `for r := range uintptr(k.Rows) {
		y := FloatsAt(k.Y+r*uintptr(k.YRow), 3*k.Pixels)
		for c := range 3 {
			for i, element := range FloatsAt(k.X+uintptr(c*k.Channel)+r*uintptr(k.XRow), k.Pixels) {
				%s
			}
		}
	}
`, text)
}
