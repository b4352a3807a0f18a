package photo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// writePNG stores a plain w x h picture.
func writePNG(t *testing.T, path string, w, h int, c color.RGBA) {
	t.Helper()
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	for i := 0; i < len(m.Pix); i += 4 {
		m.Pix[i], m.Pix[i+1], m.Pix[i+2], m.Pix[i+3] = c.R, c.G, c.B, 255
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// plainSamples are n photos; number i is red with the value i.
func plainSamples(t *testing.T, n int) []Sample {
	t.Helper()
	dir := t.TempDir()
	samples := make([]Sample, n)
	for i := range samples {
		samples[i] = Sample{filepath.Join(dir, fmt.Sprintf("%03d.png", i)), i % 7}
		writePNG(t, samples[i].Path, 20+i%5, 20, color.RGBA{uint8(i), 0, 0, 0})
	}
	return samples
}

var small = Preprocess{Size: Square(6), Resize: Squash, Rescale: 1, Std: [3]float32{1, 1, 1}}

func newLoader(t *testing.T, samples []Sample, o LoaderOptions) *Loader {
	t.Helper()
	l, err := NewLoader(samples, small, o)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// epoch collects the tensors, labels and paths of all batches.
func epoch(t *testing.T, l *Loader, number int) (x, labels []float32, paths []string, sizes []int) {
	t.Helper()
	for b, err := range l.Epoch(context.Background(), number) {
		if err != nil {
			t.Fatal(err)
		}
		if len(b.X) != b.N*small.Values() || len(b.Labels) != b.N || len(b.Samples) != b.N {
			t.Fatalf("a batch of %d: %d values, %d labels, %d samples", b.N, len(b.X), len(b.Labels), len(b.Samples))
		}
		x, labels, sizes = append(x, b.X...), append(labels, b.Labels...), append(sizes, b.N)
		for _, s := range b.Samples {
			paths = append(paths, s.Path)
		}
	}
	return x, labels, paths, sizes
}

func TestEpochInOrder(t *testing.T) {
	samples := plainSamples(t, 23)
	l := newLoader(t, samples, LoaderOptions{Batch: 5, Workers: 3})
	for number := range 2 { // the loader can be used again
		x, labels, paths, sizes := epoch(t, l, number)
		if !slices.Equal(sizes, []int{5, 5, 5, 5, 3}) || l.Batches() != 5 || l.Len() != 23 {
			t.Fatalf("batches of %v", sizes)
		}
		for i, s := range samples {
			row := x[i*small.Values():]
			if paths[i] != s.Path || labels[i] != float32(s.Label) || row[0] != float32(i) || row[35] != float32(i) || row[36] != 0 {
				t.Fatalf("photo %d: %s, label %g, red %g", i, paths[i], labels[i], row[0])
			}
		}
	}
}

// TestWorkers: the bits do not depend on the number of workers or on what is
// prepared ahead, with everything random switched on.
func TestWorkers(t *testing.T) {
	samples := plainSamples(t, 30)
	o := LoaderOptions{Batch: 4, Workers: 1, Ahead: 1, Seed: 9, Shuffle: true,
		Augment: Augment{FlipX: true, FlipY: true, Crop: true, Scale: 0.08}}
	x, labels, paths, _ := epoch(t, newLoader(t, samples, o), 3)
	for _, workers := range []int{2, 7} {
		o.Workers, o.Ahead = workers, workers
		x2, labels2, paths2, _ := epoch(t, newLoader(t, samples, o), 3)
		if !slices.Equal(x, x2) || !slices.Equal(labels, labels2) || !slices.Equal(paths, paths2) {
			t.Fatalf("%d workers give another epoch", workers)
		}
	}
	_, _, other, _ := epoch(t, newLoader(t, samples, o), 4)
	if slices.Equal(paths, other) {
		t.Error("two epochs have the same order")
	}
	slices.Sort(paths)
	slices.Sort(other)
	if !slices.Equal(paths, other) || len(slices.Compact(paths)) != len(samples) {
		t.Error("an epoch does not hold every photo once")
	}
}

func TestBadPhoto(t *testing.T) {
	samples := plainSamples(t, 10)
	bad := samples[6].Path
	if err := os.WriteFile(bad, []byte("no photo"), 0o644); err != nil {
		t.Fatal(err)
	}
	o := LoaderOptions{Batch: 4, Workers: 2}
	batches := 0
	var failure error
	for _, err := range newLoader(t, samples, o).Epoch(context.Background(), 0) {
		if failure = err; err == nil {
			batches++
		}
	}
	if batches != 1 || failure == nil || !strings.Contains(failure.Error(), bad) {
		t.Errorf("%d batches, then %v", batches, failure)
	}
}

// TestLeaving: a loop that breaks off, and one whose context ends, leave no
// worker behind and a loader that still works.
func TestLeaving(t *testing.T) {
	l := newLoader(t, plainSamples(t, 40), LoaderOptions{Batch: 3, Workers: 4})
	before := runtime.NumGoroutine()
	for range 5 {
		for range l.Epoch(context.Background(), 0) {
			break
		}
		ctx, cancel := context.WithCancel(context.Background())
		seen := 0
		var last error
		for _, err := range l.Epoch(ctx, 0) {
			last = err
			if seen++; seen == 2 {
				cancel()
			}
		}
		cancel()
		if !errors.Is(last, context.Canceled) {
			t.Errorf("after cancelling: %v", last)
		}
	}
	for range 1000 { // a goroutine that has done its work may need a moment to end
		if runtime.NumGoroutine() <= before {
			break
		}
		time.Sleep(time.Millisecond)
	}
	if after := runtime.NumGoroutine(); after > before {
		t.Errorf("%d goroutines before, %d after", before, after)
	}
	if _, _, paths, _ := epoch(t, l, 0); len(paths) != 40 {
		t.Errorf("%d photos afterwards", len(paths))
	}
}

func TestNewLoaderErrors(t *testing.T) {
	if _, err := NewLoader(nil, Preprocess{}, LoaderOptions{Batch: 1}); err == nil {
		t.Error("a preprocessing without size was accepted")
	}
	if _, err := NewLoader(nil, small, LoaderOptions{}); err == nil {
		t.Error("a batch of nothing was accepted")
	}
	if _, _, paths, _ := epoch(t, newLoader(t, nil, LoaderOptions{Batch: 8}), 0); len(paths) != 0 {
		t.Error("photos out of nothing")
	}
}

// TestEpochFrom: the batches are those of the whole epoch without the first.
func TestEpochFrom(t *testing.T) {
	l := newLoader(t, plainSamples(t, 23), LoaderOptions{Batch: 5, Workers: 3, Shuffle: true, Seed: 4, Augment: Augment{FlipX: true}})
	for from := range 6 {
		var want, got [][]float32
		for b, err := range l.Epoch(t.Context(), 2) {
			if err != nil {
				t.Fatal(err)
			}
			want = append(want, slices.Clone(b.X))
		}
		for b, err := range l.EpochFrom(t.Context(), 2, from) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, slices.Clone(b.X))
		}
		if !slices.EqualFunc(got, want[from:], slices.Equal) {
			t.Errorf("from batch %d: %d batches, or others", from, len(got))
		}
	}
}

// TestRetry: a photo that comes back while it is tried again is in its batch; one that does not ends the epoch.
func TestRetry(t *testing.T) {
	samples := plainSamples(t, 4)
	away := samples[2].Path + ".away"
	if err := os.Rename(samples[2].Path, away); err != nil {
		t.Fatal(err)
	}
	asked := 0
	l := newLoader(t, samples, LoaderOptions{Batch: 4, Workers: 2, Retry: func(err error, attempt int) bool {
		if asked++; attempt != asked-1 || !strings.Contains(err.Error(), samples[2].Path) {
			t.Errorf("attempt %d of %d: %v", attempt, asked, err)
		}
		if attempt == 1 {
			os.Rename(away, samples[2].Path)
		}
		return true
	}})
	if x, _, _, _ := epoch(t, l, 0); len(x) != 4*small.Values() || asked != 2 {
		t.Errorf("%d values after %d questions", len(x), asked)
	}
	l.o.Retry = func(error, int) bool { return false }
	os.Remove(samples[2].Path)
	for _, err := range l.Epoch(t.Context(), 0) {
		if err == nil {
			t.Error("the epoch goes on without its photo")
		}
	}
}
