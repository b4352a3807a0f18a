package train

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestSkipBad: all bad photos are named at once, before any arithmetic; a run without them is that on a folder without them,
// and its summary lists them, resumed or not.
func TestSkipBad(t *testing.T) {
	for _, mode := range []Mode{Heads, Full} {
		t.Run(string(mode), func(t *testing.T) {
			data := photos(t, map[string]int{"train": 8, "val": 4, "test": 4})
			without := photos(t, map[string]int{"train": 8, "val": 4, "test": 4})
			bad := []string{"train/down/002.png", "train/plain/007.png", "val/across/001.png", "test/down/003.png"}
			for i, name := range bad {
				path := filepath.Join(data, filepath.FromSlash(name))
				must(t, os.Remove(filepath.Join(without, filepath.FromSlash(name))))
				content, err := os.ReadFile(path)
				must(t, err)
				must(t, os.WriteFile(path, content[:i*20], 0o666))
			}
			c := narrowRun(t, mode, data)
			c.ValSplit = 0
			err := fails(t, c, "4 problems")
			for _, name := range append(bad, "SkipBad") {
				if !strings.Contains(filepath.ToSlash(err.Error()), name) {
					t.Errorf("%s is not named: %v", name, err)
				}
			}
			straight := narrowRun(t, mode, without)
			want := sum(t, fit(t, straight).Model)
			c.SkipBad = true
			check := func(r *Result) {
				t.Helper()
				if sum(t, r.Model) != want {
					t.Error("other bits than without the photos")
				}
				if r.Start.Train != 22 || r.Start.Val != 11 || r.Start.Test != 11 || r.Report.Images != 11 {
					t.Errorf("counts %+v, %d", r.Start, r.Report.Images)
				}
				var summary Result
				must(t, json.Unmarshal(read(t, filepath.Dir(r.Model), SummaryFile), &summary))
				var names []string
				for _, s := range summary.Skipped {
					names = append(names, s.Path)
				}
				if got, want := strings.Join(names, " "), "train/down/002.png train/plain/007.png val/across/001.png test/down/003.png"; got != want {
					t.Errorf("skipped %s, want %s", got, want)
				}
			}
			check(fit(t, c))
			c.Out += " again"
			ctx, cancel := context.WithCancel(context.Background())
			if _, err := Fit(ctx, c, &stopper{cancel: cancel, steps: 2}); err == nil {
				t.Fatal("not interrupted")
			}
			c.Resume = true
			check(fit(t, c))
		})
	}
}

// TestSkippingTooMuch: a class without photos cannot be trained.
func TestSkippingTooMuch(t *testing.T) {
	for _, part := range []string{"train", "val"} {
		data := photos(t, map[string]int{"train": 2, "val": 2})
		bad, err := filepath.Glob(filepath.Join(data, part, map[string]string{"train": "down", "val": "*"}[part], "*"))
		must(t, err)
		for _, path := range bad {
			must(t, os.WriteFile(path, nil, 0o666))
		}
		c := narrowRun(t, Heads, data)
		c.SkipBad = true
		err = fails(t, c, "without the bad photos none is left")
		if problem := (*DataError)(nil); !errors.As(err, &problem) {
			t.Errorf("%T", err)
		}
	}
}

