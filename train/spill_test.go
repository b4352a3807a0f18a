package train

import (
	"os"
	"slices"
	"testing"

	"regraft/engine/random"
)

// TestSpill: products of features on disk, written in any order, have the bits of those in memory, and nothing is left in the folder. A
// file that is cut is an error, not a number.
func TestSpill(t *testing.T) {
	for _, c := range []struct{ photos, f, threads int }{{700, 37, 1}, {700, 37, 3}, {5, 16, 2}, {mostChunk*33 + 1, 3, 2}} {
		x := cloud(c.photos, c.f, 1, false, 4)
		roles := make([]role, c.photos)
		for i := range roles {
			roles[i] = role(i % 3)
		}
		soft := softmax{classes: 3, threads: c.threads}
		p, err := layOutProducts(&features{labels: x.labels, positions: 1, f: c.f}, 3)
		must(t, err)
		dir := t.TempDir()
		s, err := newSpill(dir, p, c.f)
		must(t, err)
		defer s.close()
		for _, i := range random.At(1, "order of test").Perm(c.photos) {
			must(t, s.put(i, x.of(i)))
		}
		standard := standardOf(s.rows(), c.f)
		must(t, s.pack(p, standard))
		p.spill = s
		if want := standardise(x); !slices.Equal(standard.mean, want.mean) || standard.scale != want.scale {
			t.Errorf("%+v: another standard", c)
		}
		standard.apply(x)
		memory, err := newProducts(x, 3)
		must(t, err)
		w := randomVector(3*(c.f+1), 5)
		got, want := make([]float64, len(w)), make([]float64, len(w))
		on, off := newObjective(p, soft, 0.01, roles), newObjective(memory, soft, 0.01, roles)
		if a, b := on.at(w, got), off.at(w, want); a != b || !slices.Equal(got, want) || !slices.Equal(on.logits, off.logits) || on.held != off.held {
			t.Errorf("%+v: value %g and %g", c, a, b)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("%v, %d files are left", err, len(left))
		}
		must(t, s.file.Truncate(s.slots[len(s.slots)-1]))
		if v := on.at(w, got); v == v || p.err() == nil {
			t.Errorf("%+v: %g of a file that was cut, %v", c, v, p.err())
		}
	}
}
