package kernel

import (
	"fmt"

	"regraft/engine/kernel/asm"
)

// A convolution whose windows do not meet is a product over patches, the windows' pixels: an image of KH*KW*Cin channels, in the order
// (tap row, tap column, input channel), and OH x OW pixels, which a 1x1 convolution takes. Every output and gradient has the chain of
// multiply-adds that direct convolution gives it.

// UsePatches tells whether the windows of s do not meet and direct convolution has no kernel for its stride. It depends on the shape alone.
func UsePatches(s ConvShape) bool {
	if s.SH < s.KH || s.SW < s.KW || s.DH != 1 || s.DW != 1 {
		return false
	}
	if s.Cin == 3 {
		return s.SW != 1 && s.SW != 2 && s.SW != 4
	}
	return s.SW > 2
}

// Patches is the 1x1 convolution over the patches of s.
func (s ConvShape) Patches() ConvShape {
	return ConvShape{Cin: s.KH * s.KW * s.Cin, Cout: s.Cout, H: s.OH, W: s.OW, OH: s.OH, OW: s.OW, KH: 1, KW: 1, SH: 1, SW: 1, DH: 1, DW: 1}
}

// PackPatchWeights brings weights (Cout, Cin, KH, KW) into the master layout of s.Patches().
func PackPatchWeights(s ConvShape, dst, oihw []float32) {
	turned := make([]float32, s.Cout*s.Cin*s.KH*s.KW)
	eachPatchWeight(s, func(patch, oihwAt int) { turned[patch] = oihw[oihwAt] })
	PackWeights(s.Patches(), dst, turned)
}

// UnpackPatchWeights brings them back.
func UnpackPatchWeights(s ConvShape, oihw, packed []float32) {
	turned := make([]float32, s.Cout*s.Cin*s.KH*s.KW)
	UnpackWeights(s.Patches(), turned, packed)
	eachPatchWeight(s, func(patch, oihwAt int) { oihw[oihwAt] = turned[patch] })
}

// eachPatchWeight visits where every weight lies in (Cout, KH*KW, Cin) and in (Cout, Cin, KH*KW).
func eachPatchWeight(s ConvShape, visit func(patch, oihw int)) {
	taps := s.KH * s.KW
	for o := range s.Cout {
		for c := range s.Cin {
			for t := range taps {
				visit((o*taps+t)*s.Cin+c, (o*s.Cin+c)*taps+t)
			}
		}
	}
}

// patches copies images to patches, or the gradient of patches back.
type patches struct {
	name         string
	shape        ConvShape
	image, patch tensor
	pieces       []piece // of a window
	acc          bool
}

// piece is so many floats that lie side by side both in the image and in a patch: the channels of a tap in a block, or, of pixels with
// their channels side by side, those of neighbouring taps.
type piece struct {
	row, column int // of the first tap
	block       int
	pixels      int // taps
	lanes       int // floats of a tap
	at          int // place in the patch
}

// NewGatherPatches makes patches (Patches, whose Cin channels they have) of images in layout x, Blocked or Pixels; taps on padding are
// zeros. Operands: 0 X, 1 the patches. Item: one row of patches.
func NewGatherPatches(s ConvShape, x, out Layout) (Primitive, error) {
	return newPatches(patches{name: "gather_patches", shape: s, image: tensor{0, x}, patch: tensor{1, out}})
}

// NewScatterPatches is its gradient: every pixel of dX has the value of its place in a patch, and zero where it is in none; with Acc that
// is added. Operands: 0 the patches' gradient, 1 dX. Item: one row of patches.
func NewScatterPatches(s ConvShape, dy, dx Layout, flags int) (Primitive, error) {
	return newPatches(patches{name: "scatter_patches", shape: s, image: tensor{1, dx}, patch: tensor{0, dy}, acc: flags&Acc != 0})
}

