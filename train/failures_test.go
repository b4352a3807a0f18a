package train

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"regraft/photo"
)

// countdown is a context that is cancelled once it has been asked so many times whether it is.
type countdown struct {
	context.Context
	left atomic.Int64
	done chan struct{}
	once sync.Once
}

func newCountdown(ctx context.Context, n int64) *countdown {
	c := &countdown{Context: ctx, done: make(chan struct{})}
	c.left.Store(n)
	return c
}

func (c *countdown) Err() error {
	if c.left.Add(-1) >= 0 {
		return nil
	}
	c.once.Do(func() { close(c.done) })
	return context.Canceled
}

func (c *countdown) Done() <-chan struct{} {
	c.Err()
	return c.done
}

// small is a run with everything that asks for photos once more: folds, views, a learning curve, scalings, an up, a page.
func small(t *testing.T, mode Mode, data string) Config {
	c := narrowRun(t, mode, data)
	c.Epochs, c.NoReport, c.Precision, c.TensorBoard, c.Assumed = 2, false, 0.5, true, "0 to 1"
	if c.Batch = 6; mode == Heads {
		c.Views, c.Folds = 2, 2
	} else {
		c.Augment = Flip + UpsideDown
	}
	return c
}

// TestCancelledAnywhere: wherever it is cancelled, whatever takes a context ends with the context's error; a run goes on to the same bits.
func TestCancelledAnywhere(t *testing.T) {
	data := photos(t, map[string]int{"train": 7, "test": 2})
	net := narrow(t)
	samples := func() []photo.Sample {
		c := narrowRun(t, Heads, data)
		s, err := scan(&c)
		must(t, err)
		return s.test
	}()
	run := func(mode Mode) func(context.Context) error {
		return func(ctx context.Context) error {
			c := small(t, mode, data)
			_, err := Fit(ctx, c, nil)
			if err == nil {
				return nil
			}
			if interrupted := (*InterruptedError)(nil); !errors.As(err, &interrupted) || (interrupted.Out != "") != resumable(c.Out) {
				t.Errorf("%s: %v", mode, err)
			}
			if _, e := os.Stat(filepath.Join(c.Out, SummaryFile)); e == nil {
				t.Errorf("%s: a summary of a run that was interrupted", mode)
			}
			return err
		}
	}
	for name, f := range map[string]func(context.Context) error{
		"heads": run(Heads), "full": run(Full),
		"cross validation": func(ctx context.Context) error {
			c := narrowRun(t, Heads, data)
			c.Folds = 2
			_, err := CrossValidate(ctx, c, nil)
			return err
		},
		"labels": func(ctx context.Context) error {
			_, err := DoubtLabels(ctx, narrowRun(t, Heads, data), nil)
			return err
		},
		"evaluate": func(ctx context.Context) error {
			_, err := Evaluate(ctx, net, samples, Options{}, PhaseTest, 0, Silent{})
			return err
		},
		"readable": func(ctx context.Context) error {
			_, _, err := Readable(ctx, data, samples, &Options{}, Silent{})
			return err
		},
		"rate": func(ctx context.Context) error {
			c := small(t, Full, data)
			_, err := FindRate(ctx, c, nil)
			return err
		},
	} {
		const plenty, points = 1 << 40, 6
		whole := newCountdown(t.Context(), plenty)
		if err := f(whole); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		asked := plenty - whole.left.Load()
		if asked == 0 {
			t.Errorf("%s never asks its context", name)
		}
		for i := range int64(points) {
			if err := f(newCountdown(t.Context(), asked*9/10*i/points)); !errors.Is(err, context.Canceled) {
				t.Errorf("%s, cancelled after %d of %d: %v", name, asked*i/points, asked, err)
			}
		}
	}
}

func resumable(out string) bool {
	for _, file := range []string{CheckpointFile, PreviousFile, featuresFile} {
		if _, err := os.Stat(filepath.Join(out, file)); err == nil {
			return true
		}
	}
	return false
}

// blocked lets something stand in the way of files from the run's beginning on.
type blocked struct {
	warned
	t     *testing.T
	out   string
	files []string
}

func (b *blocked) Started(Start) {
	for _, file := range b.files {
		must(b.t, os.MkdirAll(filepath.Join(b.out, file, "in the way"), 0o777))
	}
}

// TestUnwritableFiles: a file of a run that cannot be written is an error that names it, and the run is not called complete; only what
// serves to go on before the first epoch is no more than a warning.
func TestUnwritableFiles(t *testing.T) {
	data := photos(t, map[string]int{"train": 4, "test": 2})
	for _, file := range files {
		var others []string
		switch file {
		case ArgsFile, PreviousFile, featuresDir:
			continue // written before, or nowhere
		case CheckpointFile:
			others = []string{PreviousFile} // by whose name the one in the way would go
		}
		c := small(t, Heads, data)
		b := &blocked{t: t, out: c.Out, files: append(others, file)}
		_, err := Fit(t.Context(), c, b)
		if file == featuresFile {
			if err != nil || !b.says("cannot be resumed before its first epoch") {
				t.Errorf("%s: %v, %q", file, err, b.messages)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), file) {
			t.Errorf("%s: %v", file, err)
		}
		if info, err := os.Stat(filepath.Join(c.Out, SummaryFile)); err == nil && !info.IsDir() {
			t.Errorf("%s: a summary says that the run is complete", file)
		}
	}
}
