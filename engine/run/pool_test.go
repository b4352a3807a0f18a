package run

import (
	"bytes"
	"runtime"
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
		for _, items := range []int{0, 1, 2, 7, 100, 3001, claimMask + 3} {
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

// TestPoolWakes: workers that have found nothing for long sleep, and are woken for the next step.
func TestPoolWakes(t *testing.T) {
	p := newPool([]*kernel.Worker{kernel.NewWorker(0), kernel.NewWorker(0), kernel.NewWorker(0)})
	defer p.close()
	stacks := make([]byte, 1<<20)
	asleep := func() int { return bytes.Count(stacks[:runtime.Stack(stacks, true)], []byte("sync.(*Cond).Wait(")) }
	for range 2 {
		for asleep() < 2 {
			runtime.Gosched()
		}
		if n := p.parked.Load(); n != 2 {
			t.Fatalf("2 workers sleep, the pool knows of %d", n)
		}
		all := make(chan bool)
		p.run(3, func(_ *kernel.Worker, i int) { // all at the same time
			for range 2 * (1 - min(i, 1)) {
				all <- true
			}
			if i > 0 {
				<-all
			}
		})
	}
}
