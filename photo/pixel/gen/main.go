// Command gen writes the assembly of package pixel and the Go declarations beside it. Run it from photo/pixel:
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
	{"codes", coefficients},
	{"idct", inverses},
	{"reduced", reduced},
	{"upsample", upsamplers},
	{"color", colors},
	{"blend", blends},
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