func newPatches(p patches) (Primitive, error) {
	s, x, y := p.shape, p.image.layout, p.patch.layout
	if err := s.check(); err != nil {
		return nil, err
	}
	if s.SH < s.KH || s.SW < s.KW || s.DH != 1 || s.DW != 1 {
		return nil, fmt.Errorf("%s: the windows of convolution %s meet", p.name, s)
	}
	if err := checkLayout(p.name+": images", x, s.Cin, s.H, s.W); err != nil {
		return nil, err
	}
	if err := checkLayout(p.name+": patches", y, s.KH*s.KW*s.Cin, s.OH, s.OW); err != nil {
		return nil, err
	}
	if !y.blocked() || !x.blocked() && (x.C > 4 || p.image.at == 1) {
		return nil, fmt.Errorf("%s: layouts %v and %v: patches, gradients and images of more than 4 channels must be blocked", p.name, x, y)
	}
	for row := range s.KH {
		if !x.blocked() {
			p.pieces = append(p.pieces, piece{row: row, pixels: s.KW, lanes: s.Cin, at: row * s.KW * s.Cin})
			continue
		}
		for column := range s.KW {
			for block := range x.Blocks() {
				at := (row*s.KW+column)*s.Cin + block*Lanes
				p.pieces = append(p.pieces, piece{row, column, block, 1, min(Lanes, s.Cin-block*Lanes), at})
			}
		}
	}
	return &p, nil
}

func (p *patches) Name() string         { return p.name }
func (p *patches) Items(images int) int { return images * p.shape.OH }

// Scratch is a patch.
func (p *patches) Scratch() int { return p.patch.layout.Blocks() * Lanes }

func (p *patches) Item(w *Worker, i int, a *Args) {
	s, l := p.shape, p.patch.layout
	image, row := i/s.OH, i%s.OH
	from := p.image.plane(a, image, 0)
	patch := w.Scratch[:p.Scratch()]
	if p.image.at == 1 && !p.acc {
		p.clear(from, row)
	}
	for column := range s.OW {
		to := p.patch.plane(a, image, 0) + uintptr(4*(row*l.Row+column*Lanes))
		if p.image.at == 1 {
			for b := range l.Blocks() {
				*(*[Lanes]float32)(patch[b*Lanes:]) = *asm.LanesAt(to + uintptr(4*b*l.Plane))
			}
			p.each(from, row, column, patch, p.scatter)
			continue
		}
		clear(patch)
		p.each(from, row, column, patch, func(image, patch []float32) { copy(patch, image) })
		for b := range l.Blocks() {
			*asm.LanesAt(to + uintptr(4*b*l.Plane)) = *(*[Lanes]float32)(patch[b*Lanes:])
		}
	}
}

// scatter writes a piece of a patch to an image.
func (p *patches) scatter(image, patch []float32) {
	if !p.acc {
		copy(image, patch)
		return
	}
	for k, v := range patch {
		image[k] += v
	}
}

// each visits the pieces of the window at (row, column) that lie inside the image, in its memory and in the patch.
func (p *patches) each(image uintptr, row, column int, patch []float32, visit func(image, patch []float32)) {
	s, l := p.shape, p.image.layout
	top, left := row*s.SH-s.PT, column*s.SW-s.PL
	for k := range p.pieces {
		c := &p.pieces[k]
		y, x := top+c.row, left+c.column
		first, end := max(0, -x), min(c.pixels, l.W-x)
		if y < 0 || y >= l.H || first >= end {
			continue
		}
		at := image + uintptr(4*(c.block*l.Plane+y*l.Row+(x+first)*l.Pixel))
		n := (end-first-1)*l.Pixel + c.lanes
		visit(asm.FloatsAt(at, n), patch[c.at+first*c.lanes:][:n])
	}
}

// clear zeroes the rows of an image from those of a row of patches up to those of the next.
func (p *patches) clear(image uintptr, row int) {
	s, l := p.shape, p.image.layout
	first, end := max(0, row*s.SH-s.PT), min(l.H, (row+1)*s.SH-s.PT)
	if row == s.OH-1 {
		end = l.H
	}
	for b := range l.Blocks() {
		for y := first; y < end; y++ {
			clear(asm.FloatsAt(image+uintptr(4*(b*l.Plane+y*l.Row)), l.W*l.Pixel))
		}
	}
}
