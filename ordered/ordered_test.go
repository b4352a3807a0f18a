package ordered

import (
	"context"
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func all[T any](r *Results[T]) (list []T) {
	for {
		v, ok := r.Next(nil)
		if !ok {
			return list
		}
		list = append(list, v)
	}
}

// TestOrder: later results that are there first wait for the earlier ones.
func TestOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		want := []int{5, 1, 4, 2, 3, 0}
		r := Map(t.Context(), slices.Values(want), 3, 2, func(n int) int {
			time.Sleep(time.Duration(n) * time.Second)
			return n
		})
		if got := all(r); !slices.Equal(got, want) {
			t.Errorf("%v", got)
		}
		r.Wait()
	})
}

// TestAhead: no more is begun than may be.
func TestAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var begun atomic.Int64
		ctx, cancel := context.WithCancel(t.Context())
		endless := func(yield func(int) bool) {
			for yield(1) {
			}
		}
		r := Map(ctx, endless, 2, 4, func(n int) int { begun.Add(1); return n })
		synctest.Wait()
		if n := begun.Load(); n != 4 {
			t.Errorf("%d results are computed ahead", n)
		}
		r.Next(nil)
		synctest.Wait()
		if n := begun.Load(); n != 5 {
			t.Errorf("%d results are computed after one was taken", n)
		}
		cancel()
		r.Wait()
		if n := len(all(r)); n > 4 {
			t.Errorf("%d results after the end", n)
		}
	})
}

// TestIdle: idle is called when nothing is known, not while something is computed.
func TestIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := func(yield func(int) bool) {
			if yield(1) {
				time.Sleep(time.Hour)
				yield(2)
			}
		}
		r := Map(t.Context(), slow, 1, 1, func(n int) int { time.Sleep(time.Minute); return n })
		synctest.Wait()
		calls := 0
		idle := func() bool { calls++; return true }
		if v, ok := r.Next(idle); v != 1 || !ok || calls != 0 {
			t.Errorf("%d, %t, idle %d times", v, ok, calls)
		}
		if v, ok := r.Next(idle); v != 2 || !ok || calls != 1 {
			t.Errorf("%d, %t, idle %d times", v, ok, calls)
		}
		if _, ok := r.Next(func() bool { return false }); ok {
			t.Error("there is a third result")
		}
		r.Wait()
	})
}

// TestPanic: what the sequence panics with is kept for whoever takes the results.
func TestPanic(t *testing.T) {
	broken := func(yield func(int) bool) {
		yield(1)
		panic("broken")
	}
	r := Map(t.Context(), broken, runtime.GOMAXPROCS(0), 1, func(n int) int { return n })
	if got := all(r); !slices.Equal(got, []int{1}) || r.Panicked() != "broken" {
		t.Errorf("%v, then %v", got, r.Panicked())
	}
}
