package kernel

import (
	"math"
	"math/rand/v2"
	"testing"
)

// lossOf is the mean cross entropy by definition, in float64.
func lossOf(x []float64, targets []float32, n, classes int) (loss float64) {
	for i := range n {
		row := x[i*classes : (i+1)*classes]
		total := 0.0
		for _, v := range row {
			total += math.Exp(v - row[0])
		}
		for c, v := range row {
			loss -= float64(targets[i*classes+c]) * (v - row[0] - math.Log(total)) / float64(n)
		}
	}
	return loss
}

// matrixOf places row-major (n, f) in a Matrix.
func matrixOf(v []float32, n, f int) guarded {
	g := newGuarded(Matrix(n, f).Len(1))
	clear(g.floats)
	for i := range n {
		for c := range f {
			g.floats[c/Lanes*Matrix(n, f).Plane+i*Lanes+c%Lanes] = v[i*f+c]
		}
	}
	return g
}

// crossEntropyOf runs the primitive: gradient and mean loss.
func crossEntropyOf(t *testing.T, x, targets []float32, n, classes int, weight float32) (grad []float32, loss float32) {
	t.Helper()
	p, err := NewSoftmaxCrossEntropy(n, classes, weight)
	if err != nil {
		t.Fatal(err)
	}
	dx, mean := newGuarded(Matrix(n, classes).Len(1)), newGuarded(1)
	run1(p, Args{Images: 1, Operand: [8]uintptr{matrixOf(x, n, classes).address(), Address(targets), dx.address(), mean.address()}})
	dx.check(t, "gradient")
	mean.check(t, "loss")
	for i := range n {
		for c := classes; c%Lanes != 0; c++ {
			if v := dx.floats[c/Lanes*Matrix(n, classes).Plane+i*Lanes+c%Lanes]; v != 0 {
				t.Fatalf("padding lane of row %d is %v", i, v)
			}
		}
	}
	return rowsOf(dx.floats, Matrix(n, classes)), mean.floats[0]
}

func TestSoftmaxCrossEntropy(t *testing.T) {
	r := rand.New(rand.NewPCG(31, 32))
	for _, c := range []struct{ n, classes int }{{1, 2}, {8, 5}, {3, 16}, {4, 1000}, {2, 1}} {
		for _, soft := range []bool{false, true} {
			const weight = 0.4
			x := reals(r, c.n*c.classes, 3)
			targets := make([]float32, c.n*c.classes)
			for i := range targets {
				if soft { // which do not add up to one
					targets[i] = r.Float32() / float32(c.classes)
				} else if i%c.classes == 0 {
					targets[i+r.IntN(c.classes)] = 1
				}
			}
			grad, loss := crossEntropyOf(t, x, targets, c.n, c.classes, weight)
			wide := widen(x)
			want := lossOf(wide, targets, c.n, c.classes)
			relative(t, "loss", []float32{loss}, []float64{want}, 1.01, 1e-12)
			for i := 0; i < len(x); i += 1 + len(x)/40 {
				const h = 1e-5
				at := wide[i]
				wide[i] = at + h
				up := lossOf(wide, targets, c.n, c.classes)
				wide[i] = at - h
				down := lossOf(wide, targets, c.n, c.classes)
				wide[i] = at
				slope := float64(float32(weight)) * (up - down) / (2 * h)
				relative(t, "gradient", grad[i:i+1], []float64{slope}, 2, 1e-9)
			}
		}
	}
}

// TestSoftmaxExtremes: logits that overflow any careless exponential.
func TestSoftmaxExtremes(t *testing.T) {
	inf := float32(math.Inf(-1))
	grad, loss := crossEntropyOf(t, []float32{1000, -1000, inf}, []float32{1, 0, 0}, 1, 3, 1)
	if loss != 0 || grad[0] != 0 || grad[1] != 0 || grad[2] != 0 {
		t.Errorf("certain and right: loss %v, gradient %v", loss, grad)
	}
	grad, loss = crossEntropyOf(t, []float32{1000, -1000}, []float32{0, 1}, 1, 2, 1)
	if loss != 2000 || grad[0] != 1 || grad[1] != -1 {
		t.Errorf("certain and wrong: loss %v, gradient %v", loss, grad)
	}
}

func TestSoftmax(t *testing.T) {
	for _, c := range []struct{ n, classes int }{{1, 2}, {3, 40}, {2, 1000}} {
		x := reals(rand.New(rand.NewPCG(33, 34)), c.n*c.classes, 5)
		m := Matrix(c.n, c.classes)
		p, err := NewSoftmax(m, m)
		if err != nil {
			t.Fatal(err)
		}
		y := newGuarded(m.Len(1))
		run1(p, Args{Images: c.n, Operand: [8]uintptr{matrixOf(x, c.n, c.classes).address(), y.address()}})
		y.check(t, "softmax")
		got := rowsOf(y.floats, m)
		for i := range c.n {
			row := widen(x[i*c.classes : (i+1)*c.classes])
			total := 0.0
			for _, v := range row {
				total += math.Exp(v)
			}
			for j := range row {
				row[j] = math.Exp(row[j]) / total
			}
			relative(t, "softmax", got[i*c.classes:(i+1)*c.classes], row, 1.01, 1e-45)
		}
	}
	if _, err := NewSoftmax(Blocked(16, 2, 2, 0), Blocked(16, 2, 2, 0)); err == nil {
		t.Error("images of four pixels: no error")
	}
}
