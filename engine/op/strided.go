package op

import "gorgonia.org/tensor"

// forStrided visits the offsets start + sum(i[d]*strides[d]) of all indices i below sizes, in row-major order.
func forStrided(sizes, strides []int, start int, visit func(at int)) {
	if len(sizes) == 0 {
		visit(start)
		return
	}
	for i := range sizes[0] {
		forStrided(sizes[1:], strides[1:], start+i*strides[0], visit)
	}
}

// rowMajor gives the distance in elements between neighbours along every dimension.
func rowMajor(s tensor.Shape) []int {
	strides := make([]int, len(s))
	stride := 1
	for i := len(s) - 1; i >= 0; i-- {
		strides[i] = stride
		stride *= s[i]
	}
	return strides
}

// broadcastStrides gives strides that repeat a tensor of shape s over a larger shape (NumPy's rules).
func broadcastStrides(s, to tensor.Shape) []int {
	strides := make([]int, len(to))
	own := rowMajor(s)
	lead := len(to) - len(s)
	for i, n := range s {
		if n > 1 {
			strides[lead+i] = own[i]
		}
	}
	return strides
}
