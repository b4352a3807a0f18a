package kernel

import (
	"sync"
	"time"

	"regraft/engine/kernel/abi"
)

// peakArgs are the arguments of the loops that measure the machine.
type peakArgs abi.Peak

// Peak is the rate of independent multiply-adds on that many threads at once, in GFLOP/s: the best of several short runs. It is what
// percentages of peak refer to; measure it in the same run. The plain Go form has no such loop and gives 0.
func Peak(set *Set, threads int) float64 {
	const rounds, tries = 20_000, 60
	loop := set.peak
	if loop == nil {
		return 0
	}
	best := 0.0
	for range tries {
		begin := time.Now()
		var wg sync.WaitGroup
		for range threads {
			wg.Go(func() { loop(&peakArgs{rounds}) })
		}
		wg.Wait()
		best = max(best, float64(threads)*rounds*set.peakFlops/time.Since(begin).Seconds()/1e9)
	}
	return best
}
