package cli

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"regraft"
)

// TestPhotoList: the photos come back in their order from any place on, paths, empty ones and those that are more.
func TestPhotoList(t *testing.T) {
	var list photoList
	var want []regraft.Photo
	missing := errors.New("missing")
	for i := range 2*perChunk + 3 {
		p := regraft.File(fmt.Sprintf("folder/%d.jpg", i))
		switch {
		case i%perChunk == 5:
			p = regraft.File("")
		case i%1000 == 7:
			p.Err = missing
		}
		want = append(want, p)
		list.add(p)
	}
	for _, first := range []int{0, 1, 7, perChunk - 1, perChunk, 2*perChunk + 2, 2*perChunk + 3} {
		got := slices.Collect(list.from(first))
		if !slices.EqualFunc(got, want[first:], func(a, b regraft.Photo) bool { return a.Path == b.Path && a.Err == b.Err }) {
			t.Errorf("from %d on: %d photos are not the %d that were added", first, len(got), len(want)-first)
		}
	}
}
