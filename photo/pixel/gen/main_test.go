package main

import (
	"testing"

	"regraft/asmfile"
)

// TestCheckedInFiles regenerates everything in memory: the assembly in the repository is exactly what the generator writes.
func TestCheckedInFiles(t *testing.T) {
	stale := append(asmfile.Stale("..", "pixel", families, asmfile.AMD64, asmfile.ARM64), asmfile.Stale("..", "pixel", onlyAMD64, asmfile.AMD64)...)
	if stale != nil {
		t.Errorf("%q are not what the generator writes: run go run ./gen in photo/pixel", stale)
	}
}
