package run

import (
	"sync"
	"sync/atomic"

	"regraft/engine/kernel"
)

// spins is how often a thread looks for work, or for the end of the others' work, before it parks:
// about 100 microseconds. Waking a parked thread costs up to a factor of two on a busy host;
// spinning for longer eats the time slice that the other side needs.
const spins = 4000

// claims is how many times a worker would claim as many items as it does to share what is left with the others.
const claims = 4

// pool is a set of persistent workers that claim work items, several in a row, which share what is in the cache, while
// many are left, and one by one in the end. The caller works too, and waits for items, never for workers: one that the
// system has put aside holds up nothing but the items it is working on.
type pool struct {
	workers []*kernel.Worker
	jobs    [2]job // of the current step and the one before, by the parity of its number

	_     [64]byte
	claim atomic.Uint64 // number of the step, its items, and the next item to claim
	_     [64]byte
	left  atomic.Int32 // items not finished yet
	_     [64]byte

	mu      sync.Mutex
	work    *sync.Cond
	parked  atomic.Int32
	stopped atomic.Bool
	waiting atomic.Bool
	finish  chan struct{}
	group   sync.WaitGroup
}

// job is what the items of a step do: a primitive, or a function.
type job struct {
	prim kernel.Primitive
	args *kernel.Args
	call func(w *kernel.Worker, item int)
	base int // of the first item
}

// The fields of claim.
const (
	claimBits = 20 // of the next item, and of the number of items
	claimMask = 1<<claimBits - 1
)

// newPool starts all workers but the first, which is the caller's.
func newPool(workers []*kernel.Worker) *pool {
	p := &pool{workers: workers, finish: make(chan struct{}, 1)}
	p.work = sync.NewCond(&p.mu)
	for _, w := range p.workers[1:] {
		p.group.Go(func() { p.live(w) })
	}
	return p
}

// live is a worker's life.
func (p *pool) live(w *kernel.Worker) {
	spin := 0
	for !p.stopped.Load() {
		c := p.claim.Load()
		if p.item(w, c) {
			spin = 0
			continue
		}
		if spin++; spin < spins {
			kernel.Pause()
			continue
		}
		p.park(c)
		spin = 0
	}
}

// item tries to claim and run the next items of the step that c names.
func (p *pool) item(w *kernel.Worker, c uint64) bool {
	next, total := c&claimMask, c>>claimBits&claimMask
	if next >= total {
		return false
	}
	n := max(1, (total-next)/uint64(claims*len(p.workers)))
	if !p.claim.CompareAndSwap(c, c+n) {
		return true // somebody else was faster; look again
	}
	// The claim holds the step until these items are finished, so its job stays as it is.
	j := &p.jobs[c>>(2*claimBits)&1]
	first, end := j.base+int(next), j.base+int(next+n)
	if j.call == nil {
		kernel.Do(j.prim, w, first, end, j.args)
	} else {
		for i := first; i < end; i++ {
			j.call(w, i)
		}
	}
	if p.left.Add(-int32(n)) == 0 && p.waiting.Swap(false) {
		p.finish <- struct{}{}
	}
	return true
}

// park sleeps until the claim is no longer c.
func (p *pool) park(c uint64) {
	p.mu.Lock()
	p.parked.Add(1)
	for p.claim.Load() == c && !p.stopped.Load() {
		p.work.Wait()
	}
	p.parked.Add(-1)
	p.mu.Unlock()
}

// step runs all items of a primitive, serial ones on the caller's thread, and returns when they are finished.
func (p *pool) step(prim kernel.Primitive, args *kernel.Args, serial bool) {
	if serial || len(p.workers) == 1 {
		kernel.Do(prim, p.workers[0], 0, prim.Items(args.Images), args)
		return
	}
	p.dispatch(job{prim: prim, args: args}, prim.Items(args.Images))
}

// run calls f for every item.
func (p *pool) run(items int, f func(w *kernel.Worker, item int)) {
	p.dispatch(job{call: f}, items)
}

func (p *pool) dispatch(j job, items int) {
	for ; items > claimMask; items -= claimMask {
		p.round(j, claimMask)
		j.base += claimMask
	}
	p.round(j, items)
}

func (p *pool) round(j job, items int) {
	if items == 0 {
		return
	}
	number := p.claim.Load()>>(2*claimBits) + 1
	p.jobs[number&1] = j
	p.left.Store(int32(items))
	p.claim.Store(number<<(2*claimBits) | uint64(items)<<claimBits)
	if items > 1 && p.parked.Load() > 0 {
		p.mu.Lock()
		p.work.Broadcast()
		p.mu.Unlock()
	}
	for p.item(p.workers[0], p.claim.Load()) {
	}
	p.join()
}

// join waits for the items that others have claimed.
func (p *pool) join() {
	for spin := 0; p.left.Load() != 0; spin++ {
		if spin < spins {
			kernel.Pause()
			continue
		}
		p.waiting.Store(true)
		if p.left.Load() == 0 && p.waiting.Swap(false) {
			return
		}
		<-p.finish
		return
	}
}

// close ends the workers.
func (p *pool) close() {
	p.mu.Lock()
	p.stopped.Store(true)
	p.work.Broadcast()
	p.mu.Unlock()
	p.group.Wait()
}
