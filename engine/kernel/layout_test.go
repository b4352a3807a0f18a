package kernel

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestLayout checks that Pack and Unpack are inverse, that nothing but pixels of the right channels is written, and where things lie.
func TestLayout(t *testing.T) {
	const images = 2
	for _, l := range []Layout{
		Blocked(16, 5, 7, 0), Blocked(21, 5, 7, 2), Blocked(3, 1, 1, 1), Pixels(3, 5, 7, 0), Pixels(3, 5, 7, 3), Pixels(1, 4, 4, 1),
		Matrix(6, 40), Blocked(64, 3, 4, 1).Slice(16, 20),
	} {
		x := reals(rand.New(rand.NewPCG(1, 1)), images*l.C*l.H*l.W, 1)
		g := place(l, images, x)
		if got := take(t, l, images, g); !slices.Equal(got, x) {
			t.Errorf("%s: Unpack does not undo Pack", l)
		}
	}
	l := Blocked(40, 3, 5, 2)
	x := make([]float32, l.C*l.H*l.W)
	x[(37*3+2)*5+4] = 1 // channel 37, row 2, column 4
	g := place(l, 1, x)
	if at := l.Base + 2*l.Plane + 2*l.Row + 4*l.Pixel + 5; g.floats[at] != 1 {
		t.Errorf("%s: channel 37 of pixel (2,4) is not at %d", l, at)
	}
	if l.Row != (5+2)*16 || l.Plane%64 != 0 || l.Image != 3*l.Plane {
		t.Errorf("%s: row %d, plane %d, image %d", l, l.Row, l.Plane, l.Image)
	}
}

// TestArena checks that memory comes zeroed, aligned and as large as asked for.
func TestArena(t *testing.T) {
	const floats = 3<<18 + 5
	a, err := NewArena(4 * floats)
	if err != nil {
		t.Fatal(err)
	}
	whole := a.Floats(0, floats)
	for i, v := range whole {
		if v != 0 {
			t.Fatalf("float %d is %v", i, v)
		}
	}
	whole[floats-1] = 1
	if a.Address(0)%64 != 0 || Address(a.Floats(7, 1)) != a.Address(7) || a.Floats(floats-1, 1)[0] != 1 {
		t.Error("pieces of the arena do not lie where their addresses say")
	}
	if err := a.Close(); err != nil {
		t.Error(err)
	}
	if err := a.Close(); err != nil {
		t.Error("closing twice:", err)
	}
	if _, err := NewArena(-1); err == nil {
		t.Error("an arena of negative size: no error")
	}
}

// TestPeak checks that the measuring loops run: any machine of the last decades does a GFLOP/s, an emulated one some part of that.
func TestPeak(t *testing.T) {
	for _, set := range sets()[1:] {
		if p := Peak(set, 1); p < 0.05 {
			t.Errorf("peak of %s: %v GFLOP/s", set, p)
		}
	}
	if Peak(Go, 1) != 0 {
		t.Error("the plain Go form has no measuring loop")
	}
}
