package run

import (
	"runtime"
	"sync"
	"sync/atomic"

	"regraft/engine/kernel"
)

// spins is how often a worker looks for work before it parks: about 100 microseconds, on both
// sides. Waking a parked thread costs up to a factor of two on a busy host; spinning for longer
// eats the time slice that the other side needs.
const spins = 4000

// pool is a set of persistent workers that claim the items of one step after the other from a
// counter. The caller works too.
type pool struct {
	workers []*kernel.Worker

	// The step in hand.
	prim  kernel.Primitive
	args  *kernel.Args
	call  func(w *kernel.Worker, item int)
	total int32

	_    [64]byte
	next atomic.Int32 // item to claim
	_    [64]byte
	seq  atomic.Uint32 // number of the step
	_    [64]byte
	done atomic.Int32 // workers that have finished the step
	_    [64]byte

	mu      sync.Mutex
	cond    *sync.Cond
	parked  atomic.Int32
	stopped atomic.Bool
	waiting atomic.Bool
	finish  chan struct{}
}

func newPool(threads, scratch int) *pool {
	p := &pool{finish: make(chan struct{}, 1)}
	p.cond = sync.NewCond(&p.mu)
	for range max(threads, 1) {
		p.workers = append(p.workers, kernel.NewWorker(scratch))
	}
	for _, w := range p.workers[1:] {
		go p.work(w)
	}
	return p
}

// work is a worker's life: wait for a step, claim its items, report.
func (p *pool) work(w *kernel.Worker) {
	seen := uint32(0)
	for p.await(seen) {
		seen++
		p.drain(w)
		if p.done.Add(1) == int32(len(p.workers)-1) && p.waiting.Swap(false) {
			p.finish <- struct{}{}
		}
	}
}

// await returns when a step after `seen` begins, or false when the pool closes.
func (p *pool) await(seen uint32) bool {
	for spin := 0; p.seq.Load() == seen; spin++ {
		if spin < spins {
			kernel.Pause()
			continue
		}
		p.mu.Lock()
		p.parked.Add(1)
		for p.seq.Load() == seen && !p.stopped.Load() {
			p.cond.Wait()
		}
		p.parked.Add(-1)
		p.mu.Unlock()
	}
	return !p.stopped.Load()
}

func (p *pool) drain(w *kernel.Worker) {
	for {
		i := p.next.Add(1) - 1
		if i >= p.total {
			return
		}
		if p.call != nil {
			p.call(w, int(i))
		} else {
			p.prim.Item(w, int(i), p.args)
		}
	}
}

// step runs all items of a primitive and returns when they are finished.
func (p *pool) step(prim kernel.Primitive, args *kernel.Args) {
	p.prim, p.args, p.call = prim, args, nil
	p.dispatch(prim.Items(args.Images))
}

// run calls f for every item.
func (p *pool) run(items int, f func(w *kernel.Worker, item int)) {
	p.call = f
	p.dispatch(items)
}

func (p *pool) dispatch(items int) {
	p.total = int32(items)
	p.next.Store(0)
	if len(p.workers) == 1 || items == 1 {
		p.drain(p.workers[0])
		return
	}
	p.done.Store(0)
	p.seq.Add(1)
	if p.parked.Load() > 0 {
		p.mu.Lock()
		p.cond.Broadcast()
		p.mu.Unlock()
	}
	p.drain(p.workers[0])
	p.join()
}

// join waits for the workers' last items.
func (p *pool) join() {
	all := int32(len(p.workers) - 1)
	for spin := 0; p.done.Load() != all; spin++ {
		if spin < spins {
			kernel.Pause()
			continue
		}
		p.waiting.Store(true)
		if p.done.Load() == all && p.waiting.Swap(false) {
			return
		}
		<-p.finish
		return
	}
}

// wake and rest bracket the steps of one run; the garbage collector must not move what they use.
func (p *pool) wake() {}
func (p *pool) rest() { runtime.KeepAlive(p) }

// close ends the workers.
func (p *pool) close() {
	p.mu.Lock()
	p.stopped.Store(true)
	p.seq.Add(1)
	p.cond.Broadcast()
	p.mu.Unlock()
}
