package kernel

// Elem is the type of the elements of values in memory. What is not said otherwise is of float32, as are all figures of primitives
// so far.
type Elem uint8

// F32 is IEEE 754's binary32.
const F32 Elem = 0

// Size is that of an element in bytes.
func (Elem) Size() int { return 4 }

func (Elem) String() string { return "f32" }
