//go:build !amd64

package kernel

import "runtime"

// Pause lets other goroutines run while this one spins.
func Pause() { runtime.Gosched() }
