package run

import (
	"cmp"
	"slices"
	"sync"

	"regraft/engine/kernel"
	"regraft/engine/plan"
)

// Constants are the packed constants of programs that want the same ones. Their machines share one copy, which they only read: the
// first machine packs it, and it lives as long as any of them. The zero value is ready; it is safe for concurrent use.
type Constants struct {
	mu    sync.Mutex
	arena *kernel.Arena
	users int
}

// take returns the memory of p's constants, filled, with the help of workers where nobody holds it yet. Every take needs a drop.
func (c *Constants) take(p *plan.Program, workers *pool) (*kernel.Arena, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.users == 0 {
		arena, err := reserve(p, plan.Const)
		if err != nil {
			return nil, err
		}
		if err := fill(arena, p.Constants, workers); err != nil {
			arena.Close()
			return nil, err
		}
		c.arena = arena
	}
	c.users++
	return c.arena, nil
}

// drop gives the memory back when nobody else holds it.
func (c *Constants) drop() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.users--; c.users > 0 {
		return nil
	}
	return c.arena.Close()
}

// fill packs constants in parallel, the large ones first: so the workers end together, and memory that one is prepared in serves those
// after it.
func fill(arena *kernel.Arena, constants []plan.Constant, workers *pool) error {
	order := make([]int, len(constants)) // not a copy of the constants, which workers would hold until their next step
	for k := range order {
		order[k] = k
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(constants[b].Len, constants[a].Len) })
	errs := make([]error, len(constants))
	workers.run(len(constants), func(_ *kernel.Worker, k int) {
		c := constants[order[k]]
		errs[k] = c.Fill(arena.Floats(c.Off/4, c.Len))
	})
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
