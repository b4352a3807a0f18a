package kernel

import (
	"runtime"
	"unsafe"

	"regraft/engine/kernel/abi"
	"regraft/engine/kernel/asm"
)

// Constants are the scalars of one optimizer step, the same for all parameters. A rule reads those that its formula names.
type Constants = abi.Constants

// Rule is the update that one optimizer makes to every parameter.
type Rule struct {
	// States is the number of slices of state, each as long as the parameters.
	States int
	name   string
	plain  asm.PlainUpdate // for what is no whole block
}

func newRule(states int, name string) *Rule { return &Rule{states, name, asm.PlainUpdateOf(name)} }

// The rules, with parameter p, gradient g, states a and b, in float32. Where PyTorch adds a multiple of
// a tensor (decay, the step itself, Nesterov's look ahead) the product is fused into the sum, as there.
var (
	// SGD: g += decay p; p -= rate g.
	SGD = newRule(0, "sgd")
	// Momentum: g += decay p; a = momentum a + g; p -= rate a.
	Momentum = newRule(1, "momentum")
	// Nesterov: g += decay p; a = momentum a + g; p -= rate (g + momentum a).
	Nesterov = newRule(1, "nesterov")
	// Adam and AdamW: g += decay p; a += gain (g - a); b = beta b + gainSq g g;
	// p = keep p - rate a / (sqrt(b)/root + epsilon).
	Adam = newRule(2, "adam")
	// RMSprop, PyTorch's form: g += decay p; a = beta a + gainSq g g;
	// b = momentum b + g / (sqrt(a) + epsilon); p -= rate b.
	RMSprop = newRule(2, "rmsprop")
	// RMSpropTF, TensorFlow's form: g += decay p; a += gainSq (g g - a);
	// b = momentum b + rate g / sqrt(a + epsilon); p -= b.
	RMSpropTF = newRule(2, "rmsproptf")
)

// updateRun is the most floats that one call into assembly takes: five streams of 64 KiB.
const updateRun = 16 << 10

// Apply updates the parameters p by the gradients g. state holds r.States slices; all slices have
// the same length. The bits do not depend on the instruction set, nor on how a longer run is cut into calls.
func (r *Rule) Apply(w *Worker, set *Set, k Constants, p, g []float32, state ...[]float32) {
	if len(p) == 0 {
		return
	}
	states := [2][]float32{p, p} // unused states stand on valid memory
	copy(states[:], state)
	n := len(p)
	g, a, b := g[:n], states[0][:n], states[1][:n]
	whole := n / Lanes * Lanes // the last few go the plain way, with the same bits
	kernel := set.Update[r.name]
	u := argsOf[abi.Update](w)
	u.Constants, u.K = k, uintptr(unsafe.Pointer(&u.Constants))
	for i := 0; i < whole; i += updateRun {
		u.P, u.G = uintptr(unsafe.Pointer(&p[i])), uintptr(unsafe.Pointer(&g[i]))
		u.A, u.B = uintptr(unsafe.Pointer(&a[i])), uintptr(unsafe.Pointer(&b[i]))
		u.N = min(updateRun, whole-i) / Lanes
		kernel.Run(u)
	}
	r.plain(&u.Constants, p[whole:], g[whole:], a[whole:], b[whole:])
	runtime.KeepAlive(states)
	runtime.KeepAlive(p)
	runtime.KeepAlive(g)
}