// TestChangedPhotos: a resumed run refuses photos with other bytes, unless it is allowed to have them.
func TestChangedPhotos(t *testing.T) {
	for _, mode := range []Mode{Heads, Full} {
		data := photos(t, map[string]int{"train": 8, "val": 4, "test": 2})
		c := narrowRun(t, mode, data)
		ctx, cancel := context.WithCancel(context.Background())
		if _, err := Fit(ctx, c, &stopper{cancel: cancel, steps: 1}); err == nil {
			t.Fatal("not interrupted")
		}
		c.Resume = true
		for _, name := range []string{"train/down/003.png", "val/plain/000.png", "test/across/001.png"} {
			path := filepath.Join(data, filepath.FromSlash(name))
			old, err := os.ReadFile(path)
			must(t, err)
			other, err := os.ReadFile(filepath.Join(filepath.Dir(path), "001.png"))
			must(t, err)
			if name == "test/across/001.png" {
				other = append(other, 0)
			}
			must(t, os.WriteFile(path, other, 0o666))
			_, err = Fit(context.Background(), c, Silent{})
			problem := (*DataError)(nil)
			if !errors.As(err, &problem) || !strings.Contains(filepath.ToSlash(err.Error()), name) || !strings.Contains(err.Error(), "1 of 42 photos") {
				t.Errorf("%s: %s: error %v", mode, name, err)
			}
			must(t, os.WriteFile(path, old, 0o666))
		}
		must(t, os.WriteFile(filepath.Join(data, "train", "down", "003.png"), read(t, data, "train/down/001.png"), 0o666))
		c.AllowChanged = true
		heard := &warnings{}
		if _, err := Fit(context.Background(), c, heard); err != nil || !strings.Contains(heard.String(), "1 of 42 photos has changed") {
			t.Errorf("%s: error %v, warnings %v", mode, err, heard)
		}
		c.AllowChanged = false // what was allowed is the state from then on
		c.Epochs++
		fit(t, c)
	}
}

type warnings struct {
	Silent
	strings.Builder
}

func (w *warnings) Warn(message string) { w.WriteString(message + "\n") }

// counting cancels the run after so many photos' features, and counts them.
type counting struct {
	Silent
	stop   int // 0: never
	cancel context.CancelFunc
	phase  Phase
	photos int
	fresh  bool // the next report of a phase tells what is there already
}

func (c *counting) Phase(p Phase, _, _ int) { c.phase, c.fresh = p, true }

func (c *counting) Advanced(photos int, _ float64) {
	if c.phase != PhaseFeatures || c.fresh {
		c.fresh = false
		return
	}
	if c.photos += photos; c.stop > 0 && c.photos >= c.stop {
		c.cancel()
	}
}

// TestFeaturesAreKept: features that were computed before an interrupt, among those of train or of val, are not computed again,
// and the end is the same to the bit.
func TestFeaturesAreKept(t *testing.T) {
	data := photos(t, map[string]int{"train": 16, "val": 9})
	for augment, all := range map[Augment]int{NoAugment: 48 + 27, Flip: 2*48 + 27} {
		config := func() Config {
			c := narrowRun(t, Heads, data)
			c.Augment = augment // Flip adds a view
			return c
		}
		straight := config()
		want := sum(t, fit(t, straight).Model)
		stops := []int{1, 30, 48, 60, 75}
		if testing.Short() {
			stops = []int{30, 60}
		}
		for _, stop := range stops {
			c := config()
			ctx, cancel := context.WithCancel(context.Background())
			first := &counting{stop: stop, cancel: cancel}
			_, err := Fit(ctx, c, first)
			cancel()
			var interrupted *InterruptedError
			if !errors.As(err, &interrupted) || interrupted.Out != c.Out {
				t.Fatalf("after %d photos: error %v", stop, err)
			}
			if got := listOf(t, c.Out); got != "args.json features features.ckpt" && stop < all {
				t.Errorf("after %d photos: files %s", stop, got)
			}
			c.Resume = true
			second := &counting{}
			r, err := Fit(context.Background(), c, second)
			if err != nil {
				t.Fatal(err)
			}
			if first.photos+second.photos != all || first.photos < stop {
				t.Errorf("%d and %d photos were computed, want %d together", first.photos, second.photos, all)
			}
			if sum(t, r.Model) != want {
				t.Errorf("after %d photos: other bits", stop)
			}
			if got, want := listOf(t, c.Out), listOf(t, straight.Out); got != want {
				t.Errorf("files %s, want %s", got, want)
			}
		}
	}
}

func listOf(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	must(t, err)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return strings.Join(names, " ")
}

// TestFirstEpoch: the summary of a fresh run says 1.
func TestFirstEpoch(t *testing.T) {
	c := narrowRun(t, Heads, photos(t, map[string]int{"train": 4, "val": 2}))
	if r := fit(t, c); r.Start.FirstEpoch != 1 || !strings.Contains(string(read(t, c.Out, SummaryFile)), `"first_epoch": 1`) {
		t.Errorf("first epoch %d", r.Start.FirstEpoch)
	}
}
