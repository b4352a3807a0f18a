package run

import (
	"sync/atomic"
	"testing"

	"regraft/engine/kernel"
)

// TestPoolClaims: every item is done once, however many workers claim them.
func TestPoolClaims(t *testing.T) {
	for _, workers := range []int{1, 2, 5} {
		var team []*kernel.Worker
		for range workers {
			team = append(team, kernel.NewWorker(0))
		}
		p := newPool(team)
		for _, items := range []int{0, 1, 2, 7, 100, 3001} {
			done := make([]atomic.Int32, items)
			p.run(items, func(_ *kernel.Worker, i int) { done[i].Add(1) })
			for i := range done {
				if n := done[i].Load(); n != 1 {
					t.Errorf("%d workers, item %d of %d was done %d times", workers, i, items, n)
				}
			}
		}
		p.close()
	}
}
