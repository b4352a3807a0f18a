package regraft_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"sync"
	"testing"

	"regraft"
	"regraft/featurecache"
	"regraft/train"
)

// TestAnswersOnly: sessions of a model that lets go of its weights answer as always, at the same time too, and as long as it is open.
func TestAnswersOnly(t *testing.T) {
	photos := pictures(5)
	want := classify(t, open(t, narrow), photos...)
	m := open(t, narrow, regraft.AnswersOnly(), regraft.Batch(2), regraft.Sessions(3), regraft.Threads(3))
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for k := range photos {
				got, err := m.Classify(context.Background(), photos[k:]...)
				if err != nil || !reflect.DeepEqual(got, want[k:]) {
					t.Errorf("%v, or other results", err)
				}
			}
		})
	}
	all.Wait()
	for _, p := range m.Network().Params {
		if p.Value != nil {
			t.Errorf("%s is kept", p.Name)
		}
	}
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	if r, err := m.Classify(context.Background(), photos[0]); err == nil {
		t.Errorf("without weights, after Close: %v", r)
	}
}

// TestAnswersOnlyCached: the cache knows the model by its weights before they go, and answers from features go on without them.
func TestAnswersOnlyCached(t *testing.T) {
	photos := pictures(40)
	want := classify(t, open(t, narrow), photos...)
	cache := featurecache.Open(t.TempDir(), 1<<20)
	for range 2 { // the second time the features are there
		m := open(t, narrow, regraft.AnswersOnly(), regraft.Batch(2), regraft.Workers(1), regraft.Cache(cache))
		for range 2 {
			if got := classify(t, m, photos...); !reflect.DeepEqual(got, want) {
				t.Error("other results than without a cache")
			}
		}
		if m.Network().Params[0].Value != nil {
			t.Error("the weights are kept")
		}
	}
}

// TestAnswersOnlyMemory: the collector gets the file back.
func TestAnswersOnlyMemory(t *testing.T) {
	info, err := os.Stat(narrow)
	if err != nil {
		t.Fatal(err)
	}
	held := func(opts ...regraft.Option) int {
		m := open(t, narrow, append(opts, regraft.Batch(1))...)
		classify(t, m, pictures(1)...)
		runtime.GC()
		var s runtime.MemStats
		runtime.ReadMemStats(&s)
		runtime.KeepAlive(m)
		return int(s.HeapAlloc)
	}
	held()
	before := held(regraft.AnswersOnly())
	if less := held() - before; less < int(info.Size())*9/10 {
		t.Errorf("a model that keeps its weights holds %d bytes more, its file has %d", less, info.Size())
	}
}

// TestAnswersOnlyRefuses: what needs the weights is refused from the start.
func TestAnswersOnlyRefuses(t *testing.T) {
	m := open(t, narrow, regraft.AnswersOnly())
	path := filepath.Join(t.TempDir(), "m.onnx")
	for what, call := range map[string]func() error{
		"Save":      func() error { return m.Save(path) },
		"SwapHeads": func() error { return m.SwapHeads([]string{"a", "b"}, 1) },
		"Heads":     func() error { _, err := m.Heads(); return err },
		"Train":     func() error { _, err := m.Train(context.Background(), train.Config{}, nil); return err },
		"Evaluate":  func() error { _, err := m.Evaluate(context.Background(), t.TempDir(), "", nil); return err },
	} {
		if err := call(); !errors.Is(err, regraft.ErrAnswersOnly) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("a file was written")
	}
}
