package photo

import (
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestBudget: what is lent stays within the budget, but for one that is larger than it, which is alone.
func TestBudget(t *testing.T) {
	b := newBudget(100)
	var lent, most, alone atomic.Int64
	var running sync.WaitGroup
	for i := range 60 {
		bytes := int64(10 + i%4*30)
		if i%20 == 0 {
			bytes = 1000
		}
		running.Go(func() {
			giveBack := b.take(bytes)
			now := lent.Add(bytes)
			if bytes == 1000 && now == 1000 {
				alone.Add(1)
			} else if now > 100 {
				t.Errorf("%d lent of 100", now)
			}
			for old := most.Load(); now > old && !most.CompareAndSwap(old, now); old = most.Load() {
			}
			time.Sleep(time.Millisecond)
			lent.Add(-bytes)
			giveBack()
		})
	}
	running.Wait()
	if alone.Load() != 3 || b.lent != 0 {
		t.Errorf("%d were alone, %d left", alone.Load(), b.lent)
	}
}

// TestMemory: what a photo asks for before it is decoded, in bytes.
func TestMemory(t *testing.T) {
	for name, c := range map[string]struct{ least, most int64 }{
		"jpeg/testdata/420.jpg":             {2 << 10, 64 << 10},   // a few rows
		"jpeg/testdata/420_progressive.jpg": {17 << 10, 100 << 10}, // 6 blocks of 128 bytes for each of 20 units, and rows
		"testdata/rgb.png":                  {7 * 61 * 38, 16 * 61 * 38},
	} {
		data, err := os.ReadFile(filepath.FromSlash(name))
		if err != nil {
			t.Fatal(err)
		}
		s, err := open(data, DecodeOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if got := s.memory - int64(len(data)); got < c.least || got > c.most {
			t.Errorf("%s: %d bytes beside the file, want %d to %d", name, got, c.least, c.most)
		}
	}
}
