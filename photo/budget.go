package photo

import (
	"runtime"
	"sync"
)

// DefaultDecodeMemory is the budget of photos that have none of their own.
const DefaultDecodeMemory = 256 << 20

// Budget bounds the memory of all photos that are being decoded at the same time. A photo waits until what it needs is free;
// one that needs more than there is has all of it, and is decoded alone.
type Budget struct {
	total, free int64
	mutex       sync.Mutex
	freed       sync.Cond
}

// NewBudget returns a budget of so many bytes.
func NewBudget(bytes int64) *Budget {
	b := &Budget{total: bytes, free: bytes}
	b.freed.L = &b.mutex
	return b
}

// shared is the budget of photos that have none of their own.
var shared = NewBudget(DefaultDecodeMemory)

// take waits for the memory; the function that it returns gives it back. A nil budget stands for the shared one.
func (b *Budget) take(bytes int64) (giveBack func()) {
	if b == nil {
		b = shared
	}
	bytes = min(bytes, b.total)
	b.mutex.Lock()
	defer b.mutex.Unlock()
	for b.free < bytes {
		b.freed.Wait()
	}
	b.free -= bytes
	if bytes > b.total/4 {
		runtime.GC() // what those before it took is given back first
	}
	return func() {
		b.mutex.Lock()
		b.free += bytes
		b.mutex.Unlock()
		b.freed.Broadcast()
	}
}
