//go:build !amd64 || noasm

package pixel

// Without bmi2 this is not called.
func coefficientsAssembly(*Bits, *Codes, *Steps, *[64]int32, *[2]int) { panic("no assembly") }
