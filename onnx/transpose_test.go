package onnx

import "testing"

// TestTranspose: every element has its place, in matrices that are no whole number of squares too.
func TestTranspose(t *testing.T) {
	for _, c := range []struct{ rows, cols int }{{0, 3}, {1, 1}, {1, 70}, {31, 33}, {64, 32}, {65, 97}} {
		src, dst := make([]float32, c.rows*c.cols), make([]float32, c.rows*c.cols)
		for i := range src {
			src[i] = float32(i + 1)
		}
		transpose(dst, src, c.rows, c.cols)
		for i := range c.rows {
			for j := range c.cols {
				if got, want := dst[j*c.rows+i], src[i*c.cols+j]; got != want {
					t.Fatalf("(%d, %d): row %d, column %d became %g, want %g", c.rows, c.cols, i, j, got, want)
				}
			}
		}
	}
}
