package main

// pick emits the kernels that move lanes, kernel.pickKernel and, with more, pickMoreKernel. Vector 0, an abi.PickLanes, is at R11.
func pick(f *file, s isa, more bool) {
	f.P("MOVQ %d(DI), R11", planeVector)
	s.lanes.pick(f, s, more)
}
