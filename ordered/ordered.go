// Package ordered computes on several goroutines and hands the results out in order.
package ordered

import (
	"context"
	"iter"
	"sync"
)

// Results are what Map computes, in the order of its sequence. They are for one goroutine.
type Results[T any] struct {
	ctx      context.Context
	coming   chan chan T // in order, each with its result
	panicked any         // what the sequence ended with; valid once coming is closed
	running  sync.WaitGroup
}

// Map computes f of everything that a sequence brings, on so many goroutines and at most so many results ahead of what has been
// taken. It stops when ctx ends. The sequence runs on a goroutine of its own.
func Map[J, T any](ctx context.Context, jobs iter.Seq[J], workers, ahead int, f func(J) T) *Results[T] {
	r := &Results[T]{ctx: ctx, coming: make(chan chan T, ahead)}
	type work struct {
		job    J
		result chan T
	}
	waiting := make(chan work)
	r.running.Go(func() {
		defer close(waiting)
		defer close(r.coming)
		defer func() { r.panicked = recover() }()
		for j := range jobs {
			w := work{j, make(chan T, 1)}
			select {
			case r.coming <- w.result:
			case <-ctx.Done():
				return
			}
			select {
			case waiting <- w:
			case <-ctx.Done():
				return
			}
		}
	})
	for range workers {
		r.running.Go(func() {
			for w := range waiting {
				w.result <- f(w.job)
			}
		})
	}
	return r
}

// Next waits for the next result; false when there is none, or when ctx has ended. Where the sequence has not brought anything yet,
// idle, if it is not nil, is called before: false ends the waiting too.
func (r *Results[T]) Next(idle func() bool) (result T, ok bool) {
	var one chan T
	select {
	case one, ok = <-r.coming:
	default:
		if idle != nil && !idle() {
			return result, false
		}
		select {
		case one, ok = <-r.coming:
		case <-r.ctx.Done():
		}
	}
	if !ok {
		return result, false
	}
	select {
	case result = <-one:
		return result, true
	case <-r.ctx.Done():
		return result, false
	}
}

// Panicked is what the sequence panicked with, after Next has returned false though ctx goes on; nil where it came to its end.
func (r *Results[T]) Panicked() any { return r.panicked }

// Wait returns when nothing is computed any more, after the last result or the end of ctx.
func (r *Results[T]) Wait() { r.running.Wait() }
