package plan

import (
	"cmp"
	"slices"
	"sort"
)

// arenaUnit keeps every value on a boundary of so many bytes, a line of the cache.
const arenaUnit = 64

// aligned is room for n bytes.
func aligned(n int) int { return (n + arenaUnit - 1) / arenaUnit * arenaUnit }

// bytes is the room that a value takes.
func (v *value) bytes() int { return aligned(v.length * v.Elem.Size()) }

// placeArena gives every value of the arena an offset such that values that live at the same time do not overlap: in the order that takes the
// least memory, the largest first or those that live longest, as the activations that the backward pass waits for.
func placeArena(values []*value) (size int) {
	size = placeInOrder(values, byBytes)
	if other := placeInOrder(values, byLife); other < size {
		return other
	}
	return placeInOrder(values, byBytes)
}

func byBytes(a, b *value) int { return cmp.Compare(b.bytes(), a.bytes()) }
func byLife(a, b *value) int {
	return cmp.Or(cmp.Compare(b.last-b.first, a.last-a.first), byBytes(a, b))
}

// placeInOrder places values in an order, each at the lowest offset that is free for its whole life.
func placeInOrder(values []*value, order func(a, b *value) int) (size int) {
	values = slices.Clone(values)
	slices.SortStableFunc(values, order)
	var placed []*value
	for _, v := range values {
		need := v.bytes()
		off := 0
		// placed is sorted by offset: walk the gaps between those that live together with v.
		for _, o := range placed {
			if o.last < v.first || v.last < o.first {
				continue
			}
			if o.ref.Off-off >= need {
				break
			}
			off = max(off, o.ref.Off+o.bytes())
		}
		v.ref, v.placed = Ref{Space: Arena, Off: off}, true
		size = max(size, off+need)
		at := sort.Search(len(placed), func(k int) bool { return placed[k].ref.Off > off })
		placed = append(placed, nil)
		copy(placed[at+1:], placed[at:])
		placed[at] = v
	}
	return size
}
