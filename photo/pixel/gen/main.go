// Command gen writes the assembly of package pixel and the Go declarations beside it. Run it from photo/pixel:
//
//	go run ./gen
package main

import "regraft/asmfile"

var families = []asmfile.Family{
	{Name: "codes", Emit: coefficients},
	{Name: "idct", Emit: inverses},
	{Name: "reduced", Emit: reduced},
	{Name: "upsample", Emit: upsamplers},
	{Name: "color", Emit: colors},
	{Name: "blend", Emit: blends},
}

func main() { asmfile.Write("pixel", families) }

type file = asmfile.File
