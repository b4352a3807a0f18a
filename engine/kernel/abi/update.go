package abi

// Update are the arguments of an optimizer's kernel.
type Update struct {
	P, G, A, B uintptr // parameters, gradients, states
	N          int     // blocks of sixteen floats
	K          uintptr // *Constants
	Constants  Constants
}

// Constants are the scalars of one optimizer step, the same for all parameters. A rule reads those that its formula names.
type Constants struct {
	Rate     float32 // learning rate; Adam: divided by the first moment's bias correction
	Decay    float32 // L2 weight decay, added to the gradient
	Keep     float32 // factor on the parameter before the step: 1 - rate*decay when decay is decoupled, else 1
	Momentum float32
	Gain     float32 // weight of the gradient in the running mean (1 - beta1)
	Beta     float32 // weight of the old value in the running mean of squares (beta2, alpha)
	GainSq   float32 // weight of the new square (1 - beta2, 1 - alpha)
	Root     float32 // divides the root of the mean of squares (bias correction of the second moment)
	Epsilon  float32
}
