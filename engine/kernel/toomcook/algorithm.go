package toomcook

import "fmt"

// Algorithm is F(m, r) along one axis, or nested along both.
type Algorithm struct{ Outputs, Taps, Dims int }

// Algorithms are the ones that there are kernels for.
var Algorithms = []Algorithm{{6, 3, 2}, {4, 3, 2}, {2, 3, 2}, {4, 5, 2}, {4, 3, 1}, {4, 7, 1}, {6, 7, 1}}

// Products is the number of products per tile and channel pair.
func (a Algorithm) Products() int {
	if n := a.Outputs + a.Taps - 1; a.Dims == 2 {
		return n * n
	} else {
		return n
	}
}

// F is the variant along one axis.
func (a Algorithm) F() Variant { return F(a.Outputs, a.Taps) }

// String is the usual notation, F(4x4,3x3) or F(4,7).
func (a Algorithm) String() string {
	return fmt.Sprintf("F(%s,%s)", a.square(a.Outputs), a.square(a.Taps))
}

// The names of the transform kernels. The input transform does not depend on how the products divide into outputs and taps.

func (a Algorithm) InputKernel() string {
	return "winograd_in_f32_" + a.square(a.Outputs+a.Taps-1)
}

func (a Algorithm) WeightsKernel() string {
	return "winograd_weights_f32_" + a.square(a.Taps) + "_" + a.square(a.Outputs+a.Taps-1)
}

func (a Algorithm) OutputKernel() string {
	return "winograd_out_f32_" + a.square(a.Outputs+a.Taps-1) + "_" + a.square(a.Outputs)
}

func (a Algorithm) OutputGradKernel() string {
	return "winograd_outgrad_f32_" + a.square(a.Outputs) + "_" + a.square(a.Outputs+a.Taps-1)
}

func (a Algorithm) WeightsGradKernel() string {
	return "winograd_weightsgrad_f32_" + a.square(a.Outputs+a.Taps-1) + "_" + a.square(a.Taps)
}

func (a Algorithm) square(n int) string {
	if a.Dims == 2 {
		return fmt.Sprintf("%dx%d", n, n)
	}
	return fmt.Sprint(n)
}
