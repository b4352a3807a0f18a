package train

import (
	"context"
	"errors"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"regraft/engine"
)

// TestDivergedRate: a learning rate of a million ends the run at a layer that it names, with weights in the last checkpoint that are
// sound, whatever the optimizer.
func TestDivergedRate(t *testing.T) {
	data := photos(t, map[string]int{"train": 6, "val": 2})
	for _, optimizer := range []Optimizer{SGD, AdamW} {
		c := narrowRun(t, Full, data)
		d := Defaults(Full, optimizer)
		c.Optimizer, c.LearningRate, c.Momentum, c.WeightDecay, c.WarmupEpochs, c.Schedule = optimizer, 1e6, d.Momentum, 0.05, 0, Constant
		c.CheckpointMinutes, c.Epochs = 1e-9, 50
		_, err := Fit(context.Background(), c, Silent{})
		diverged := (*DivergedError)(nil)
		if !errors.As(err, &diverged) || diverged.Node == "" && diverged.Weights == "" {
			t.Errorf("%s: error %v", optimizer, err)
			continue
		}
		t.Logf("%s: %v", optimizer, err)
		k, err := readCheckpoint(filepath.Join(c.Out, CheckpointFile))
		if err != nil && diverged.Epoch == 1 && diverged.Step == 1 {
			continue // there was nothing good to keep
		}
		must(t, err)
		for _, v := range k.parts[0].Float32[:2] {
			if !engine.Finite(v) {
				t.Errorf("%s: the last checkpoint holds infinite or undefined numbers", optimizer)
			}
		}
	}
}

// TestPoisonedModel: a weight of the file that is no number is named before anything is computed.
func TestPoisonedModel(t *testing.T) {
	data := photos(t, map[string]int{"train": 6, "val": 2})
	for _, mode := range []Mode{Heads, Full} {
		c := narrowRun(t, mode, data)
		p, err := c.Net.Param("b.conv.weight")
		must(t, err)
		p.Value[3] = float32(math.NaN())
		_, err = Fit(context.Background(), c, Silent{})
		if model := (*ModelError)(nil); !errors.As(err, &model) || !strings.Contains(err.Error(), "b.conv.weight") {
			t.Errorf("%s: error %v", mode, err)
		}
	}
}

// TestPoisonedWeight: a weight that is no number in the middle of a run is told by the layer that reads it; one that nothing notices by
// its own name.
func TestPoisonedWeight(t *testing.T) {
	data := photos(t, map[string]int{"train": 6, "val": 2})
	for _, poison := range []struct {
		param string
		says  string
	}{
		{"b.conv.weight", "first in b.conv:"},
		{"c.bn.weight", "first in c.bn statistics:"},
		{"c.bn.running_var", "the weights c.bn.running_var have become infinite"},
	} {
		c := narrowRun(t, Full, data)
		r, l := begun(t, c)
		for _, values := range []struct {
			slots []float32
			of    map[string]int
		}{{l.session.Params(), offsets(l, false)}, {l.session.Running(), offsets(l, true)}} {
			if at, is := values.of[poison.param]; is {
				values.slots[at] = float32(math.NaN())
			}
		}
		err := r.loop(t.Context())
		if diverged := (*DivergedError)(nil); !errors.As(err, &diverged) || !strings.Contains(err.Error(), poison.says) {
			t.Errorf("%s: error %v", poison.param, err)
		}
		l.close()
		r.out.close(true)
	}
}

// offsets is where the parameters of a session begin, or its running statistics.
func offsets(l *fullLearner, running bool) map[string]int {
	slots := l.compiled.Params
	if running {
		slots = l.compiled.Running
	}
	at := map[string]int{}
	for _, s := range slots {
		at[s.Param.Name] = s.Off / 4
	}
	return at
}
