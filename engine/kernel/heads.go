package kernel

import (
	"fmt"

	"regraft/engine/kernel/abi"
	"regraft/engine/kernel/asm"
)

// Heads are the heads of tokens, images of one row: head h is Size channels of the layout from First + h*Step on.
type Heads struct {
	Layout            Layout
	First, Step, Size int
}

func (h Heads) tokens() int { return h.Layout.W }

// aligned tells whether every head has blocks of channels of its own.
func (h Heads) aligned() bool { return h.First%Lanes == 0 && h.Step%Lanes == 0 && h.Size%Lanes == 0 }

// part is the layout of one head. Heads without blocks of their own are copied to memory of their own.
func (h Heads) part() Layout {
	if !h.aligned() {
		return Matrix(h.tokens(), h.Size)
	}
	l := h.Layout
	l.C = h.Size
	return l
}

// own is the floats of the memory of its own that a head needs.
func (h Heads) own() int {
	if h.aligned() {
		return 0
	}
	return h.part().Len(1)
}

// offset is where head k begins in an image, in floats.
func (h Heads) offset(k int) int { return (h.First + k*h.Step) / Lanes * h.Layout.Plane }

// gather copies head k in the memory of an image to blocks of channels, so many floats each, and fills these up with zeros.
func (h Heads) gather(image []float32, k int, blocks []float32, block int) {
	clear(blocks)
	h.each(image, k, func(token, c int, at *float32) { blocks[c/Lanes*block+token*Lanes+c%Lanes] = *at })
}

// scatter copies them back.
func (h Heads) scatter(image []float32, k int, blocks []float32, block int) {
	h.each(image, k, func(token, c int, at *float32) { *at = blocks[c/Lanes*block+token*Lanes+c%Lanes] })
}

// each visits the tokens and channels of head k in the memory of an image.
func (h Heads) each(image []float32, k int, visit func(token, c int, at *float32)) {
	l := h.Layout
	for c := range h.Size {
		channel := h.First + k*h.Step + c
		plane := image[l.Base+channel/Lanes*l.Plane+channel%Lanes:]
		for token := range l.W {
			visit(token, c, &plane[token*Lanes])
		}
	}
}

func (h Heads) image(a *Args, operand, image int) []float32 {
	l := h.Layout
	return Floats(a.Operand[operand]+uintptr(4*image*l.Image), l.Base+l.Blocks()*l.Plane)
}

// padded is the number of tokens in whole blocks.
func (h Heads) padded() int { return roundUp(h.tokens(), Lanes) }

// blockLen is the floats of a head as blocks of tokens and channels.
func (h Heads) blockLen() int { return blocksOf(h.Size) * h.padded() * Lanes }

// rows fills dst with head k of an image: [block of channels][token][16 channels], zeros past the last of either, the weights of a 1x1
// convolution from tokens to channels.
func (h Heads) rows(image []float32, k int, dst []float32) {
	if !h.aligned() {
		h.gather(image, k, dst, h.padded()*Lanes)
		return
	}
	n := h.tokens() * Lanes
	for b := range h.Size / Lanes {
		to := dst[b*h.padded()*Lanes:][:h.padded()*Lanes]
		copy(to, image[h.Layout.Base+h.offset(k)+b*h.Layout.Plane:][:n])
		clear(to[n:])
	}
}

// store is the way back from rows.
func (h Heads) store(image []float32, k int, src []float32) {
	if !h.aligned() {
		h.scatter(image, k, src, h.padded()*Lanes)
		return
	}
	for b := range h.Size / Lanes {
		copy(image[h.Layout.Base+h.offset(k)+b*h.Layout.Plane:], src[b*h.padded()*Lanes:][:h.tokens()*Lanes])
	}
}

// columns makes of rows the weights of a 1x1 convolution from channels to tokens.
func (h Heads) columns(w *Worker, kernel asm.Form[abi.Transpose], rows, dst []float32) {
	t := argsOf[abi.Transpose](w)
	t.SrcStep, t.DstStep, t.Count = 4*h.padded()*Lanes, abi.EntryBytes, blocksOf(h.Size)
	for b := range h.padded() / Lanes {
		t.Src, t.Dst = Address(rows)+uintptr(b*abi.EntryBytes), Address(dst)+uintptr(b*t.Count*abi.EntryBytes)
		kernel.Run(t)
	}
}

// check refuses tokens that do not have so many heads.
func (h Heads) check(heads int) error {
	l := h.Layout
	if !l.blocked() || l.H != 1 || l.Halo != 0 || min(l.C, l.W, h.Size, heads) < 1 || h.First < 0 || h.Step < h.Size && heads > 1 || h.First+(heads-1)*h.Step+h.Size > l.C {
		return fmt.Errorf("%v does not have %d heads of %d channels from %d on", l, heads, h.Size, h.First)
	}
	return nil
}

// at is where head k of an image of an operand lies as part says, which is own where the head has no blocks of its own.
func (h Heads) at(args *Args, operand, image, k int, own []float32) uintptr {
	if h.aligned() {
		return args.Operand[operand] + uintptr(4*(image*h.Layout.Image+h.offset(k)))
	}
	return Address(own)
}

// load copies head k to own, where it has no blocks of its own.
func (h Heads) load(args *Args, operand, image, k int, own []float32) {
	if h.aligned() {
		return
	}
	h.gather(h.image(args, operand, image), k, own, h.part().Plane)
}

// unload copies it back.
func (h Heads) unload(args *Args, operand, image, k int, own []float32) {
	if h.aligned() {
		return
	}
	h.scatter(h.image(args, operand, image), k, own, h.part().Plane)
	h.pad(args, operand, image, k)
}

// pad clears the lanes past the last channel behind the head that has that.
func (h Heads) pad(args *Args, operand, image, k int) {
	if h.First+k*h.Step+h.Size == h.Layout.C {
		clearLanes(tensor{operand, h.Layout}, args, image)
	}
}
