package asm

import (
	"math"

	"regraft/engine/kernel/abi"
)

// Constants are the scalars of one optimizer step.
type Constants = abi.Constants

// PlainUpdate is the rule of an optimizer in plain Go, on slices of any length: parameters, gradients, states.
type PlainUpdate = func(k *Constants, p, g, a, b []float32)

// PlainUpdateOf is the rule of that name.
func PlainUpdateOf(name string) PlainUpdate { return plainUpdates[name] }

// updateGo are the rules on whole blocks.
var updateGo = func() map[string]func(*updateArgs) {
	own := map[string]func(*updateArgs){}
	for name, rule := range plainUpdates {
		own[name] = func(u *updateArgs) {
			n := u.N * Lanes
			rule((*Constants)(Pointer(u.K)), FloatsAt(u.P, n), FloatsAt(u.G, n), FloatsAt(u.A, n), FloatsAt(u.B, n))
		}
	}
	return own
}()

// sqrt32 is the correctly rounded root: a float64 root has digits enough for that.
func sqrt32(x float32) float32 { return float32(math.Sqrt(float64(x))) }
