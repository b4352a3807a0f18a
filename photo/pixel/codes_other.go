//go:build !amd64 || noasm

package pixel

// Without bmi2 none of these is called.
func decodeAssembly(*Bits, *Coding, *Block) { panic("no assembly") }
func skipAssembly(*Bits, *Coding, *Block)   { panic("no assembly") }
