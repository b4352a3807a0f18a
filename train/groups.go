package train

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"

	"regraft/photo"
)

// grouping says which photos belong together: those with the same bytes, those that look the same, and those whose paths give the same
// text.
type grouping struct {
	root    string
	pattern *regexp.Regexp // nil for none
	hashes  map[string]photo.Hash
	alike   map[string]int // a number for each group that looks the same
}

func newGrouping(c *Config, hashes map[string]photo.Hash, alike map[string]int) grouping {
	g := grouping{root: c.Data, hashes: hashes, alike: alike}
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
	groups, first := photo.NewGroups(len(samples)), map[string]int{}
	for i, s := range samples {
		var keys []string
		if hash, known := g.hashes[s.Path]; known {
			keys = append(keys, "bytes "+string(hash[:]))
		}
		if group, known := g.alike[s.Path]; known {
			keys = append(keys, fmt.Sprint("look ", group))
		}
		if name := g.name(s.Path); name != "" {
			keys = append(keys, "name "+name)
		}
		for _, k := range keys {
			if j, seen := first[k]; seen {
				groups.Join(i, j)
			} else {
				first[k] = i
			}
		}
	}
	return groups.All()
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

// setAlike takes groups of the photos of all sets that look the same.
func (r *training) setAlike(groups [][]int) {
	photos := r.sets.all()
	r.alike = map[string]int{}
	for number, members := range groups {
		for _, i := range members {
			r.alike[photos[i].Path] = number
		}
	}
}

// takeAlike is setAlike of what a file says.
func (r *training) takeAlike(groups [][]int) error {
	n := len(r.sets.all())
	for _, i := range slices.Concat(groups...) {
		if i < 0 || i >= n {
			return errDamaged
		}
	}
	r.setAlike(groups)
	return nil
}

// lookalikes are the groups as a file has them.
func (r *training) lookalikes() [][]int {
	var groups [][]int
	for i, p := range r.sets.all() {
		if number, is := r.alike[p.Path]; is {
			for len(groups) <= number {
				groups = append(groups, nil)
			}
			groups[number] = append(groups[number], i)
		}
	}
	return groups
}
