package train

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// quickly makes waiting for photos short.
func quickly(t *testing.T, p ...time.Duration) {
	old := pauses
	pauses = p
	t.Cleanup(func() { pauses = old })
}

// hidden takes photos away when the first epoch is done, and brings them back after so many warnings.
type hidden struct {
	Silent
	t        *testing.T
	dir      string
	back     int
	warnings int
}

func (h *hidden) EpochDone(e Epoch, _ bool) {
	if e.Number == 1 {
		must(h.t, os.Rename(h.dir, h.dir+".away"))
	}
}

func (h *hidden) Warn(message string) {
	if h.warnings++; h.warnings == h.back {
		must(h.t, os.Rename(h.dir+".away", h.dir))
	}
}

// TestPhotosThatVanish: photos that come back in time change nothing, and others end the run with a checkpoint from which it
// goes on to the same bits. The folder is one of train's classes, or one of val's.
func TestPhotosThatVanish(t *testing.T) {
	data := photos(t, map[string]int{"train": 8, "val": 3})
	straight := narrowRun(t, Full, data)
	want := sum(t, fit(t, straight).Model)

	t.Run("back in time", func(t *testing.T) {
		quickly(t, time.Millisecond, time.Second)
		c := narrowRun(t, Full, data)
		if _, err := Fit(context.Background(), c, &hidden{t: t, dir: filepath.Join(data, "train", "down"), back: 1}); err != nil {
			t.Fatal(err)
		}
		if sum(t, filepath.Join(c.Out, BestFile)) != want {
			t.Error("other bits")
		}
	})
	for _, part := range []string{"train", "val"} {
		t.Run(part, func(t *testing.T) {
			quickly(t, time.Millisecond, time.Millisecond)
			c := narrowRun(t, Full, data)
			h := &hidden{t: t, dir: filepath.Join(data, part, "down")}
			_, err := Fit(context.Background(), c, h)
			must(t, os.Rename(h.dir+".away", h.dir))
			var problem *DataError
			if !errors.As(err, &problem) || !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "Resume") || h.warnings == 0 {
				t.Fatalf("%d warnings, error %v", h.warnings, err)
			}
			c.Resume = true
			if r := fit(t, c); sum(t, r.Model) != want || r.Start.FirstEpoch != 2 {
				t.Errorf("other bits, or resumed at epoch %d", r.Start.FirstEpoch)
			}
		})
	}
}

// TestInterruptedWhileWaiting: an interrupt does not wait for photos that are away.
func TestInterruptedWhileWaiting(t *testing.T) {
	quickly(t, time.Hour)
	data := photos(t, map[string]int{"train": 8, "val": 3})
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	h := &cancelling{hidden{t: t, dir: filepath.Join(data, "train", "down")}, cancel}
	c := narrowRun(t, Full, data)
	_, err := Fit(ctx, c, h)
	if interrupted := (*InterruptedError)(nil); !errors.As(err, &interrupted) || interrupted.Out != c.Out {
		t.Errorf("error %v", err)
	}
}

type cancelling struct {
	hidden
	cancel context.CancelFunc
}

func (c *cancelling) Warn(string) { c.cancel() }

// TestTwoRunsAtOnce: a second run in the folder is refused and learns who is there.
func TestTwoRunsAtOnce(t *testing.T) {
	data := photos(t, map[string]int{"train": 4, "val": 2})
	c := narrowRun(t, Heads, data)
	other := &second{c: c}
	r, err := Fit(context.Background(), c, other)
	if err != nil {
		t.Fatal(err)
	}
	for _, err := range other.errs {
		if usage := (*UsageError)(nil); !errors.As(err, &usage) || !strings.Contains(err.Error(), "in use by another run (process ") {
			t.Errorf("the second run: %v", err)
		}
	}
	if len(other.errs) != 2 || !strings.HasSuffix(r.Model, BestFile) {
		t.Errorf("%d attempts", len(other.errs))
	}
	if _, err := os.Stat(filepath.Join(c.Out, lockFile)); err == nil {
		t.Error("the lock is left behind")
	}
}

// second starts runs in the same folder when the first begins.
type second struct {
	Silent
	c    Config
	errs []error
}

