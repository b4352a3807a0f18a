// Command gen writes the kernels of package asm: assembly, the Go declarations beside it, and plain Go. Run it from engine/kernel/asm:
//
//	go run ./gen
package main

import "regraft/asmfile"

var families = []asmfile.Family{
	family("conv", convolutions),
	family("wgrad", weightGradients),
	family("winograd", winograds),
	family("transpose", transposes),
	family("peak", peaks),
	family("plane", planes),
	family("pool", pools),
	family("pack", packs),
	family("solver", solvers),
}

func main() { asmfile.Write("asm", families, archs...) }

// archs are the processors that there are kernels for.
var archs = []*asmfile.Arch{asmfile.AMD64, asmfile.ARM64}

// file is what a family is written to.
type file struct {
	*asmfile.File
	isas    []isa             // of the processor
	numbers map[uint32]string // in memory, by their bits
}

func family(name string, emit func(*file)) asmfile.Family {
	return asmfile.Family{Name: name, Emit: func(f *asmfile.File) { emit(&file{f, isas[f.Arch], map[uint32]string{}}) }}
}
