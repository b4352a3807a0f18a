package train

import (
	"testing"

	"regraft/engine"
	"regraft/engine/op"
)

// residual is a network of three residual blocks.
func residual(t *testing.T) *engine.Network {
	t.Helper()
	s := newSketch(t, 3)
	x := s.conv("stem", s.must(s.Placeholder("input", 1, 3, side, side)), 8, 2)
	for _, name := range []string{"a", "b", "c"} {
		x = s.apply(name+".relu", &op.Relu{}, s.apply(name+".add", &op.Add{}, x, s.conv(name, x, 8, 1)))
	}
	return s.network(x)
}

// TestDropPath: what drop path leaves out depends neither on the number of threads and workers nor on where a run was killed and resumed, in
// the first epoch or a later one, with batches in parts; it changes what is learnt, and a network without residual branches is refused.
func TestDropPath(t *testing.T) {
	data := photos(t, map[string]int{"train": 8, "val": 3})
	config := func(share float64, threads, workers int) Config {
		c := narrowRun(t, Full, data)
		c.Net, c.DropPath, c.Epochs, c.Batch, c.MicroBatch = residual(t), share, 2, 6, 2
		c.Threads, c.Workers = threads, workers
		return c
	}
	want := sum(t, fit(t, config(0.5, 1, 1)).Model)
	killed(t, config(0.5, 2, 7), 2, 6).endAt(want)
	for _, share := range []float64{0, 0.4} {
		if sum(t, fit(t, config(share, 2, 2)).Model) == want {
			t.Errorf("shares of 0.5 and %g learn the same", share)
		}
	}
	none := config(0.5, 2, 2)
	none.Net = plainNet(t)
	fails(t, none, "the network has no residual branches that drop path could leave out")
}
