package kernel

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

type layer struct {
	s     ConvShape
	count int
}

// inception reads the convolutions of Inception-v3.
func inception(t testing.TB) (layers []layer) {
	f, err := os.Open("testdata/inception_v3.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var l layer
		s := &l.s
		if n, _ := fmt.Sscan(lines.Text(), &s.Cin, &s.Cout, &s.H, &s.W, &s.OH, &s.OW, &s.KH, &s.KW, &s.SH, &s.SW, &s.PT, &s.PL, &l.count); n == 13 {
			s.DH, s.DW = 1, 1
			layers = append(layers, l)
		}
	}
	return layers
}

// crew runs primitives on a few threads.
type crew struct{ workers []*Worker }

func newCrew(threads, scratch int) crew {
	c := crew{}
	for range threads {
		c.workers = append(c.workers, NewWorker(scratch))
	}
	return c
}

func (c crew) run(p Primitive, a *Args) {
	n := int64(p.Items(a.Images))
	var next atomic.Int64
	work := func(w *Worker) {
		for i := next.Add(1) - 1; i < n; i = next.Add(1) - 1 {
			p.Item(w, int(i), a)
		}
	}
	var wg sync.WaitGroup
	for _, w := range c.workers[1:] {
		wg.Go(func() { work(w) })
	}
	work(c.workers[0])
	wg.Wait()
}

// BenchmarkInception times every convolution of Inception-v3, one after the other in network order within a round, and reports the
// minimum over the rounds of each: forward, and both gradients. REGRAFT_ISA chooses the instruction set.
func BenchmarkInception(b *testing.B) {
	isa, err := Detect()
	if err != nil {
		b.Fatal(err)
	}
	const images = 1
	for _, threads := range []int{1, runtime.NumCPU()} {
		for _, kind := range []string{"forward"} {
			b.Run(fmt.Sprintf("%s/%s/threads=%d", kind, isa, threads), func(b *testing.B) { benchLayers(b, isa, kind, threads, images) })
		}
	}
}

type benchCase struct {
	layer
	p    Primitive
	a    *Args
	best time.Duration
}

func benchLayers(b *testing.B, isa ISA, kind string, threads, images int) {
	layers := inception(b)
	arena, err := NewArena(1 << 30)
	if err != nil {
		b.Fatal(err)
	}
	defer arena.Close()
	used := 0
	floats := func(n int) uintptr {
		at := used
		used += roundUp(n, 16)
		return arena.Address(at)
	}
	largest := 0
	for _, l := range layers {
		largest = max(largest, Blocked(l.s.Cin, l.s.H, l.s.W, 3).Len(images), Blocked(l.s.Cout, l.s.OH, l.s.OW, 3).Len(images))
	}
	x, y, bias := floats(largest), floats(largest), floats(4096)
	for i, v := range arena.Floats(0, largest) {
		arena.Floats(0, largest)[i] = v + float32(i%17)*0.01
	}
	var cases []*benchCase
	for _, l := range layers {
		in, out := Blocked(l.s.Cin, l.s.H, l.s.W, l.s.Halo()), Blocked(l.s.Cout, l.s.OH, l.s.OW, 0)
		if l.s.Cin == 3 {
			in = Pixels(3, l.s.H, l.s.W, l.s.Halo())
		}
		c, err := NewConv(isa, l.s, in, out, ReLU)
		if err != nil {
			b.Fatal(err)
		}
		a := &Args{Operand: [8]uintptr{x, floats(c.WeightLen()), bias, y}, Images: images}
		cases = append(cases, &benchCase{l, c, a, time.Hour})
	}
	team := newCrew(threads, 1<<20)
	peak := Peak(isa, threads)
	for b.Loop() {
		for _, c := range cases {
			begin := time.Now()
			team.run(c.p, c.a)
			c.best = min(c.best, time.Since(begin))
		}
	}
	peak = max(peak, Peak(isa, threads))
	total, flops := 0.0, 0.0
	for _, c := range cases {
		sec, fl := c.best.Seconds(), c.s.Flops()*float64(images)
		b.Logf("%-44s x%-2d %8.0f us %5.1f%%  %s items %d", c.s, c.count, sec*1e6, 100*fl/sec/1e9/peak, c.p.Name(), c.p.Items(images))
		total += sec * float64(c.count)
		flops += fl * float64(c.count)
	}
	b.ReportMetric(total*1e3, "ms/network")
	b.ReportMetric(100*flops/total/1e9/peak, "%peak")
	b.ReportMetric(peak, "peak-GFLOP/s")
}
