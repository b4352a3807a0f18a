package train

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"

	"regraft/photo"
)

// grouping says which photos belong together: those with the same bytes, and those whose paths give the same text.
type grouping struct {
	root    string
	pattern *regexp.Regexp // nil for none
	hashes  map[string]photo.Hash
}

func newGrouping(c *Config, hashes map[string]photo.Hash) grouping {
	g := grouping{root: c.Data, hashes: hashes}
	if c.GroupBy != "" {
		g.pattern = regexp.MustCompile(c.GroupBy) // it was checked
	}
	return g
}

// name is the text of a photo's path; "" where there is none.
func (g *grouping) name(path string) string {
	if g.pattern == nil {
		return ""
	}
	found := g.pattern.FindStringSubmatch(relative(g.root, path))
	if len(found) > 1 {
		return found[1]
	}
	return cmp.Or(found...)
}

// groups are the photos that belong together, directly or by way of others, in the order of the first of each.
func (g *grouping) groups(samples []photo.Sample) [][]int {
	above := make([]int, len(samples)) // a forest: what a photo belongs to, itself at the top
	top := func(i int) int {
		for above[i] != i {
			i = above[i]
		}
		return i
	}
	first := map[string]int{}
	for i, s := range samples {
		above[i] = i
		var keys []string
		if hash, known := g.hashes[s.Path]; known {
			keys = append(keys, "bytes "+string(hash[:]))
		}
		if name := g.name(s.Path); name != "" {
			keys = append(keys, "name "+name)
		}
		for _, k := range keys {
			if j, seen := first[k]; seen {
				a, b := top(i), top(j)
				above[max(a, b)] = min(a, b)
			} else {
				first[k] = i
			}
		}
	}
	var groups [][]int
	at := map[int]int{}
	for i := range samples {
		t := top(i)
		if _, seen := at[t]; !seen {
			at[t] = len(groups)
			groups = append(groups, nil)
		}
		groups[at[t]] = append(groups[at[t]], i)
	}
	return groups
}

// together moves photos between train and the validation photos that were split off it, so that no group is on both sides: all of a
// group go where most are.
func (s *sets) together(g grouping) {
	if !s.Split || g.pattern == nil {
		return
	}
	held := map[string]int{} // photos that are held out less those that are not
	for _, p := range s.Val {
		held[g.name(p.Path)]++
	}
	for _, p := range s.Train {
		held[g.name(p.Path)]--
	}
	var train, val []photo.Sample
	for side, samples := range [][]photo.Sample{s.Train, s.Val} {
		for _, p := range samples {
			name := g.name(p.Path)
			if name == "" && side == 1 || name != "" && held[name] > 0 {
				val = append(val, p)
			} else {
				train = append(train, p)
			}
		}
	}
	byPath := func(a, b photo.Sample) int { return cmp.Compare(a.Path, b.Path) }
	slices.SortStableFunc(train, byPath)
	slices.SortStableFunc(val, byPath)
	s.Train, s.Val = train, val
}

// apart is an error where the groups leave a class without photos on one side of a split.
func (s *sets) apart() error {
	if !s.Split {
		return nil
	}
	for id, class := range s.classes {
		if !slices.ContainsFunc(s.Train, func(p photo.Sample) bool { return p.Label == id }) {
			return &DataError{fmt.Errorf("the groups leave no photo of class %q to train on: all are held out", class)}
		}
	}
	if len(s.Val) == 0 {
		return &DataError{fmt.Errorf("the groups leave no photo to validate")}
	}
	return nil
}