func (s *second) Started(Start) {
	for _, resume := range []bool{false, true} {
		s.c.Resume = resume
		_, err := Fit(context.Background(), s.c, Silent{})
		s.errs = append(s.errs, err)
	}
}

// TestFoldersOfKilledRuns: what a run leaves that was killed before its first checkpoint takes a new start and a resumption, and
// files that are not of that kind neither.
func TestFoldersOfKilledRuns(t *testing.T) {
	const killed = "process 1 on some machine"
	for _, c := range []struct {
		name         string
		files        map[string]string
		new, resumed bool
	}{
		{"empty", nil, true, true},
		{"lock not signed", map[string]string{lockFile: ""}, true, true},
		{"lock", map[string]string{lockFile: killed}, true, true},
		{"rest of args.json", map[string]string{".args.json.123": "{"}, true, true},
		{"args.json", map[string]string{ArgsFile: "{}"}, true, true},
		{"best model and no checkpoint", map[string]string{lockFile: killed, ArgsFile: "{}", BestFile: "x", ResultsFile: "y", ".last.ckpt.77": "z"}, true, true},
		{"checkpoint", map[string]string{lockFile: killed, ArgsFile: "{}", CheckpointFile: "x"}, false, true},
		{"somebody's model", map[string]string{BestFile: "x"}, false, false},
		{"somebody's text", map[string]string{"thesis.txt": "x"}, false, false},
		{"somebody's text beside a rest", map[string]string{lockFile: killed, "thesis.txt": "x", ".args.json.5": ""}, false, false},
		{"checkpoint thrown away", map[string]string{ArgsFile: "{}", BestFile: "x", SummaryFile: "{}"}, false, false},
	} {
		for resume, accepted := range map[bool]bool{false: c.new, true: c.resumed} {
			dir := t.TempDir()
			for name, text := range c.files {
				must(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666))
			}
			f, err := openFolder(dir, resume)
			if (err == nil) != accepted {
				t.Errorf("%s, resume %v: error %v", c.name, resume, err)
			}
			if err == nil {
				f.close(true)
			}
			for name := range c.files {
				rest := strings.HasPrefix(name, ".")
				_, err := os.Stat(filepath.Join(dir, name))
				switch {
				case !accepted && name != lockFile && err != nil:
					t.Errorf("%s, resume %v: %s was touched", c.name, resume, name)
				case accepted && rest && err == nil:
					t.Errorf("%s, resume %v: %s is left", c.name, resume, name)
				}
			}
		}
	}
}

// TestResumeWaits: photos that are away when a run is resumed are waited for too.
func TestResumeWaits(t *testing.T) {
	quickly(t, time.Millisecond, time.Second)
	data := photos(t, map[string]int{"train": 8, "val": 3})
	c := narrowRun(t, Full, data)
	ctx, cancel := context.WithCancel(context.Background())
	if _, err := Fit(ctx, c, &stopper{cancel: cancel, steps: 2}); err == nil {
		t.Fatal("not interrupted")
	}
	c.Resume = true
	dir := filepath.Join(data, "val", "down")
	photo := filepath.Join(dir, "001.png")
	away := filepath.Join(t.TempDir(), "photo")
	must(t, os.Rename(photo, away))
	if err := os.Symlink("nowhere", photo); err != nil { // the name is there, and its bytes are not
		t.Skipf("no symbolic links here: %v", err)
	}
	h := &returning{t: t, from: away, to: photo}
	if _, err := Fit(context.Background(), c, h); err != nil || !h.done {
		t.Errorf("error %v, waited %v", err, h.done)
	}
}

// returning brings a photo back at the first warning.
type returning struct {
	Silent
	t        *testing.T
	from, to string
	done     bool
}

func (r *returning) Warn(string) {
	if !r.done {
		r.done = true
		must(r.t, os.Remove(r.to))
		must(r.t, os.Rename(r.from, r.to))
	}
}

