package op

import (
	"runtime"
	"sync/atomic"
	"testing"
)

// TestParallel: every index once, on no more threads than an array has.
func TestParallel(t *testing.T) {
	for _, threads := range []int{0, 1, 2, 5} {
		var now, most atomic.Int64
		done := make([]atomic.Int64, 50)
		array{threads: threads}.parallel(len(done), func(i int) {
			n := now.Add(1)
			for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
			}
			runtime.Gosched()
			done[i].Add(1)
			now.Add(-1)
		})
		for i := range done {
			if done[i].Load() != 1 {
				t.Errorf("%d threads: %d was computed %d times", threads, i, done[i].Load())
			}
		}
		if most.Load() > int64(max(threads, 1)) {
			t.Errorf("%d threads: %d at a time", threads, most.Load())
		}
	}
}
