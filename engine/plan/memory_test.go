package plan

import (
	"testing"

	"regraft/engine/random"
)

// TestPlaceArena places random lifetimes and looks for values that overlap in space and time.
func TestPlaceArena(t *testing.T) {
	for seed := range uint64(50) {
		s := random.At(seed, "lifetimes")
		var values []*value
		total := 0
		for range 1 + s.IntN(60) {
			first := s.IntN(40)
			v := &value{length: 1 + s.IntN(1000), first: first, last: first + s.IntN(12)}
			values = append(values, v)
			total += v.bytes()
		}
		size := placeArena(values)
		if size > total {
			t.Errorf("seed %d: %d bytes for values of %d", seed, size, total)
		}
		for i, a := range values {
			if a.ref.Off%arenaUnit != 0 || a.ref.Off+a.bytes() > size {
				t.Errorf("seed %d: value at %d of %d bytes in an arena of %d", seed, a.ref.Off, a.bytes(), size)
			}
			for _, b := range values[:i] {
				together := a.first <= b.last && b.first <= a.last
				if together && a.ref.Off < b.ref.Off+b.bytes() && b.ref.Off < a.ref.Off+a.bytes() {
					t.Fatalf("seed %d: steps %d-%d at %d+%d and steps %d-%d at %d+%d overlap", seed,
						a.first, a.last, a.ref.Off, a.bytes(), b.first, b.last, b.ref.Off, b.bytes())
				}
			}
		}
	}
}