// TestDue: half a minute between checkpoints, more where writing one takes long, or what the user wants.
func TestDue(t *testing.T) {
	for _, c := range []struct {
		age, saving time.Duration
		minutes     float64
		due         bool
	}{
		{29 * time.Second, 0, 0, false},
		{31 * time.Second, 100 * time.Millisecond, 0, true},
		{31 * time.Second, time.Second, 0, false},
		{201 * time.Second, time.Second, 0, true},
		{59 * time.Second, 0, 1, false},
		{61 * time.Second, time.Hour, 1, true},
	} {
		r := &training{config: Config{CheckpointMinutes: c.minutes}, saved: time.Now().Add(-c.age), saving: c.saving}
		if r.due() != c.due {
			t.Errorf("%+v", c)
		}
	}
}

// TestDueAfterEpoch: on a disk on which a checkpoint takes minutes, so that the next is hours away, the first epoch of full mode is
// followed by one all the same, and no later one.
func TestDueAfterEpoch(t *testing.T) {
	for _, c := range []struct {
		mode   Mode
		epochs int
		due    bool
	}{{Full, 1, true}, {Full, 2, false}, {Heads, 1, false}} {
		r := &training{config: Config{Mode: c.mode}, epochs: make([]Epoch, c.epochs), saved: time.Now(), saving: 2 * time.Minute}
		if r.dueAfterEpoch() != c.due {
			t.Errorf("%s, epoch %d: due %v, want %v", c.mode, c.epochs, !c.due, c.due)
		}
		if r.saved = r.saved.Add(-checkpointShare * r.saving); !r.dueAfterEpoch() {
			t.Errorf("%s, epoch %d: nothing is due after hours", c.mode, c.epochs)
		}
	}
}

// TestCheckpointWithinEpoch: a run of one long epoch that is killed within it goes on from its middle.
func TestCheckpointWithinEpoch(t *testing.T) {
	c := narrowRun(t, Full, photos(t, map[string]int{"train": 12, "val": 3}))
	c.Epochs, c.Batch = 1, 4
	straight := c
	straight.Out += " straight"
	want := sum(t, fit(t, straight).Model)
	k := killed(t, c, 6)
	progress, err := readCheckpoint(filepath.Join(k.copies[6], CheckpointFile))
	must(t, err)
	if n := progress.Progress.Step; n != 5 || len(progress.Epochs) != 0 {
		t.Errorf("the checkpoint is at step %d of epoch %d", n, len(progress.Epochs)+1)
	}
	k.endAt(want)
}

// killing makes copies of the folder of a run that has a checkpoint after every step, as if it had been killed in the next one.
type killing struct {
	Silent
	t      *testing.T
	config Config
	copies map[int]string // by the number of steps
	step   int
	phase  Phase
}

func (k *killing) Phase(p Phase, _, _ int) { k.phase = p }

func (k *killing) Advanced(photos int, _ float64) {
	if k.phase != PhaseTrain || photos == 0 {
		return
	}
	k.step++
	if to, wanted := k.copies[k.step]; wanted {
		must(k.t, os.CopyFS(to, os.DirFS(k.config.Out)))
	}
}

// killed makes a run and keeps what it would have left if it had been killed in these steps.
func killed(t *testing.T, c Config, steps ...int) *killing {
	t.Helper()
	c.CheckpointMinutes = 1e-9
	k := &killing{t: t, config: c, copies: map[int]string{}}
	for _, n := range steps {
		k.copies[n] = t.TempDir()
	}
	_, err := Fit(context.Background(), c, k)
	must(t, err)
	if slices.Max(steps) > k.step {
		t.Fatalf("the run has %d steps", k.step)
	}
	return k
}

// endAt goes on from every copy: all end with the bits of a model with this sum, as the run itself has.
func (k *killing) endAt(want string) {
	k.t.Helper()
	if sum(k.t, filepath.Join(k.config.Out, BestFile)) != want {
		k.t.Error("a run with a checkpoint after every step has other bits")
	}
	for step, out := range k.copies {
		c := k.config
		c.Out, c.Resume = out, true
		at, err := readCheckpoint(filepath.Join(out, CheckpointFile))
		must(k.t, err)
		if at.Progress.Step == 0 && len(at.Epochs) == 0 {
			k.t.Errorf("killed in step %d: nothing was learnt before", step)
		}
		if sum(k.t, fit(k.t, c).Model) != want {
			k.t.Errorf("killed in step %d and resumed: other bits", step)
		}
	}
}
