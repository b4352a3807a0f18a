package kernel

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"strings"
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

// BenchmarkInception times the convolutions of Inception-v3 one after the other, every one with weights of its own, and reports the
// fastest round and its percentage of the FMA peak measured beside (of nominal operations, so Winograd exceeds it). REGRAFT_ISA chooses
// the instruction set; -v prints the layers.
func BenchmarkInception(b *testing.B) {
	set, err := Detect()
	if err != nil {
		b.Fatal(err)
	}
	for _, kind := range []string{"forward", "gradx", "gradw", "forward direct", "gradx direct", "gradw direct"} {
		for _, images := range []int{1, 8} {
			for _, threads := range []int{1, runtime.NumCPU()} {
				b.Run(fmt.Sprintf("%s/images=%d/threads=%d", kind, images, threads), func(b *testing.B) {
					benchNetwork(b, set, kind, threads, images)
				})
			}
		}
	}
}

// benchCase is a step of one layer, and its fastest run.
type benchCase struct {
	layer
	p    Primitive
	a    *Args
	best time.Duration
}

func benchNetwork(b *testing.B, set *Set, kind string, threads, images int) {
	arena, err := NewArena(3 << 30)
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
	layers, largest := inception(b), 0
	for _, l := range layers {
		largest = max(largest, Blocked(l.s.Cin, l.s.H, l.s.W, 3).Len(images), Blocked(l.s.Cout, l.s.OH, l.s.OW, 6).Len(images))
	}
	x, y, bias, sums := floats(largest), floats(largest), floats(4096), floats(8<<20)
	var cases []*benchCase
	scratch := 0
	for _, l := range layers {
		for range l.count {
			steps, weights, err := benchSteps(set, kind, l.s)
			if err != nil {
				b.Fatal(err)
			}
			w := floats(weights)
			for i, p := range steps {
				if s, ok := p.(Scratcher); ok {
					scratch = max(scratch, s.Scratch())
				}
				a := &Args{Operand: [8]uintptr{x, w, bias, y}, Images: images}
				if strings.HasPrefix(kind, "gradw") {
					a.Operand = [8]uintptr{x, y, [...]uintptr{sums, w}[2-len(steps)]}
				}
				if i > 0 {
					a.Operand = [8]uintptr{sums, w}
				}
				cases = append(cases, &benchCase{l, p, a, time.Hour})
			}
			x, y = y, x
		}
	}
	for i, whole := 0, arena.Floats(0, used); i < len(whole); i++ { // untouched memory would be one page of zeros in the cache
		whole[i] = float32(i%5) * 0x1p-10
	}
	team := newCrew(threads, scratch)
	peak, fastest := Peak(set, threads), time.Hour
	for b.Loop() {
		start := time.Now()
		for _, c := range cases {
			begin := time.Now()
			team.run(c.p, c.a)
			c.best = min(c.best, time.Since(begin))
		}
		fastest = min(fastest, time.Since(start))
	}
	peak = max(peak, Peak(set, threads))
	flops := 0.0
	for i, c := range cases {
		fl := c.s.Flops() * float64(images)
		if i > 0 && cases[i-1].a.Operand[2] == c.a.Operand[0] {
			fl = 0 // the second step of a layer
		}
		flops += fl
		if i > 1 && (cases[i-1].s == c.s && fl > 0 || cases[i-2].s == c.s) {
			continue
		}
		sec := c.best.Seconds()
		b.Logf("%-44s x%-2d %8.0f us %5.1f%%  %s, %d items", c.s, c.count, sec*1e6, 100*fl/sec/1e9/peak, c.p.Name(), c.p.Items(images))
	}
	b.ReportMetric(fastest.Seconds()*1e3, "ms/round")
	b.ReportMetric(100*flops/fastest.Seconds()/1e9/peak, "%peak")
	b.ReportMetric(peak, "peak-GFLOP/s")
}

// benchSteps makes the steps of a layer and its number of weights; none where the network needs none: nobody asks for the gradient of
// the photo.
func benchSteps(set *Set, kind string, s ConvShape) (steps []Primitive, weights int, err error) {
	in, out := Blocked(s.Cin, s.H, s.W, s.Halo()), Blocked(s.Cout, s.OH, s.OW, 0)
	if s.Cin == 3 {
		in = Pixels(3, s.H, s.W, s.Halo())
	}
	dy := Blocked(s.Cout, s.OH, s.OW, s.GradHalo())
	var p interface {
		Primitive
		WeightLen() int
	}
	switch {
	case kind == "gradw" && UseWinograd(s):
		g, err := NewWinogradGradW(set, s, in, out)
		return []Primitive{g, g.Finish()}, PackedLen(s), err
	case kind == "gradw" || kind == "gradw direct":
		g, err := NewConvGradW(set, s, in, out)
		return []Primitive{g}, PackedLen(s), err
	case kind == "forward" && UseWinograd(s):
		p, err = NewWinograd(set, s, in, out, ReLU)
	case kind == "forward" || kind == "forward direct":
		p, err = NewConv(set, s, in, out, ReLU)
	case s.Cin == 3:
		return nil, 0, nil
	case kind == "gradx" && UseWinogradGradX(s):
		p, err = NewWinogradGradX(set, s, dy, in, 0)
	default:
		p, err = NewConvGradX(set, s, dy, in, 0)
	}
	if err != nil {
		return nil, 0, err
	}
	return []Primitive{p}, p.WeightLen(), nil
}
