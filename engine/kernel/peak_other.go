//go:build !amd64 || noasm

package kernel

func peakLoop(ISA) (func(*peakArgs), float64) { return nil, 0 }
