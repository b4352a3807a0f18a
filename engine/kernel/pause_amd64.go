package kernel

// Pause tells the processor that the thread spins.
//
//go:noescape
func Pause()
