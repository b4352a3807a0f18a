package kernel

import (
	"sync"
	"time"

	"regraft/engine/kernel/abi"
)

// Peak is the rate of independent multiply-adds on that many threads at once, in GFLOP/s: the best of several short runs. It is what
// percentages of peak refer to; measure it in the same run. The plain Go form has no such loop and gives 0.
func Peak(set *Set, threads int) float64 {
	const rounds, tries = 20_000, 60
	loop := set.Peak
	if loop == nil {
		return 0
	}
	best := 0.0
	for range tries {
		begin := time.Now()
		var wg sync.WaitGroup
		for range threads {
			wg.Go(func() { loop(&abi.Peak{Rounds: rounds}) })
		}
		wg.Wait()
		best = max(best, float64(threads)*rounds*set.PeakFlops/time.Since(begin).Seconds()/1e9)
	}
	return best
}
