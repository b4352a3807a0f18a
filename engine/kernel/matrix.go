package kernel

import (
	"fmt"

	"regraft/engine/kernel/asm"
)

// An (N, F) matrix is stored as one image of F channels and N pixels. The primitives here go between
// such a matrix and images, or row-major (N, F). Item: one image.

// flatten moves the row of one image between a matrix and blocked activations.
type flatten struct {
	name   string
	image  tensor
	matrix tensor
	toRow  bool
}

// NewFlatten makes a row of C*H*W features of every image, in the order channel, row, column. Operands:
// 0 X in layout in, 1 Y in layout out, a Matrix (or Blocked with one pixel).
func NewFlatten(in, out Layout) (Primitive, error) {
	return newFlatten("flatten", tensor{0, in}, tensor{1, out}, true)
}

// NewFlattenGrad is the way back. Operands: 0 dY in layout dy, a Matrix, 1 dX in layout dx.
func NewFlattenGrad(dy, dx Layout) (Primitive, error) {
	return newFlatten("flatten_grad", tensor{1, dx}, tensor{0, dy}, false)
}

func newFlatten(name string, image, matrix tensor, toRow bool) (Primitive, error) {
	l := image.layout
	if err := checkRows(name, matrix.layout); err != nil {
		return nil, err
	}
	if !l.blocked() || matrix.layout.C != l.C*l.H*l.W {
		return nil, fmt.Errorf("%s: layouts %v and %v do not have the same features", name, l, matrix.layout)
	}
	return &flatten{name, image, matrix, toRow}, nil
}

func (p *flatten) Name() string         { return p.name }
func (p *flatten) Items(images int) int { return images }

func (p *flatten) Item(_ *Worker, image int, a *Args) {
	l := p.image.layout
	row := rowOf(a.Operand[p.matrix.at], p.matrix.layout, image)
	f := 0
	for c := range l.C {
		plane := p.image.plane(a, image, c/Lanes)
		for r := range l.H {
			for x := range l.W {
				pixel := asm.LanesAt(plane + uintptr(4*(r*l.Row+x*Lanes)))
				if p.toRow {
					*row.at(f) = pixel[c%Lanes]
				} else {
					pixel[c%Lanes] = *row.at(f)
				}
				f++
			}
		}
	}
	if p.toRow {
		row.clearTail()
		return
	}
	clearLanes(p.image, a, image)
}

// clearLanes zeroes the lanes past the last channel of one image.
func clearLanes(t tensor, a *Args, image int) {
	l := t.layout
	if l.C%Lanes == 0 {
		return
	}
	plane := t.plane(a, image, l.Blocks()-1)
	for r := range l.H {
		for x := range l.W {
			clear(asm.LanesAt(plane + uintptr(4*(r*l.Row+x*Lanes)))[l.C%Lanes:])
		}
	}
}

// plainRows moves the row of one image between a matrix and row-major (N, F).
type plainRows struct {
	name    string
	matrix  Layout
	operand int // of the matrix
}

// NewUnpackRows writes a Matrix, or Blocked activations with one pixel, as row-major (N, F). Operands:
// 0 X, 1 Y.
func NewUnpackRows(in Layout) (Primitive, error) { return newPlainRows("unpack_rows", in, 0) }

// NewPackRows writes row-major (N, F) as a Matrix, or as Blocked activations with one pixel. Operands:
// 0 X, 1 Y.
func NewPackRows(out Layout) (Primitive, error) { return newPlainRows("pack_rows", out, 1) }

func newPlainRows(name string, l Layout, operand int) (Primitive, error) {
	if err := checkRows(name, l); err != nil {
		return nil, err
	}
	return &plainRows{name, l, operand}, nil
}

func (p *plainRows) Name() string         { return p.name }
func (p *plainRows) Items(images int) int { return images }

func (p *plainRows) Item(_ *Worker, image int, a *Args) {
	features := p.matrix.C
	row := rowOf(a.Operand[p.operand], p.matrix, image)
	plain := asm.FloatsAt(a.Operand[1-p.operand]+uintptr(4*image*features), features)
	for c := range plain {
		if p.operand == 0 {
			plain[c] = *row.at(c)
		} else {
			*row.at(c) = plain[c]
		}
	}
	if p.operand == 1 {
		row.clearTail()
	}
}
