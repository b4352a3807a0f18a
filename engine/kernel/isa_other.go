//go:build !amd64 || noasm

package kernel

func widest() ISA { return Go }
