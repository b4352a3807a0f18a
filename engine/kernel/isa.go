package kernel

import (
	"fmt"
	"os"
)

// ISA is the instruction set that kernels are written in. The results have the same bits in all of them.
type ISA uint8

const (
	Go ISA = iota // plain Go: the reference, and the only one off amd64 or with the build tag noasm
	AVX2
	AVX512
)

func (isa ISA) String() string {
	switch isa {
	case AVX2:
		return "avx2"
	case AVX512:
		return "avx512"
	}
	return "go"
}

// Detect returns the widest instruction set of this machine, or the one that the environment variable REGRAFT_ISA (go, avx2, avx512)
// asks for. It is an error to ask for one that the machine or the build does not have.
func Detect() (ISA, error) {
	best := widest()
	want, ok := os.LookupEnv("REGRAFT_ISA")
	if !ok || want == "" {
		return best, nil
	}
	for isa := Go; isa <= AVX512; isa++ {
		if isa.String() != want {
			continue
		}
		if isa > best {
			return Go, fmt.Errorf("REGRAFT_ISA=%s: this machine or build offers %s at most", want, best)
		}
		return isa, nil
	}
	return Go, fmt.Errorf("REGRAFT_ISA=%s: must be go, avx2 or avx512", want)
}
