package kernel

import "testing"

// TestGather picks rows and columns and adds them back, against plain indices.
func TestGather(t *testing.T) {
	in, out := Blocked(20, 5, 7, 1), Blocked(20, 3, 4, 2)
	rows, cols := []int{0, 3, 3}, []int{6, 0, 2, 6}
	const images = 2
	x, dy := make([]float32, images*20*5*7), make([]float32, images*20*3*4)
	for i := range x {
		x[i] = float32(i + 1)
	}
	for i := range dy {
		dy[i] = float32(i%97 + 1)
	}
	want, dx := make([]float32, len(dy)), make([]float32, len(x))
	for plane := range images * 20 {
		for r, row := range rows {
			for c, col := range cols {
				part, whole := (plane*3+r)*4+c, (plane*5+row)*7+col
				want[part] = x[whole]
				dx[whole] += dy[part]
			}
		}
	}
	p, err := NewGather(in, out, rows, cols)
	sameBits(t, "gather", outcome(t, p, err, images, tensorIn(in, x), tensorOut(out))[0], want)
	p, err = NewGatherGrad(out, in, rows, cols)
	sameBits(t, "gradient", outcome(t, p, err, images, tensorIn(out, dy), tensorOut(in))[0], dx)

	for _, bad := range [][]int{{0, 5, 1}, {-1, 0, 0}, {0}} {
		if _, err := NewGather(in, out, bad, cols); err == nil {
			t.Errorf("rows %v: no error", bad)
		}
	}
}
