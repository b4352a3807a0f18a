package photo

import (
	"context"
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
)

// Photos look the same when so few of their waves differ, of 255: of one and the other, its mirror image, or a part of it. Different
// photos of places9 differ by 60 and more, copies that were scaled, compressed or cropped by 5 % by at most 40. Parts are compared where
// the whole photos are not too far apart, as one in a hundred is by chance, and all but a few copies that were cropped by 5 %.
//
// Signs know no colour, and it may be all that two classes differ by: the shares of red and blue may differ by so much.
const (
	alikeDistance = 48
	mayBeDistance = 104
	alikeColour   = 0.08
)

// coloured reports whether two photos have the same colours on the whole.
func (l *Look) coloured(m *Look) bool {
	return math.Abs(l.red-m.red) <= alikeColour && math.Abs(l.blue-m.blue) <= alikeColour
}

// shares reports whether a part of one photo is as the whole of the other.
func (l *Look) shares(m *Look) bool {
	of := func(parts *[9]signs, whole signs) bool {
		mirrored := whole.mirrored()
		return slices.ContainsFunc(parts[:], func(p signs) bool { return min(p.distance(&whole), p.distance(&mirrored)) <= alikeDistance })
	}
	return of(&l.parts, m.whole) || of(&m.parts, l.whole)
}

// Alike are groups of the photos of Train, Val and Test together that look the same, given what Examine found of them; still are classes
// of which most photos look the same, and which are not in the groups. The error is ctx's when that is cancelled.
func (d *Dataset) Alike(ctx context.Context, found []Finding) (groups [][]int, still []string, err error) {
	all, err := alike(ctx, found)
	groups, still = d.apart(all)
	return groups, still, err
}

// alike are groups of photos that look the same, directly or by way of others, as indices, each ascending and in the order of their
// first: those whose bytes differ, with all that have the same bytes as one of them.
//
// Every photo is compared with every other by its signs, a few nanoseconds each: no index serves at a distance at which random
// photos nearly are.
func alike(ctx context.Context, found []Finding) ([][]int, error) {
	same := equalTo(found)
	var distinct []int // photos of which there is something to see, one for each content
	for i, f := range found {
		if f.Look != nil && same[i] == i && !f.Look.plain() {
			distinct = append(distinct, i)
		}
	}
	whole := make([]signs, len(distinct))
	for k, i := range distinct {
		whole[k] = found[i].Look.whole
	}
	pairs := make([][]int, len(distinct)) // of each photo, those after it that look the same
	var next atomic.Int64
	var running sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		running.Go(func() {
			for k := int(next.Add(1) - 1); k < len(distinct) && ctx.Err() == nil; k = int(next.Add(1) - 1) {
				mirrored := whole[k].mirrored()
				for j := k + 1; j < len(whole); j++ {
					apart := min(whole[k].distance(&whole[j]), mirrored.distance(&whole[j]))
					if apart > mayBeDistance {
						continue
					}
					one, other := found[distinct[k]].Look, found[distinct[j]].Look
					if one.coloured(other) && (apart <= alikeDistance || one.shares(other)) {
						pairs[k] = append(pairs[k], distinct[j])
					}
				}
			}
		})
	}
	running.Wait()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	near := NewGroups(len(found))
	paired := make([]bool, len(found))
	for k, others := range pairs {
		for _, j := range others {
			near.Join(distinct[k], j)
			paired[distinct[k]], paired[j] = true, true
		}
	}
	for i, first := range same {
		if paired[first] {
			near.Join(first, i)
		}
	}
	return near.Several(), nil
}

// apart takes out of groups of photos that look the same those with photos of a class of which most look the same as others: a camera
// that stands still, or scans of one form. Their look says nothing then; the names of these classes are told.
func (d *Dataset) apart(groups [][]int) (telling [][]int, still []string) {
	photos := slices.Concat(d.Train, d.Val, d.Test)
	count := make([]int, len(d.Classes)) // photos of a class, and how many contents they show
	shown := make([]int, len(d.Classes))
	for _, p := range photos {
		count[p.Label]++
		shown[p.Label]++
	}
	for _, members := range groups {
		seen := map[int]bool{}
		for _, i := range members {
			if label := photos[i].Label; seen[label] {
				shown[label]--
			} else {
				seen[label] = true
			}
		}
	}
	most := make([]bool, len(d.Classes))
	for label, class := range d.Classes {
		if most[label] = count[label] > 1 && (2*shown[label] < count[label] || shown[label] == 1); most[label] {
			still = append(still, class)
		}
	}
	for _, members := range groups {
		if !slices.ContainsFunc(members, func(i int) bool { return most[photos[i].Label] }) {
			telling = append(telling, members)
		}
	}
	return telling, still
}

// equalTo is for each photo the first one with the same bytes; itself where their hash is not known.
func equalTo(found []Finding) []int {
	first, same := map[Hash]int{}, make([]int, len(found))
	for i, f := range found {
		same[i] = i
		if f.Hash == (Hash{}) {
			continue
		}
		if j, seen := first[f.Hash]; seen {
			same[i] = j
		} else {
			first[f.Hash] = i
		}
	}
	return same
}

// Groups are sets of things that belong together, directly or by way of others.
type Groups struct{ above []int } // a forest: what each belongs to, itself at the top

// NewGroups has n things, each alone.
func NewGroups(n int) *Groups {
	g := &Groups{make([]int, n)}
	for i := range g.above {
		g.above[i] = i
	}
	return g
}

func (g *Groups) top(i int) int {
	for g.above[i] != i {
		g.above[i] = g.above[g.above[i]]
		i = g.above[i]
	}
	return i
}

// Join makes one group of those of a and b.
func (g *Groups) Join(a, b int) {
	a, b = g.top(a), g.top(b)
	g.above[max(a, b)] = min(a, b)
}

// All are the groups in the order of their first members, those ascending.
func (g *Groups) All() [][]int {
	var all [][]int
	at := map[int]int{}
	for i := range g.above {
		t := g.top(i)
		if _, seen := at[t]; !seen {
			at[t] = len(all)
			all = append(all, nil)
		}
		all[at[t]] = append(all[at[t]], i)
	}
	return all
}

// Several are the groups of two and more.
func (g *Groups) Several() [][]int {
	return slices.DeleteFunc(g.All(), func(members []int) bool { return len(members) < 2 })
}
