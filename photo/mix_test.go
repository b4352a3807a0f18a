package photo

import (
	"context"
	"fmt"
	"image/color"
	"math"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"regraft/engine/random"
)

// TestSymmetricBeta compares the mean, the second and the fourth central moment with those of the Beta distribution.
func TestSymmetricBeta(t *testing.T) {
	const n = 20000
	for _, alpha := range []float64{0.001, 0.2, 0.5, 1, 3, 100} {
		var first, second, fourth, eighth float64
		for i := range n {
			v := symmetricBeta(random.At(1, "beta", uint64(i)), alpha)
			if !(v >= 0 && v <= 1) {
				t.Fatalf("Beta(%g): %g", alpha, v)
			}
			d := (v - 0.5) * (v - 0.5)
			first, second, fourth, eighth = first+(v-0.5)/n, second+d/n, fourth+d*d/n, eighth+d*d*d*d/n
		}
		variance := 1 / (4 * (2*alpha + 1))
		kurtosis := 3 - 6/(2*alpha+3)
		if math.Abs(first) > 4*math.Sqrt(variance/n) {
			t.Errorf("Beta(%g) has the mean %g", alpha, 0.5+first)
		}
		if want := kurtosis * variance * variance; math.Abs(second-variance) > 4*math.Sqrt((want-variance*variance)/n)+1e-6 ||
			math.Abs(fourth-want) > 4*math.Sqrt((eighth-fourth*fourth)/n)+1e-6 {
			t.Errorf("Beta(%g) has the moments %g and %g, want %g and %g", alpha, second, fourth, variance, want)
		}
	}
	var values []float64
	for i := range 2000 {
		values = append(values, symmetricBeta(random.At(2, "beta", uint64(i)), 1))
	}
	evenly(t, "Beta(1)", values, 0, 1)
}

// shadesOf are photos that are each plain, of a value of their own.
func shadesOf(t *testing.T, n int) []Sample {
	t.Helper()
	dir, samples := t.TempDir(), []Sample(nil)
	for i := range n {
		s := Sample{filepath.Join(dir, fmt.Sprintf("%03d.png", i)), i}
		writePNG(t, s.Path, 8, 8, color.RGBA{uint8(8*i + 3), 0, 0, 0})
		samples = append(samples, s)
	}
	return samples
}

// TestMixing: every photo of a batch has the part of the one before it in the order that its share says, MixUp's everywhere, CutMix's in a
// rectangle of just that area; both are used for half of the photos where both are wanted, and the class is that of the larger part.
func TestMixing(t *testing.T) {
	samples := shadesOf(t, 23)
	for _, a := range []Augment{{MixUp: 1}, {CutMix: 1}, {MixUp: 0.5, CutMix: 1}} {
		l := newLoader(t, samples, LoaderOptions{Batch: 5, Workers: 3, Shuffle: true, Seed: 3, Augment: a})
		blended, cut := 0, 0
		for number := range 40 {
			order := l.Order(number)
			for b, err := range l.Epoch(context.Background(), number) {
				if err != nil {
					t.Fatal(err)
				}
				for i := range b.N {
					m := b.Mixed[i]
					if m.Row != (i+b.N-1)%b.N || b.Samples[i] != samples[order[i]] {
						t.Fatalf("row %d of %d is mixed with row %d", i, b.N, m.Row)
					}
					own, other := float64(8*b.Samples[i].Label+3), float64(8*b.Samples[m.Row].Label+3)
					red := b.X[i*small.Values():][:36]
					mean := 0.0
					for _, v := range red {
						mean += float64(v) / 36
					}
					if want := own + m.Share*(other-own); math.Abs(mean-want) > 1e-3 {
						t.Fatalf("%+v: the mean is %g, want %g", m, mean, want)
					}
					if plain := slices.Min(red) == slices.Max(red); plain && m.Share > 0 && m.Share < 1 && own != other {
						blended++
					} else if !plain {
						cut++
						for _, v := range red {
							if float64(v) != own && float64(v) != other {
								t.Fatalf("a pixel of %g between %g and %g", v, own, other)
							}
						}
					}
					if want := map[bool]int{true: b.Samples[m.Row].Label, false: b.Samples[i].Label}[m.Share > 0.5]; b.Class(i) != want {
						t.Errorf("%+v: class %d instead of %d", m, b.Class(i), want)
					}
				}
				order = order[b.N:]
			}
		}
		switch {
		case a.CutMix == 0 && (cut > 0 || blended < 800), a.MixUp == 0 && (blended > 0 || cut < 400):
			t.Errorf("%+v: %d are blended and %d are cut", a, blended, cut)
		case a.CutMix > 0 && a.MixUp > 0:
			likely(t, "blended", blended, 40*23, 0.5)
		}
	}
	one := newLoader(t, samples[:1], LoaderOptions{Batch: 4, Augment: Augment{MixUp: 1}})
	if x, _, _, _ := epoch(t, one, 0); x[0] != 3 {
		t.Errorf("a photo alone becomes %g", x[0])
	}
}

