package regraft_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"image/color"
	"math"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"regraft"
)

func open(t *testing.T, path string, opts ...regraft.Option) *regraft.Model {
	t.Helper()
	m, err := regraft.Open(path, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	return m
}

// pictures are n photos, every fifth of which cannot be read.
func pictures(n int) []regraft.Photo {
	photos := make([]regraft.Photo, n)
	for i := range photos {
		data := picture(color.RGBA{uint8(40 * i), uint8(200 - 9*i), uint8(17 * i), 255})
		if i%5 == 4 {
			data = data[:20]
		}
		photos[i] = regraft.Photo{Path: fmt.Sprint(i), Data: data}
	}
	return photos
}

func classify(t *testing.T, m *regraft.Model, photos ...regraft.Photo) []regraft.Result {
	t.Helper()
	results, err := m.Classify(context.Background(), photos...)
	if err != nil {
		t.Fatal(err)
	}
	return results
}

// TestClassifyAlone: a photo's answer has the same bits alone, in any batch and on any number of threads.
func TestClassifyAlone(t *testing.T) {
	photos := pictures(7)
	want := make([]regraft.Result, len(photos))
	alone := open(t, narrow, regraft.Batch(1), regraft.Threads(1))
	for i, p := range photos {
		want[i] = classify(t, alone, p)[0]
	}
	for _, batch := range []int{2, 8} {
		for _, threads := range []int{1, 3} {
			got := classify(t, open(t, narrow, regraft.Batch(batch), regraft.Threads(threads), regraft.Workers(threads)), photos...)
			if !reflect.DeepEqual(got, want) {
				t.Errorf("batch %d, %d threads: other results than alone", batch, threads)
			}
		}
	}
	for i, r := range want {
		if bad := i%5 == 4; bad != (r.Err != nil) || bad != (r.P == nil) {
			t.Errorf("photo %d: error %v, %d probabilities", i, r.Err, len(r.P))
		}
	}
}

// TestConcurrent: several goroutines may use a model at once.
func TestConcurrent(t *testing.T) {
	m, photos := open(t, narrow, regraft.Batch(2)), pictures(3)
	want := classify(t, m, photos...)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			got, err := m.Classify(context.Background(), photos...)
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("beside others: %v, or other results", err)
			}
			if err := m.Close(); err != nil { // the next call starts again
				t.Error(err)
			}
		})
	}
	all.Wait()
}

// TestSessions: calls that compute at the same time get the answers of one that is alone, from one photo to a batch.
func TestSessions(t *testing.T) {
	photos := pictures(3)
	want := classify(t, open(t, narrow), photos...)
	m := open(t, narrow, regraft.Batch(2), regraft.Sessions(3), regraft.Threads(4))
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 2 {
				for k := range photos {
					got, err := m.Classify(context.Background(), photos[k:]...)
					if err != nil || !reflect.DeepEqual(got, want[k:]) {
						t.Errorf("beside others: %v, or other results", err)
					}
				}
				if err := m.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
}

// TestThreadsOfSessions: sessions share the threads among them, and each has one at least.
func TestThreadsOfSessions(t *testing.T) {
	for _, c := range []struct{ threads, sessions, helpers int }{{1, 1, 0}, {4, 1, 3}, {6, 2, 2}, {3, 2, 0}, {1, 3, 0}} {
		m := open(t, narrow, regraft.Threads(c.threads), regraft.Sessions(c.sessions))
		classify(t, m, pictures(1)...)
		helpers := func() int {
			stacks := make([]byte, 1<<20)
			return bytes.Count(stacks[:runtime.Stack(stacks, true)], []byte("(*pool).live("))
		}
		for range 1000 { // until they have begun to run
			if helpers() == c.helpers {
				break
			}
			time.Sleep(time.Millisecond)
		}
		if n := helpers(); n != c.helpers {
			t.Errorf("%d threads, %d sessions: one of them has %d helpers, want %d", c.threads, c.sessions, n, c.helpers)
		}
		if err := m.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestSwappedSessions: after a change of heads every session answers with the new ones.
func TestSwappedSessions(t *testing.T) {
	m, photos := open(t, narrow, regraft.Sessions(2)), pictures(2)
	both := func() (results [2][]regraft.Result) {
		var all sync.WaitGroup
		for i := range results {
			all.Go(func() { results[i] = classify(t, m, photos...) })
		}
		all.Wait()
		return results
	}
	both()
	if err := m.SwapHeads([]string{"a", "b", "c"}, 3); err != nil {
		t.Fatal(err)
	}
	want := open(t, narrow)
	if err := want.SwapHeads([]string{"a", "b", "c"}, 3); err != nil {
		t.Fatal(err)
	}
	if got := both(); !reflect.DeepEqual(got[0], got[1]) || !reflect.DeepEqual(got[0], classify(t, want, photos...)) {
		t.Errorf("%v", got)
	}
}

func TestCancel(t *testing.T) {
	m := open(t, narrow)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := m.Classify(ctx, pictures(3)...); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled call returns %v", err)
	}
	seen := 0
	for range m.Stream(context.Background(), slices.Values(pictures(20))) {
		if seen++; seen == 3 {
			break // and nothing of the rest is left running
		}
	}
	if seen != 3 {
		t.Errorf("%d results", seen)
	}
}

// TestProbabilities sum to one, also where the file ends in a Softmax of its own, whose outputs they then are.
func TestProbabilities(t *testing.T) {
	for _, file := range []string{narrow, "onnx/testdata/zoo_form.hand.op9.onnx"} {
		m := open(t, file)
		r := classify(t, m, pictures(1)...)[0]
		sum := 0.0
		for _, p := range r.P {
			sum += float64(p)
		}
		if math.Abs(sum-1) > 1e-6 {
			t.Errorf("%s: the probabilities sum to %g", file, sum)
		}
		top := r.Top(len(r.P) + 1)
		if len(top) != len(r.P) || !slices.IsSortedFunc(top, func(a, b regraft.Prediction) int { return cmp.Compare(b.P, a.P) }) {
			t.Errorf("%s: Top is not sorted: %v", file, top)
		}
	}
}

// TestSave: a saved model answers with the same bits.
func TestSave(t *testing.T) {
	m := open(t, narrow)
	if err := m.SwapHeads([]string{"a", "b", "c"}, 3); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "m.onnx")
	if err := m.Save(file); err != nil {
		t.Fatal(err)
	}
	photos := pictures(3)
	if want, got := classify(t, m, photos...), classify(t, open(t, file), photos...); !reflect.DeepEqual(got, want) {
		t.Errorf("the saved model answers\n%v\nnot\n%v", got, want)
	}
}

func TestWrongInput(t *testing.T) {
	m := open(t, narrow)
	for _, n := range []int{0, 1, 3*64*64 - 1} {
		if _, err := m.Infer(context.Background(), make([]float32, n), 1); err == nil {
			t.Errorf("%d values pass as an image", n)
		}
	}
	if _, err := m.Infer(context.Background(), nil, 0); err == nil {
		t.Error("no image passes as input")
	}
	if m, err := regraft.Open(narrow, regraft.UseHead("nose")); err == nil || m != nil {
		t.Errorf("a head that does not exist is found: %v, %v", m, err)
	}
	if m, err := regraft.Open(narrow, regraft.AdjustPreprocess(func(p *regraft.Preprocess) { p.Std[1] = 0 })); err == nil || m != nil {
		t.Errorf("a standard deviation of nothing: %v, %v", m, err)
	}
	if err := m.SwapHeads([]string{"one"}, 1); err == nil {
		t.Error("a classifier of one class is made")
	}
}
