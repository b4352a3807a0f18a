package kernel

import (
	"math/rand/v2"
	"testing"

	"regraft/engine/kernel/asm"
)

func TestPackInput(t *testing.T) {
	r := rand.New(rand.NewPCG(21, 22))
	for _, l := range []Layout{
		Pixels(3, 299, 299, 0), Pixels(3, 40, 33, 2), Pixels(3, 5, 16, 1), Pixels(3, 3, 15, 0), Pixels(1, 4, 20, 1),
		Pixels(4, 3, 18, 0), Blocked(3, 35, 20, 1), Blocked(20, 3, 4, 0),
	} {
		const images = 2
		x := reals(r, images*l.C*l.H*l.W, 1)
		scale, shift := reals(r, l.C, 1), reals(r, l.C, 1)
		for _, affine := range []bool{false, true} {
			got := sameOnAll(t, func(set *Set) [][]float32 {
				p, err := NewPackInput(set, l, nil, nil)
				if affine {
					p, err = NewPackInput(set, l, scale, shift)
				}
				return outcome(t, p, err, images, operandValue{values: x}, tensorOut(l))
			})
			matches(t, l.String(), got[0], func(i int) float32 {
				if c := i / (l.H * l.W) % l.C; affine {
					return asm.FMA(x[i], scale[c], shift[c])
				}
				return x[i]
			})
		}
	}
	if _, err := NewPackInput(Go, Pixels(3, 4, 4, 0), make([]float32, 2), nil); err == nil {
		t.Error("two factors for three channels: no error")
	}
	if _, err := NewPackInput(Go, Layout{}, nil, nil); err == nil {
		t.Error("no pixels: no error")
	}
}

func TestRepack(t *testing.T) {
	r := rand.New(rand.NewPCG(23, 24))
	for _, l := range []Layout{Blocked(20, 3, 5, 1), Blocked(64, 4, 4, 2).Slice(16, 32), Pixels(3, 4, 5, 1), Blocked(16, 1, 1, 0)} {
		x := reals(r, 2*l.C*l.H*l.W, 1)
		sameBits(t, "pack", outcome(t, NewPack(l), nil, 2, operandValue{values: x}, tensorOut(l))[0], x)
		sameBits(t, "unpack", outcome(t, NewUnpack(l), nil, 2, tensorIn(l, x), vectorOut(len(x)))[0], x)
	}
}

func TestFlatten(t *testing.T) {
	r := rand.New(rand.NewPCG(25, 26))
	for _, l := range []Layout{Blocked(20, 3, 5, 1), Blocked(32, 7, 7, 0), Blocked(5, 1, 1, 2), Blocked(64, 2, 2, 1).Slice(32, 16)} {
		const images = 3
		features := l.C * l.H * l.W
		x := reals(r, images*features, 1)
		m := Matrix(images, features)
		// Row-major NCHW is row-major (N, F), so the matrix must hold x row by row.
		p, err := NewFlatten(l, m)
		if err != nil {
			t.Fatal(err)
		}
		rows := newGuarded(m.Len(1))
		run1(p, Args{Operand: [8]uintptr{place(l, images, x).address(), rows.address()}, Images: images})
		rows.check(t, "flatten")
		sameBits(t, "flatten", rowsOf(rows.floats, m), x)
		back, err := NewFlattenGrad(m, l)
		if err != nil {
			t.Fatal(err)
		}
		dx := place(l, images, nil)
		run1(back, Args{Operand: [8]uintptr{rows.address(), dx.address()}, Images: images})
		sameBits(t, "gradient", take(t, l, images, dx), x)

		unpack, err := NewUnpackRows(m)
		if err != nil {
			t.Fatal(err)
		}
		plain := newGuarded(len(x))
		run1(unpack, Args{Operand: [8]uintptr{rows.address(), plain.address()}, Images: images})
		plain.check(t, "unpack rows")
		sameBits(t, "unpack rows", plain.floats, x)
		pack, err := NewPackRows(m)
		if err != nil {
			t.Fatal(err)
		}
		again := newGuarded(m.Len(1))
		run1(pack, Args{Operand: [8]uintptr{plain.address(), again.address()}, Images: images})
		again.check(t, "pack rows")
		for i := range m.Blocks() { // the padding lanes of the rows too
			sameBits(t, "pack rows", again.floats[i*m.Plane:][:images*Lanes], rows.floats[i*m.Plane:][:images*Lanes])
		}
	}
	if _, err := NewFlatten(Blocked(16, 2, 2, 0), Matrix(1, 63)); err == nil {
		t.Error("64 features into 63: no error")
	}
}

