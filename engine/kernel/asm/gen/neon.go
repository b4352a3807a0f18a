package main

import (
	"fmt"
	"unsafe"

	"regraft/engine/kernel/abi"
	"regraft/engine/kernel/vec"
)

// NEON, the instruction set of arm64.

var neon = isa{
	name: "neon", regs: 32, bytes: 16, per: 4, tiles: abi.NEON, target: vec.NEON, wide: vec.NEONWide,
	factors: elements{}, work: 2, unrolled: 16, fetches: false, lanes: neonLanes{},
}

// elements multiply with one lane of a register, which holds floats as they lie in memory.
type elements struct{}

func (elements) register(last, i int) int { return last - i }

func (elements) blocks(int) int { return 1 }

func (elements) multiplyAdd(f *file, _ isa, x inputLane, weights, sums []int) {
	begin, letter := piece(x.lane, x.of)
	if x.lane == begin && !x.again {
		f.P("ldr %s%d, %s", letter, x.register, x.at(x.lane))
	}
	for j, w := range weights {
		f.P("fmla v%d.4s, v%d.4s, v%d.s[%d]", sums[j], w, x.register, x.lane-begin)
	}
}

// piece is the load that brings a lane: floats are loaded by fours, the rest by two and one, and none beyond the last.
func piece(lane, of int) (begin int, letter string) {
	for {
		n, letter := 1, "s"
		switch left := of - begin; {
		case left >= 4:
			n, letter = 4, "q"
		case left >= 2:
			n, letter = 2, "d"
		}
		if lane < begin+n {
			return begin, letter
		}
		begin += n
	}
}

type neonLanes struct{}

func (neonLanes) integer(f *file, _ isa, from string, to int) { f.P("dup v%d.4s, %s", to, from) }

// pick looks bytes up in the four registers of a pixel. What is beyond them becomes 0.
func (neonLanes) pick(f *file, s isa, more bool) {
	var lanes abi.PickLanes
	const pixel, places, work = 0, 16, 20 // registers
	f.P("MOVQ $0x04040404, R12")
	f.P("dup v%d.4s, R12", work)
	f.P("MOVQ $0x03020100, R12")
	f.P("dup v%d.4s, R12", work+1)
	for i := range s.per {
		at, mask := places+i, work+2
		f.load(s, fmt.Sprintf("%d(R11)", int(unsafe.Offsetof(lanes.Index))+s.bytes*i), at)
		f.load(s, fmt.Sprintf("%d(R11)", int(unsafe.Offsetof(lanes.Mask))+s.bytes*i), mask)
		f.P("mul v%d.4s, v%d.4s, v%d.4s", at, at, work)
		f.P("add v%d.4s, v%d.4s, v%d.4s", at, at, work+1)
		f.P("orn v%d.16b, v%d.16b, v%d.16b", at, at, mask)
	}
	f.walkPixels(1, func(int) {
		for i := range s.per {
			f.load(s, s.part(i, "SI"), pixel+i)
		}
		for i := range s.per {
			f.P("tbl v%d.16b, {v%d.16b-v%d.16b}, v%d.16b", work+i, pixel, pixel+3, places+i)
		}
		if more {
			for i := range s.per {
				f.load(s, s.part(i, "BX"), pixel+i)
			}
			for i := range s.per {
				f.P("orr v%d.16b, v%d.16b, v%d.16b", work+i, work+i, pixel+i)
			}
		}
		for i := range s.per {
			f.store(s, work+i, s.part(i, "DX"))
		}
	})
}

// Packing: there is an instruction that stores three registers so.

func (neonLanes) tables(*file, isa) {}

func (neonLanes) prepare(f *file, s isa, channel int) { f.packFactors(s, channel) }

func (neonLanes) interleave(f *file, _ isa) { f.P("st3 {v0.4s-v2.4s}, (DX)") }

// transpose: sixteen 4x4 blocks. Pairs of rows are interleaved, then pairs of pairs.
func (neonLanes) transpose(f *file) {
	for r := range 4 {
		for c := range 4 {
			fourByFour(f, r*4*64+c*16, c*4*64+r*16)
		}
	}
}

func fourByFour(f *file, src, dst int) {
	for i := range 4 {
		f.P("ldr q%d, %d(SI)", i, src+i*64)
	}
	for i, from := range []int{0, 0, 2, 2} { // v4: a0 b0 a2 b2, v5: a1 b1 a3 b3, v6 and v7 of c and d
		f.P("trn%d v%d.4s, v%d.4s, v%d.4s", i%2+1, 4+i, from, from+1)
	}
	for i := range 4 {
		f.P("zip%d v%d.2d, v%d.2d, v%d.2d", i/2+1, 16+i, 4+i%2, 6+i%2)
		f.P("str q%d, %d(DX)", 16+i, dst+i*64)
	}
}
