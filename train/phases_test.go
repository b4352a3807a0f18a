package train

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"regraft/photo"
)

// counted adds up what is told of every phase.
type counted struct {
	Silent
	t            *testing.T
	what         string
	phase        Phase
	total, so    int
	phases, told int
}

func (c *counted) Phase(p Phase, _, total int) {
	c.end()
	c.phase, c.total, c.so = p, total, 0
	c.phases++
}

func (c *counted) Advanced(n int, _ float64) { c.so += n; c.told++ }

func (c *counted) end() {
	if c.phase != "" && c.phase != PhaseFolds && c.so != c.total { // whose total is a guess
		c.t.Errorf("%s: %d of %d in phase %s", c.what, c.so, c.total, c.phase)
	}
	if c.phase != "" && c.total > 0 && c.so == 0 {
		c.t.Errorf("%s: phase %s makes no progress", c.what, c.phase)
	}
}

// TestPhasesAddUp: what is told of the progress of every phase comes to the number that was told at its begin.
func TestPhasesAddUp(t *testing.T) {
	data := photos(t, map[string]int{"train": 7, "test": 2})
	net := narrow(t)
	c := narrowRun(t, Heads, data)
	s, err := scan(&c)
	must(t, err)
	fitting := func(mode Mode) func(context.Context, Events) error {
		return func(ctx context.Context, e Events) error { _, err := Fit(ctx, small(t, mode, data), e); return err }
	}
	for name, f := range map[string]func(context.Context, Events) error{
		"heads": fitting(Heads), "full": fitting(Full),
		"features": func(ctx context.Context, e Events) error {
			_, err := Fit(ctx, featureRun(t, featureRows(5), 0), e)
			return err
		},
		"evaluate": func(ctx context.Context, e Events) error {
			_, err := Evaluate(ctx, net, s.test, Options{Views: 2}, PhaseTest, 0, e)
			return err
		},
		"readable": func(ctx context.Context, e Events) error {
			_, _, err := Readable(ctx, data, s.test, &Options{}, e)
			return err
		},
		"labels": func(ctx context.Context, e Events) error {
			_, err := DoubtLabels(ctx, narrowRun(t, Heads, data), e)
			return err
		},
	} {
		e := &counted{t: t, what: name}
		must(t, f(t.Context(), e))
		if e.end(); e.phases == 0 || e.told == 0 {
			t.Errorf("%s: %d phases, told %d times", name, e.phases, e.told)
		}
	}
}

// TestImpossibleCheckpoints: numbers of a checkpoint that cannot be are damage, and a checkpoint that is not there is named.
func TestImpossibleCheckpoints(t *testing.T) {
	for what, change := range map[string]func(c *checkpoint){
		"the best before all":  func(c *checkpoint) { c.Best = -2 },
		"the best behind all":  func(c *checkpoint) { c.Best = 1 },
		"a step below nothing": func(c *checkpoint) { c.Progress.Step = -1 },
	} {
		c := sample()
		change(c)
		data := encoded(t, c)
		if _, err := parseCheckpoint(bytes.NewReader(data), int64(len(data))); !errors.Is(err, errDamaged) {
			t.Errorf("%s: %v", what, err)
		}
	}
	c := sample()
	c.Best = -1
	if _, err := stored(encoded(t, c)); err != nil {
		t.Errorf("no best yet: %v", err)
	}
	none := filepath.Join(t.TempDir(), CheckpointFile)
	if _, err := readCheckpoint(none); !os.IsNotExist(err) {
		t.Errorf("none: %v", err)
	}
	if _, err := ReadConfig(t.TempDir()); err == nil || !strings.Contains(err.Error(), "nothing to resume") {
		t.Errorf("no settings: %v", err)
	}
}

// TestGroupsRefused: groups that leave a class without a photo to train on, or nothing to validate.
func TestGroupsRefused(t *testing.T) {
	data := photos(t, map[string]int{"train": 4})
	for says, by := range map[string]string{"": `([^/]*)\.png$`, "photo": `^train/`, "group": `train/([^/]*)/`} {
		c := narrowRun(t, Full, data)
		c.GroupBy, c.ValSplit = by, 0.3
		_, err := scan(&c)
		if (err == nil) != (says == "") || err != nil && (!errors.As(err, new(*DataError)) || !strings.Contains(err.Error(), says)) {
			t.Errorf("by %s: %v", by, err)
		}
	}
	if err := HoldsOut(&photo.Dataset{Classes: []string{"a", "b"}, Train: labelled(0, 1)}); err == nil {
		t.Error("one photo of each class is held out")
	}
	if err := HoldsOut(&photo.Dataset{Classes: []string{"a", "b"}, Train: labelled(0, 0, 1, 1)}); err != nil {
		t.Error(err)
	}
	if err := HoldsOut(&photo.Dataset{Classes: []string{"a", "b"}, Train: labelled(0, 1), Val: labelled(0)}); err != nil {
		t.Error(err)
	}
}
