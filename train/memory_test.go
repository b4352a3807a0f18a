package train

import (
	"strings"
	"testing"
)

// needs hears of the memory.
type needs struct {
	Silent
	told []Memory
}

func (n *needs) Needs(m Memory) { n.told = append(n.told, m) }

// TestMemory: the need is told once before the first step, grows with the batch, and where it is not free the largest batch that would
// fit is told, which then does.
func TestMemory(t *testing.T) {
	data := photos(t, map[string]int{"train": 30, "val": 2})
	told := func(batch int, free int64) Memory {
		t.Helper()
		freeMemory = func() int64 { return free }
		defer func() { freeMemory = available }()
		c := narrowRun(t, Full, data)
		c.Epochs, c.WarmupEpochs, c.Batch = 1, 0, batch
		n := &needs{}
		if _, err := Fit(t.Context(), c, n); err != nil {
			t.Fatal(err)
		}
		if len(n.told) != 1 {
			t.Fatalf("told %d times", len(n.told))
		}
		return n.told[0]
	}
	small, large := told(8, 1<<40), told(80, 1<<40)
	if !small.Enough() || small.Bytes >= large.Bytes || small.Fits < 80 || !strings.Contains(small.String(), "would fit") {
		t.Errorf("%v; %v", small, large)
	}
	between := (small.Bytes + large.Bytes) / 2
	m := told(80, between)
	if m.Enough() || m.Fits <= 8 || m.Fits >= 80 || !strings.Contains(m.String(), "would fit (Batch") {
		t.Fatalf("%v", m)
	}
	if fits := told(m.Fits, between); !fits.Enough() {
		t.Errorf("the batch that would fit does not: %v", fits)
	}
	if much := told(m.Fits+m.Fits/10+2, between); much.Enough() {
		t.Errorf("a larger batch would have fitted: %v", much)
	}
	if m := told(8, 1000); m.Fits != 0 || !strings.Contains(m.String(), "not even a batch of 1") {
		t.Errorf("%v", m)
	}
	if m := told(8, 0); !m.Enough() || strings.Contains(m.String(), "free") {
		t.Errorf("where nothing is known: %v", m)
	}
}
