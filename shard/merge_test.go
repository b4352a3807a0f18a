package shard

import (
	"path/filepath"
	"strings"
	"testing"

	"regraft/journal"
)

// TestOwners: every input has one part that answers it.
func TestOwners(t *testing.T) {
	for _, c := range []struct {
		places [][]int
		says   string
	}{
		{[][]int{{0, 2}, {1, 3}}, ""},
		{[][]int{{0, 1, 2, 3}, nil}, ""},
		{[][]int{{0, 2}, {1, 2, 3}}, "overlap: both answer input 3"},
		{[][]int{{0, 0}, {1, 3}}, "places of its answers are damaged"},
		{[][]int{{0, 2}, {3}}, "fewer than 4 inputs"},
		{[][]int{{0, 1, 2}, {1, 2}}, "overlap"},
		{[][]int{{0, 4}, {1, 2}}, "damaged"},
	} {
		var parts []Part
		for _, p := range c.places {
			m := &journal.Mark{Origin: journal.Origin{Inputs: 4}, Progress: journal.Progress{Answered: len(p)}, Gaps: journal.GapsOf(p)}
			parts = append(parts, Part{Path: "part", Mark: m})
		}
		owners, err := ownersOf(parts)
		if c.says != "" {
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v: %v, want %q", c.places, err, c.says)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		for i, places := range c.places {
			for _, at := range places {
				if owners[at] != int32(i) {
					t.Errorf("%v: owners %v", c.places, owners)
				}
			}
		}
	}
}

// TestOpenEnded: an output of inputs that come as they come is no part, whatever else its mark says.
func TestOpenEnded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "part-0000-of-0001.jsonl")
	m := journal.Mark{Origin: journal.Origin{Inputs: journal.OpenEnded, Shard: "0/1"}, Progress: journal.Progress{Hash: strings.Repeat("0", 64)}}
	if err := m.Write(path); err != nil {
		t.Fatal(err)
	}
	if parts, err := Find([]string{filepath.Dir(path)}); err == nil || !strings.Contains(err.Error(), "is no part") {
		t.Errorf("%v, %v", parts, err)
	}
}
