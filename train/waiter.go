package train

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"time"
)

// pauses are those before a photo is tried again: half a minute together.
var pauses = []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 15 * time.Second}

// waiter lets a run outlive a network share that goes away for a moment: photos that it has read once and now cannot are
// tried again.
type waiter struct {
	ctx    context.Context
	events Events
	end    sync.Once
	over   chan struct{} // closed when a photo stays away: then nobody waits for the others
	mu     sync.Mutex
	told   time.Time // of the last warning
}

func newWaiter(ctx context.Context, events Events) *waiter {
	return &waiter{ctx: ctx, events: events, over: make(chan struct{})}
}

// warn tells of an outage once, not of every photo.
func (w *waiter) warn(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if time.Since(w.told) > time.Minute {
		w.events.Warn(fmt.Sprintf("%v: trying again for a while", err))
	}
	w.told = time.Now()
}

// again waits and returns true where a photo could not be read and should be tried once more.
func (w *waiter) again(err error, attempt int) bool {
	var unread *fs.PathError
	if w == nil || !errors.As(err, &unread) {
		return false
	}
	if attempt == len(pauses) {
		w.end.Do(func() { close(w.over) })
		return false
	}
	w.warn(err)
	select {
	case <-w.ctx.Done():
		return false
	case <-w.over:
		return false
	case <-time.After(pauses[attempt]):
		return true
	}
}
