package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// TestCheckedInFiles regenerates everything in memory: the assembly in the repository is exactly what the generator writes.
func TestCheckedInFiles(t *testing.T) {
	for _, f := range generate() {
		for name, want := range f.contents() {
			got, err := os.ReadFile(filepath.Join("..", name))
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("%s differs from what the generator writes: run go run ./gen in photo/pixel", name)
			}
		}
	}
}
