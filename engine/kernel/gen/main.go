// Command gen writes the assembly kernels of package kernel and the Go declarations beside them. Run it from engine/kernel:
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

func main() { asmfile.Write("kernel", families) }

// file is what a family is written to.
type file struct{ *asmfile.File }

func family(name string, emit func(*file)) asmfile.Family {
	return asmfile.Family{Name: name, Emit: func(f *asmfile.File) { emit(&file{f}) }}
}
