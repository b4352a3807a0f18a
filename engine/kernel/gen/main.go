// Command gen writes the assembly kernels of package kernel and the Go declarations beside them. Run it from engine/kernel:
//
//	go run ./gen
package main

import (
	"fmt"
	"os"
)

// families lists what is generated: one pair of files, <name>_amd64.s and <name>_amd64.go, each.
var families = []struct {
	name string
	emit func(*file)
}{
	{"conv", convolutions},
	{"wgrad", weightGradients},
	{"winograd", winograds},
	{"transpose", transposes},
	{"peak", peaks},
	{"plane", planes},
	{"pool", pools},
	{"pack", packs},
	{"solver", solvers},
}

func main() {
	for _, f := range generate() {
		for name, text := range f.contents() {
			if err := os.WriteFile(name, text, 0o644); err != nil {
				fmt.Fprintln(os.Stderr, "gen:", err)
				os.Exit(1)
			}
		}
	}
}

// generate makes all families in memory.
func generate() (files []*file) {
	for _, f := range families {
		out := &file{name: f.name}
		f.emit(out)
		files = append(files, out)
	}
	return files
}
