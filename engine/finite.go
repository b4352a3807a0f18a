package engine

import (
	"math"
	"runtime"
	"sync"
	"sync/atomic"
)

// Finite tells whether no value is infinite or NaN: those have all bits of the exponent set.
func Finite(values []float32) bool {
	const exponent = 0xff << 23
	for _, v := range values {
		if math.Float32bits(v)&exponent == exponent {
			return false
		}
	}
	return true
}

// Damaged lists the parameters that hold infinite or undefined numbers. All processors
// share the work.
func Damaged(params []*Param) (list []*Param) {
	bad := make([]bool, len(params))
	var next atomic.Int64
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(params)); i = next.Add(1) - 1 {
				bad[i] = !Finite(params[i].Value)
			}
		})
	}
	workers.Wait()
	for i, p := range params {
		if bad[i] {
			list = append(list, p)
		}
	}
	return list
}
