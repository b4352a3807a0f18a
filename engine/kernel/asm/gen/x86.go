package main

import (
	"fmt"
	"unsafe"

	"regraft/engine/kernel/abi"
	"regraft/engine/kernel/vec"
)

// The instruction sets of amd64.

var (
	avx512 = isa{
		name: "avx512", regs: 32, bytes: 64, per: 1, tiles: abi.AVX512, target: vec.AVX512, wide: vec.AVX512Wide,
		factors: broadcasts{}, work: 0, unrolled: 4, fetches: true, lanes: x86Lanes{},
	}
	avx2 = isa{
		name: "avx2", regs: 16, bytes: 32, per: 2, tiles: abi.AVX2, target: vec.AVX2, wide: vec.AVX2Wide,
		factors: broadcasts{}, work: 0, unrolled: 4, fetches: true, lanes: x86Lanes{},
	}
)

// broadcasts bring one float at a time to all lanes of a register, or inside the multiply-add where it is the only one.
type broadcasts struct{}

func (broadcasts) register(last, _ int) int { return last }

func (broadcasts) blocks(all int) int { return all }

func (broadcasts) multiplyAdd(f *file, s isa, x inputLane, weights, sums []int) {
	if len(weights) == 1 {
		f.all(s.target.MultiplyAddNumber(weights[0], x.at(x.lane), sums[0]))
		return
	}
	f.spread(s, x.at(x.lane), x.register)
	for j, w := range weights {
		f.all(s.target.MultiplyAdd(w, x.register, sums[j]))
	}
}

type x86Lanes struct{}

func (x86Lanes) integer(f *file, s isa, from string, to int) {
	f.P("VMOVD %s, X%d", from, to)
	f.P("VPBROADCASTD X%d, %s", to, s.r(to))
}

func (x86Lanes) pick(f *file, s isa, more bool) {
	var lanes abi.PickLanes
	if s.per == 1 {
		index, mask := s.r(31), s.r(30)
		f.P("VMOVUPS %d(R11), %s", unsafe.Offsetof(lanes.Index), index)
		f.P("VMOVUPS %d(R11), %s", unsafe.Offsetof(lanes.Mask), mask)
		f.walkPixels(planeUnroll, func(pixel int) {
			r := s.r(pixel)
			f.P("VPERMPS %d(SI), %s, %s", 64*pixel, index, r)
			f.P("VPANDD %s, %s, %s", mask, r, r)
			if more {
				f.P("VPORD %d(BX), %s, %s", 64*pixel, r, r)
			}
			f.P("VMOVUPS %s, %d(DX)", r, 64*pixel)
		})
		return
	}
	constant := func(part, half int) string { return s.r(15 - 2*part - half) }
	for part, at := range []uintptr{unsafe.Offsetof(lanes.Index), unsafe.Offsetof(lanes.Low), unsafe.Offsetof(lanes.High)} {
		for half := range 2 {
			f.P("VMOVUPS %d(R11), %s", int(at)+32*half, constant(part, half))
		}
	}
	f.walkPixels(planeUnroll, func(pixel int) {
		for half := range 2 {
			lower, upper := s.r(0), s.r(1)
			f.P("VPERMPS %d(SI), %s, %s", 64*pixel, constant(0, half), lower)
			f.P("VPERMPS %d(SI), %s, %s", 64*pixel+32, constant(0, half), upper)
			f.P("VANDPS %s, %s, %s", constant(1, half), lower, lower)
			f.P("VANDPS %s, %s, %s", constant(2, half), upper, upper)
			f.P("VORPS %s, %s, %s", upper, lower, lower)
			if more {
				f.P("VORPS %d(BX), %s, %s", 64*pixel+32*half, lower, lower)
			}
			f.P("VMOVUPS %s, %d(DX)", lower, 64*pixel+32*half)
		}
	})
}

