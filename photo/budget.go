package photo

import (
	"runtime"
	"sync"
)

// DefaultDecodeMemory is the memory for decoding unless SetDecodeMemory says otherwise.
const DefaultDecodeMemory = 256 << 20

// SetDecodeMemory bounds the bytes of memory of all photos that the process decodes at the same time. A photo waits until what it
// needs is free; one that needs more than there is has all of it, and is decoded alone. Photos that are being decoded keep
// what they have.
func SetDecodeMemory(bytes int64) {
	decodeMemory.mutex.Lock()
	decodeMemory.total = bytes
	decodeMemory.mutex.Unlock()
	decodeMemory.changed.Broadcast()
}

// large is an amount of memory beside which a collection of garbage is cheap.
const large = 64 << 20

// decodeMemory is what photos take their memory from.
var decodeMemory = newBudget(DefaultDecodeMemory)

// budget is an amount of memory that is lent.
type budget struct {
	total, lent int64
	mutex       sync.Mutex
	changed     sync.Cond
}

func newBudget(bytes int64) *budget {
	b := &budget{total: bytes}
	b.changed.L = &b.mutex
	return b
}

// take waits for the memory; the function that it returns gives it back.
func (b *budget) take(bytes int64) (giveBack func()) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	for b.lent > 0 && b.lent+bytes > b.total {
		b.changed.Wait()
	}
	b.lent += bytes
	if bytes > large {
		runtime.GC() // what those before it took is given back first
	}
	return func() {
		b.mutex.Lock()
		b.lent -= bytes
		b.mutex.Unlock()
		b.changed.Broadcast()
	}
}
