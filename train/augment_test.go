package train

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// everyPolicy is all that can be drawn at once.
const everyPolicy = "standard,vflip,jitter,randaugment,erase:0.5,mixup,cutmix"

// TestPoliciesKeepBits: with every policy, uneven classes that are balanced, smoothed labels, batches in parts and an auxiliary head, the
// number of threads and workers changes no bit, and a run that is killed in an epoch goes on to the same ones.
func TestPoliciesKeepBits(t *testing.T) {
	data := unevenPhotos(t)
	for _, balance := range Balances {
		config := func(threads, workers int) Config {
			c := narrowRun(t, Full, data)
			c.Epochs, c.Batch, c.MicroBatch, c.Balance, c.Smoothing, c.Augment = 2, 12, 4, balance, 0.1, everyPolicy
			c.Threads, c.Workers = threads, workers
			return c
		}
		alone := config(1, 1)
		r := fit(t, alone)
		if !r.Start.Mixes || r.Epochs[1].TrainLoss <= 0 || r.Epochs[1].TrainAcc <= 0 {
			t.Errorf("%+v", r.Epochs[1])
		}
		want := sum(t, filepath.Join(alone.Out, BestFile))
		killed(t, config(2, 7), 2, 7).endAt(want)
		plain := config(2, 2)
		plain.Augment = "standard,vflip,jitter,randaugment,erase:0.5"
		fit(t, plain)
		if sum(t, filepath.Join(plain.Out, BestFile)) == want {
			t.Error("mixing changes nothing")
		}
	}
}

// TestWrongPolicies: what cannot be mixed, or has no effect, is refused.
func TestWrongPolicies(t *testing.T) {
	data := photos(t, map[string]int{"train": 3, "val": 2})
	for says, change := range map[string]func(*Config){
		"Augment mixup mixes the photos of a batch, and Batch 1 has one": func(c *Config) { c.Augment, c.Batch = "mixup", 1 },
		"heads mode computes the features once, so it knows Augment none and flip only": func(c *Config) {
			*c = Defaults(Heads, "")
			c.Augment = "flip,erase"
		},
		`Augment: "erase:2": P must be a number from 0.001 to 1`: func(c *Config) { c.Augment = "erase:2" },
	} {
		c := narrowRun(t, Full, data)
		net, out := c.Net, c.Out
		change(&c)
		c.Net, c.Out, c.Data = net, out, data
		fails(t, c, says)
	}
}

// TestLearned: the photos that a run learns from are told in its order, also where some are held out and others have equal bytes.
func TestLearned(t *testing.T) {
	data := photos(t, map[string]int{"train": 10})
	for _, class := range []string{"across", "down"} {
		for i := range 4 {
			dir := filepath.Join(data, "train", class)
			must(t, os.WriteFile(filepath.Join(dir, fmt.Sprintf("copy%d.png", i)), read(t, dir, fmt.Sprintf("%03d.png", i)), 0o666))
		}
	}
	for seed := range uint64(3) {
		c := narrowRun(t, Full, data)
		c.Seed, c.ValSplit = seed, 0.3
		r, l := begun(t, c)
		learned, err := Learned(t.Context(), c, Silent{})
		if must(t, err); !slices.Equal(learned, r.sets.train) || len(learned) == len(r.sets.all()) {
			t.Errorf("%d photos are learned, the run has %d of %d", len(learned), len(r.sets.train), len(r.sets.all()))
		}
		l.close()
		r.out.close(true)
	}
}