// Packing: one permutation a channel spreads the pixels, the same for all channels, then each channel keeps its own lanes. Registers: 3
// the output, 4 scratch, 5 to 7 which pixel each lane of the three outputs takes. K1 to K3: the lanes congruent to 0 to 2 modulo 3.

func (x86Lanes) tables(f *file, s isa) {
	for e := range 3 * s.bytes / 4 {
		fmt.Fprintf(&f.Text, "\nDATA packPixel_%s<>+%d(SB)/4, $%d", s.name, 4*e, e/3)
	}
	fmt.Fprintf(&f.Text, "\nGLOBL packPixel_%s<>(SB), RODATA|NOPTR, $%d\n", s.name, 3*s.bytes)
}

func (x86Lanes) prepare(f *file, s isa, channel int) {
	f.P("VMOVUPS packPixel_%s<>+%d(SB), %s", s.name, channel*s.bytes, s.r(5+channel))
	f.packFactors(s, channel)
	if s.per == 1 {
		f.P("MOVL $%#x, AX", residues(channel, s.bytes/4))
		f.P("KMOVW AX, K%d", channel+1)
	}
}

func (x86Lanes) interleave(f *file, s isa) {
	lanes := s.bytes / 4
	for i := range 3 {
		f.P("VPERMPS %s, %s, %s", s.r(0), s.r(5+i), s.r(3))
		for c := 1; c < 3; c++ {
			residue := ((c-i*lanes)%3 + 3) % 3 // lane l of output i is float i*lanes + l
			if s.per == 1 {
				f.P("VPERMPS %s, %s, K%d, %s", s.r(c), s.r(5+i), residue+1, s.r(3))
				continue
			}
			f.P("VPERMPS %s, %s, %s", s.r(c), s.r(5+i), s.r(4))
			f.P("VBLENDPS $%#x, %s, %s, %s", residues(residue, lanes), s.r(4), s.r(3), s.r(3))
		}
		f.P("VMOVUPS %s, %d(DX)", s.r(3), i*s.bytes)
	}
}

// residues is the bit mask of the lanes congruent to r modulo 3.
func residues(r, lanes int) (mask int) {
	for l := r; l < lanes; l += 3 {
		mask |= 1 << l
	}
	return mask
}

// transpose: four 8x8 blocks of AVX registers. Pairs of rows are interleaved, pairs of pairs shuffled, halves exchanged.
func (x86Lanes) transpose(f *file) {
	for r := range 2 {
		for c := range 2 {
			eightByEight(f, r*8*64+c*32, c*8*64+r*32)
		}
	}
}

func eightByEight(f *file, src, dst int) {
	y := func(i int) string { return fmt.Sprintf("Y%d", i) }
	for i := range 8 {
		f.P("VMOVUPS %d(SI), %s", src+i*64, y(i))
	}
	for i := 0; i < 8; i += 2 { // Y8+i: a0 b0 a1 b1 | a4 b4 a5 b5, Y9+i: a2 b2 a3 b3 | a6 b6 a7 b7
		f.P("VUNPCKLPS %s, %s, %s", y(i+1), y(i), y(8+i))
		f.P("VUNPCKHPS %s, %s, %s", y(i+1), y(i), y(9+i))
	}
	for half := range 2 { // rows 0-3 and 4-7: Y0-Y3, Y4-Y7 hold columns j | j+4
		for j := range 4 {
			pick := []int{0x44, 0xee}[j%2]
			a := 8 + half*4 + j/2
			f.P("VSHUFPS $%#x, %s, %s, %s", pick, y(a+2), y(a), y(half*4+j))
		}
	}
	for j := range 4 {
		f.P("VPERM2F128 $0x20, %s, %s, Y8", y(4+j), y(j))
		f.P("VMOVUPS Y8, %d(DX)", dst+j*64)
		f.P("VPERM2F128 $0x31, %s, %s, Y9", y(4+j), y(j))
		f.P("VMOVUPS Y9, %d(DX)", dst+(j+4)*64)
	}
}
