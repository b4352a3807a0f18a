package main

import (
	"testing"

	"regraft/asmfile"
)

// TestCheckedInFiles regenerates everything in memory: the assembly in the repository is exactly what the generator writes.
func TestCheckedInFiles(t *testing.T) {
	if stale := asmfile.Stale("..", "pixel", families, archs...); stale != nil {
		t.Errorf("%q are not what the generator writes: run go run ./gen in photo/pixel", stale)
	}
}
