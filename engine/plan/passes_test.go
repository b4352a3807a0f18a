package plan

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"regraft/engine/kernel"
)

// TestEveryPassShows: without any one of its passes the planner makes another program of one of the networks, or none. So whoever
// breaks a pass changes a listing.
func TestEveryPassShows(t *testing.T) {
	type lister func(name string, passes []pass) (string, error)
	sets := []struct {
		what   string
		passes []pass
		list   []lister
	}{{"inference", inferencePasses, []lister{
		func(name string, passes []pass) (string, error) { return inferenceListing(t, name, passes) },
	}}, {"training", trainingPasses, nil}}
	for _, images := range trainedBatches {
		sets[1].list = append(sets[1].list, func(name string, passes []pass) (string, error) {
			return trainingListing(t, name, images, passes)
		})
	}
	for _, set := range sets {
		whole := map[string]string{}
		shows := func(passes []pass) bool {
			for _, name := range slices.Sorted(maps.Keys(networks)) {
				for k, list := range set.list {
					key := fmt.Sprint(name, k)
					if whole[key] == "" {
						text, err := list(name, set.passes)
						if err != nil {
							t.Fatal(err)
						}
						whole[key] = text
					}
					if text, err := list(name, passes); err != nil || text != whole[key] {
						return true
					}
				}
			}
			return false
		}
		for k, p := range set.passes {
			if !shows(slices.Delete(slices.Clone(set.passes), k, k+1)) {
				t.Errorf("%s: no listing shows whether %s works", set.what, p.name)
			}
		}
		if shows(set.passes) {
			t.Errorf("%s: two listings of one network differ", set.what)
		}
	}
}

// TestAfter: the graph behind each pass is the same text at each call, and each pass that a network needs changes it.
func TestAfter(t *testing.T) {
	net := network(t, "residual", 2)
	text := map[string]string{}
	for _, name := range Passes() {
		for range 2 {
			got, err := After(net, Options{ISA: kernel.Go}, name)
			if err != nil {
				t.Fatal(err)
			}
			if text[name] != "" && got != text[name] {
				t.Errorf("%s: two texts of one graph differ:\n%s\n%s", name, text[name], got)
			}
			text[name] = got
		}
	}
	for _, want := range []struct{ pass, line string }{
		{"foldBatchNorm", "Conv+BatchNorm "},
		{"fuseClamps", "Conv+BatchNorm+Relu"},
		{"accumulate", "Conv+BatchNorm+Add+Relu"},
		{"layOut", "blocked halo 1"},
	} {
		at := slices.Index(Passes(), want.pass)
		if before, after := text[Passes()[at-1]], text[want.pass]; strings.Contains(before, want.line) || !strings.Contains(after, want.line) {
			t.Errorf("%s brings %q: before it\n%s\nafter it\n%s", want.pass, want.line, before, after)
		}
	}
	if _, err := After(net, Options{}, "fuse"); err == nil {
		t.Error("a pass that does not exist has a graph")
	}
}
