package shard

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
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

// TestWhatIsAPart: an output that answers for all inputs, or for those that come as they come, is none, whatever else its mark says.
func TestWhatIsAPart(t *testing.T) {
	for _, c := range []struct {
		inputs int
		shard  string
		isPart bool
	}{{4, "0/1", true}, {journal.OpenEnded, "0/1", false}, {4, "", false}, {4, "1/1", false}, {4, "one", false}} {
		path := filepath.Join(t.TempDir(), "part-0000-of-0001.jsonl")
		m := journal.Mark{Origin: journal.Origin{Inputs: c.inputs, Shard: c.shard}, Progress: journal.Progress{Hash: strings.Repeat("0", 64)}}
		if err := m.Write(path); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o666); err != nil {
			t.Fatal(err)
		}
		parts, err := Find([]string{filepath.Dir(path)})
		if c.isPart {
			if err != nil || len(parts) != 1 || parts[0].Path != path || parts[0].shard != (Shard{0, 1}) {
				t.Errorf("%+v: %v, %v", c, parts, err)
			}
		} else if err == nil || !strings.Contains(err.Error(), "is no part") {
			t.Errorf("%+v: %v, %v", c, parts, err)
		}
	}
}

// TestPartsOfARun: what is no set of parts of one run is refused with everything that is wrong with it.
func TestPartsOfARun(t *testing.T) {
	part := func(index, count int, model string) Part {
		s := Shard{index, count}
		return Part{fmt.Sprintf("%d-%d", index, count), &journal.Mark{Origin: journal.Origin{Model: model, Shard: s.String()}}, s}
	}
	for _, c := range []struct {
		parts []Part
		says  []string
	}{
		{nil, nil},
		{[]Part{part(0, 1, "m")}, nil},
		{[]Part{part(2, 3, "m"), part(0, 3, "m"), part(1, 3, "m")}, nil},
		{[]Part{part(2, 3, "m"), part(0, 3, "m")}, []string{"missing: 1/3"}},
		{[]Part{part(1, 3, "m")}, []string{"missing: 0/3, 2/3"}},
		{[]Part{part(1, 2, "m"), part(0, 2, "m"), part(1, 2, "m")}, []string{"shard 1/2 is there twice: 1-2 and 1-2"}},
		{[]Part{part(0, 2, "m"), part(1, 3, "m")}, []string{"1-3 is one of 3 shards, 0-2 one of 2"}},
		{[]Part{part(0, 2, "m"), part(1, 2, "other")}, []string{"1-2 was made with other things than 0-2: another model"}},
		{[]Part{part(0, 3, "m"), part(0, 3, "m"), part(1, 3, "other")}, []string{
			"shard 0/3 is there twice: 0-3 and 0-3", "1-3 was made with other things than 0-3: another model",
		}},
	} {
		var got problems
		got.compare(c.parts)
		if !slices.Equal(got, c.says) {
			t.Errorf("%v: %q, want %q", c.parts, got, c.says)
		}
		for i, p := range c.parts {
			if len(c.says) == 0 && p.shard.Index != i {
				t.Errorf("place %d has %v", i, p.shard)
			}
		}
	}
}
