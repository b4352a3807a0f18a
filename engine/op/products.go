package op

import "gorgonia.org/tensor"

// Products is how many products one element of o's result sums up, for operands of the given shapes; 0 for operators that are
// no convolution and no product of matrices.
func Products(o Op, in ...tensor.Shape) int {
	switch o.(type) {
	case *Conv, *Linear:
		return in[1].TotalSize() / in[1][0] // weights (O, ...): a value of the result takes one row
	case *MatMul:
		return in[0][len(in[0])-1]
	}
	return 0
}
