package kernel

import (
	"math"
	"runtime"
	"unsafe"

	"regraft/engine/kernel/abi"
)

// Constants are the scalars of one optimizer step, the same for all parameters. A rule reads those that its formula names.
type Constants = abi.Constants

// Rule is the update that one optimizer makes to every parameter.
type Rule struct {
	// States is the number of slices of state, each as long as the parameters.
	States int
	name   string
	twin   func(k *Constants, p, g, a, b []float32)
}

// The rules, with parameter p, gradient g, states a and b, in float32. Where PyTorch adds a multiple of
// a tensor (decay, the step itself, Nesterov's look ahead) the product is fused into the sum, as there.
var (
	// SGD: g += decay p; p -= rate g.
	SGD = &Rule{0, "sgd", sgd_f32_go}
	// Momentum: g += decay p; a = momentum a + g; p -= rate a.
	Momentum = &Rule{1, "momentum", momentum_f32_go}
	// Nesterov: g += decay p; a = momentum a + g; p -= rate (g + momentum a).
	Nesterov = &Rule{1, "nesterov", nesterov_f32_go}
	// Adam and AdamW: g += decay p; a += gain (g - a); b = beta b + gainSq g g;
	// p = keep p - rate a / (sqrt(b)/root + epsilon).
	Adam = &Rule{2, "adam", adam_f32_go}
	// RMSprop, PyTorch's form: g += decay p; a = beta a + gainSq g g;
	// b = momentum b + g / (sqrt(a) + epsilon); p -= rate b.
	RMSprop = &Rule{2, "rmsprop", rmsprop_f32_go}
	// RMSpropTF, TensorFlow's form: g += decay p; a += gainSq (g g - a);
	// b = momentum b + rate g / sqrt(a + epsilon); p -= b.
	RMSpropTF = &Rule{2, "rmsproptf", rmsproptf_f32_go}
)

// updateArgs are the arguments of an optimizer's kernel.
type updateArgs abi.Update

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
	kernel := set.update[r.name]
	u := argsOf[updateArgs](w)
	u.Constants, u.K = k, uintptr(unsafe.Pointer(&u.Constants))
	for i := 0; i < whole; i += updateRun {
		u.P, u.G = uintptr(unsafe.Pointer(&p[i])), uintptr(unsafe.Pointer(&g[i]))
		u.A, u.B = uintptr(unsafe.Pointer(&a[i])), uintptr(unsafe.Pointer(&b[i]))
		u.N = min(updateRun, whole-i) / Lanes
		kernel.run(u)
	}
	r.twin(&u.Constants, p[whole:], g[whole:], a[whole:], b[whole:])
	runtime.KeepAlive(states)
	runtime.KeepAlive(p)
	runtime.KeepAlive(g)
}

// blocks is the rule on whole blocks: its plain form as a kernel.
func (r *Rule) blocks(u *updateArgs) {
	n := u.N * Lanes
	r.twin((*Constants)(pointer(u.K)), floatsAt(u.P, n), floatsAt(u.G, n), floatsAt(u.A, n), floatsAt(u.B, n))
}

// sqrt32 is the correctly rounded root: a float64 root has digits enough for that.
func sqrt32(x float32) float32 { return float32(math.Sqrt(float64(x))) }