func TestConcatCopy(t *testing.T) {
	r := rand.New(rand.NewPCG(27, 28))
	const h, w, images = 3, 5, 2
	for _, parts := range [][]int{{16, 16}, {3, 5, 20}, {24, 24}, {1, 31, 17, 2}} {
		total := 0
		for _, c := range parts {
			total += c
		}
		out := Blocked(total, h, w, 1)
		whole := place(out, images, nil)
		want := make([]float32, images*total*h*w)
		c0 := 0
		for _, c := range parts {
			in := Blocked(c, h, w, 2)
			x := reals(r, images*c*h*w, 1)
			p, err := NewConcatCopy(in, out, c0)
			if err != nil {
				t.Fatal(err)
			}
			run1(p, Args{Operand: [8]uintptr{place(in, images, x).address(), whole.address()}, Images: images})
			for n := range images {
				copy(want[(n*total+c0)*h*w:], x[n*c*h*w:(n+1)*c*h*w])
			}
			c0 += c
		}
		sameBits(t, "concat", take(t, out, images, whole), want)
		c0 = 0
		for _, c := range parts {
			in := Blocked(c, h, w, 0)
			p, err := NewSliceCopy(out, in, c0)
			got := outcome(t, p, err, images, tensorIn(out, want), tensorOut(in))[0]
			for n := range images {
				sameBits(t, "slice", got[n*c*h*w:(n+1)*c*h*w], want[(n*total+c0)*h*w:][:c*h*w])
			}
			c0 += c
		}
	}
	for _, c0 := range []int{-1, 17} {
		if _, err := NewConcatCopy(Blocked(16, h, w, 0), Blocked(32, h, w, 0), c0); err == nil {
			t.Errorf("16 channels at %d of 32: no error", c0)
		}
	}
}

func TestZero(t *testing.T) {
	for _, l := range []Layout{Blocked(20, 3, 5, 2), Blocked(64, 3, 5, 2).Slice(16, 32), Pixels(3, 4, 5, 1)} {
		const images = 2
		x := reals(rand.New(rand.NewPCG(29, 30)), images*l.C*l.H*l.W, 1)
		// Before, halos hold NaN: everything does.
		g := newGuarded(l.Len(images))
		run1(NewZeroHalo(l), Args{Operand: [8]uintptr{g.address()}, Images: images})
		g.check(t, "halo")
		l.Pack(g.floats, x, images)
		halos := 0
		for n := range images {
			for b := range l.Blocks() {
				plane := g.floats[n*l.Image+l.Base+b*l.Plane-l.Halo*l.Pixel:][:l.H*l.Row+l.Halo*l.Pixel]
				for i, v := range plane {
					if i%l.Row < l.Halo*l.Pixel {
						halos++
						if v != 0 {
							t.Fatalf("%v: halo float %d of a plane is %v", l, i, v)
						}
					} else if v != v {
						t.Fatalf("%v: pixel float %d of a plane was not packed", l, i)
					}
				}
			}
		}
		if halos == 0 {
			t.Fatal("no halo was looked at")
		}
		run1(NewZero(l), Args{Operand: [8]uintptr{g.address()}, Images: images})
		g.check(t, "zero")
		unpacked := make([]float32, len(x))
		l.Unpack(unpacked, g.floats, images)
		matches(t, "zero", unpacked, func(int) float32 { return 0 })
	}
}
