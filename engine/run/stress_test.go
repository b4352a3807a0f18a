package run

import (
	"runtime"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"regraft/engine/kernel"
	"regraft/engine/plan"
)

// TestStress reports how much longer an inference run takes while the garbage collector never rests, and while a
// neighbour keeps one processor busy, as ratios to the quiet run. It measures the machine as much as the program, so
// it has no limits: on a quiet machine of two cores the collector should cost at most 1.15 and the neighbour 2.3.
func TestStress(t *testing.T) {
	if testing.Short() {
		t.Skip("a measurement")
	}
	const size, images, runs = 139, 4, 15
	isa, err := kernel.Detect()
	if err != nil {
		t.Fatal(err)
	}
	p, err := plan.Inference(tinyInception(t, images, size, 64, 10), plan.Options{ISA: isa})
	if err != nil {
		t.Fatal(err)
	}
	m, err := New(p, runtime.GOMAXPROCS(0))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	x := noise(images*3*size*size, 2)
	want := slices.Clone(inferOnce(t, m, x, images))
	median := func() time.Duration {
		times := make([]time.Duration, runs)
		for i := range times {
			start := time.Now()
			got := inferOnce(t, m, x, images)
			times[i] = time.Since(start)
			if !slices.Equal(got, want) {
				t.Error("the answer has other bits under stress")
			}
		}
		slices.Sort(times)
		return times[runs/2]
	}
	for _, s := range []struct {
		name   string
		stress func(stop *atomic.Bool)
	}{{"garbage collector", collect}, {"neighbour", spin}} {
		var ratios []float64
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		start := time.Now()
		for range 3 { // quiet, stressed, quiet, stressed: a drift of the machine falls on both
			quiet := median()
			var stop atomic.Bool
			done := make(chan struct{})
			go func() { s.stress(&stop); close(done) }()
			busy := median()
			stop.Store(true)
			<-done
			ratios = append(ratios, busy.Seconds()/quiet.Seconds())
		}
		slices.Sort(ratios)
		runtime.ReadMemStats(&after)
		t.Logf("%s: %.2f times the quiet run (%.2f to %.2f); %.0f collections a second under stress",
			s.name, ratios[1], ratios[0], ratios[2], 2*float64(after.NumGC-before.NumGC)/time.Since(start).Seconds())
	}
}

func inferOnce(t *testing.T, m *Machine, x []float32, images int) []float32 {
	if err := m.Infer(x, images); err != nil {
		t.Fatal(err)
	}
	return m.Output(0)
}

// collect makes a little garbage and collects it at once, again and again: every collection stops all workers twice.
func collect(stop *atomic.Bool) {
	var held [256]*[64]*int
	for !stop.Load() {
		for k := range held {
			held[k] = new([64]*int)
		}
		runtime.GC()
		time.Sleep(time.Millisecond)
	}
	runtime.KeepAlive(&held)
}

// spin keeps a processor busy, and the scheduler from giving it to others.
func spin(stop *atomic.Bool) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for !stop.Load() {
		kernel.Pause()
	}
}
