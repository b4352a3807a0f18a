package op

// Elementwise tells whether o computes every element of its result from the elements at the same place of its operands,
// broadcasting aside, so that all may be transposed alike.
func Elementwise(o Op) bool {
	_, ok := o.(interface{ elementwise() })
	return ok
}

func (*unary) elementwise()  {}
func (*binary) elementwise() {}