// TestEveryPolicyByWorkers: the bits of epochs with every policy are those of one worker, however late any of them is, also where an epoch
// goes on in its middle; See has the same, and two seeds and two epochs have others.
func TestEveryPolicyByWorkers(t *testing.T) {
	samples := shadesOf(t, 30)
	a, err := ParseAugment("standard,vflip,jitter,randaugment,erase:0.5,mixup,cutmix")
	if err != nil {
		t.Fatal(err)
	}
	o := LoaderOptions{Batch: 4, Workers: 1, Ahead: 1, Seed: 9, Shuffle: true, Augment: a}
	alone := newLoader(t, samples, o)
	want, _, _, _ := epoch(t, alone, 3)
	for _, workers := range []int{2, 7} {
		o.Workers, o.Ahead = workers, workers
		l := newLoader(t, samples, o)
		if x, _, _, _ := epoch(t, l, 3); !slices.Equal(x, want) {
			t.Fatalf("%d workers give another epoch", workers)
		}
		var rest []float32
		for b, err := range l.EpochFrom(t.Context(), 3, 2) {
			if err != nil {
				t.Fatal(err)
			}
			rest = append(rest, b.X...)
			time.Sleep(time.Millisecond)
		}
		if !slices.Equal(rest, want[8*small.Values():]) {
			t.Fatalf("%d workers give another rest of an epoch", workers)
		}
	}
	for place, sample := range alone.Order(3) {
		s, err := alone.See(3, sample)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(s.X, want[place*small.Values():][:small.Values()]) || s.LeftOver != (place >= 28) {
			t.Errorf("sample %d: See has other pixels than its batch, or another batch (%v)", sample, s.LeftOver)
		}
	}
	if other, _, _, _ := epoch(t, alone, 4); slices.Equal(other, want) {
		t.Error("two epochs are the same")
	}
	o.Seed++
	if other, _, _, _ := epoch(t, newLoader(t, samples, o), 3); slices.Equal(other, want) {
		t.Error("two seeds are the same")
	}
}

// TestTurns: a photo that comes several times in a balanced epoch is drawn anew each time, and See shows the first.
func TestTurns(t *testing.T) {
	samples := shadesOf(t, 6)
	for i := range samples {
		samples[i].Label = min(i, 1) // one photo of class 0
	}
	l := newLoader(t, samples, LoaderOptions{Batch: 6, Workers: 2, Shuffle: true, Balance: true, Augment: Augment{Jitter: Jitter{Brightness: 0.9}}})
	var rare []float32
	for b, err := range l.Epoch(t.Context(), 1) {
		if err != nil {
			t.Fatal(err)
		}
		for i, s := range b.Samples {
			if s == samples[0] {
				rare = append(rare, b.X[i*small.Values()])
			}
		}
	}
	if len(rare) != 3 || rare[0] == rare[1] && rare[1] == rare[2] {
		t.Errorf("the photo of the small class is %v", rare)
	}
	if s, err := l.See(1, 0); err != nil || s.X[0] != rare[0] {
		t.Errorf("See has %g, %v, its first turn %v", s.X[0], err, rare)
	}
}
