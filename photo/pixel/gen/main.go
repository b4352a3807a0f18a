// Command gen writes the assembly of package pixel and the Go declarations beside it. Run it from photo/pixel:
//
//	go run ./gen
package main

import "regraft/asmfile"

var families = []asmfile.Family{
	{Name: "idct", Emit: inverses},
	{Name: "reduced", Emit: reduced},
	{Name: "upsample", Emit: upsamplers},
	{Name: "color", Emit: colors},
	{Name: "blend", Emit: blends},
	{Name: "codes", Emit: decoders, Only: asmfile.AMD64},
}

// archs are the processors that there are kernels for.
var archs = []*asmfile.Arch{asmfile.AMD64, asmfile.ARM64}

func main() { asmfile.Write("pixel", families, archs...) }

type file = asmfile.File

// kernel emits a function, with the body for the processor.
func kernel(f *file, name, parameters string, avx2, neon func()) {
	f.Function(name, parameters)
	if f.Arch == asmfile.ARM64 {
		neon()
	} else {
		avx2()
	}
	f.End()
}
