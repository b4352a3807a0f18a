package weights

import (
	"testing"

	"regraft/photo"
)

// TestGridOfPatches: rows and columns of patches are those of the photo.
func TestGridOfPatches(t *testing.T) {
	if grid, err := gridFor(photo.Size{H: 224, W: 160}, 16); err != nil || grid != (photo.Size{H: 14, W: 10}) {
		t.Errorf("%v (%v)", grid, err)
	}
	if _, err := gridFor(photo.Size{H: 128 * 16, W: 129 * 16}, 16); err == nil {
		t.Error("16512 patches were accepted")
	}
	if grid, err := gridFor(photo.Size{H: 128 * 16, W: 128 * 16}, 16); err != nil || grid.H*grid.W != mostPatches {
		t.Errorf("%v (%v)", grid, err)
	}
}
