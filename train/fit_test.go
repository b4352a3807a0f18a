package train

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"regraft/engine/kernel"
	"regraft/golden"
)

func fit(t testing.TB, c Config) *Result {
	t.Helper()
	r, err := Fit(context.Background(), c, Silent{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestFitLearns trains both modes on photos that are easy to tell apart, and looks at what is left behind.
func TestFitLearns(t *testing.T) {
	data := photos(t, map[string]int{"train": 16, "val": 6, "test": 5})
	for _, mode := range []Mode{Heads, Full} {
		t.Run(string(mode), func(t *testing.T) {
			c := narrowRun(t, mode, data)
			c.Epochs, c.NoReport = 20, false
			r := fit(t, c)
			if len(r.Epochs) != 20 || r.Best.ValAcc < 0.9 || r.Epochs[19].TrainLoss > r.Epochs[0].TrainLoss/2 {
				t.Errorf("%d epochs, the best %+v, the last %+v", len(r.Epochs), r.Best, r.Epochs[len(r.Epochs)-1])
			}
			if r.SelectedOn != SetVal || r.ReportedOn != SetTest || r.Report.Images != 15 || r.Report.Accuracy < 0.8 {
				t.Errorf("selected on %s, %d photos of %s: %g", r.SelectedOn, r.Report.Images, r.ReportedOn, r.Report.Accuracy)
			}
			if len(r.Example.P) != 3 || len(r.Start.Heads) != 2 || r.Start.Heads[1].Kind != "aux" {
				t.Errorf("example %+v, heads %+v", r.Example, r.Start.Heads)
			}
			if (mode == Heads) != (r.TrunkBefore != "" && r.TrunkBefore == r.TrunkAfter) {
				t.Errorf("trunk %q and %q", r.TrunkBefore, r.TrunkAfter)
			}
			entries, err := os.ReadDir(c.Out)
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, e := range entries {
				names = append(names, e.Name())
			}
			if got, want := strings.Join(names, " "), "MODEL_CARD.md args.json best.onnx confusion.csv confusion.png curves.png last.ckpt metrics.json report.html results.csv summary.json"; got != want {
				t.Errorf("files %s, want %s", got, want)
			}
			lines := strings.Split(strings.TrimSpace(string(read(t, c.Out, ResultsFile))), "\n")
			if len(lines) != 21 || lines[0] != "epoch,train_loss,train_acc,val_loss,val_acc,lr,seconds,images_per_s" {
				t.Errorf("results.csv has %d lines, the first %q", len(lines), lines[0])
			}
			var summary Result
			if err := json.Unmarshal(read(t, c.Out, SummaryFile), &summary); err != nil || summary.Best != r.Best || summary.Schema != Schema {
				t.Errorf("summary.json: %v, %+v", err, summary.Best)
			}
			args, err := ReadConfig(c.Out)
			args.Net, args.Preprocess = c.Net, c.Preprocess
			if err != nil || !reflect.DeepEqual(args, c) {
				t.Errorf("args.json: %v, %+v, want %+v", err, args, c)
			}
		})
	}
}

func read(t testing.TB, dir, file string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, file))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestFitBits: one seed gives one model, whatever the threads, the decoding workers, the instruction set and the processor
// (testdata/fitbits.txt).
func TestFitBits(t *testing.T) {
	data := photos(t, map[string]int{"train": 9, "val": 3})
	var files strings.Builder
	for _, run := range []struct {
		mode      Mode
		optimizer Optimizer
	}{{Heads, LBFGS}, {Heads, "adamw"}, {Full, "adamw"}, {Full, "sgd"}} {
		t.Run(string(run.mode)+" "+string(run.optimizer), func(t *testing.T) {
			type variant struct {
				threads, workers int
				isa              string
			}
			want, variants := "", []variant{{1, 1, ""}, {2, 3, ""}}
			for i, isa := range otherSets(t) {
				if testing.Short() {
					break // make test and test-bits run them
				}
				variants = append(variants, variant{2, 1 + i%2, isa})
			}
			for _, v := range variants {
				if v.isa != "" {
					t.Setenv("REGRAFT_ISA", v.isa)
				}
				c := narrowRun(t, run.mode, data)
				d := Defaults(run.mode, run.optimizer)
				c.Optimizer, c.LearningRate, c.Batch, c.Schedule, c.WeightDecay = d.Optimizer, d.LearningRate, 8, d.Schedule, d.WeightDecay
				c.Threads, c.Workers, c.Epochs = v.threads, v.workers, 2
				if run.mode == Full {
					c.Augment = "standard+vflip"
				}
				if _, err := Fit(context.Background(), c, Silent{}); err != nil {
					t.Fatal(err)
				}
				got := sum(t, filepath.Join(c.Out, BestFile))
				if want == "" {
					want = got
					fmt.Fprintln(&files, want, run.mode, run.optimizer)
				}
				if got != want {
					t.Errorf("%d threads, %d workers, ISA %q: %s, want %s", v.threads, v.workers, v.isa, got, want)
				}
			}
		})
	}
	golden.Text(t, "testdata/fitbits.txt", files.String())
}

// otherSets names the instruction sets of this machine beside the one that is used.
func otherSets(t *testing.T) (names []string) {
	t.Helper()
	sets, err := kernel.Usable()
	if err != nil {
		t.Fatal(err)
	}
	for _, set := range sets[1:] {
		names = append(names, set.Name)
	}
	return names
}

// stopper cancels the run after so many steps of training.
type stopper struct {
	Silent
	cancel context.CancelFunc
	steps  int
	phase  Phase
}

func (s *stopper) Phase(p Phase, _, _ int) { s.phase = p }

func (s *stopper) Advanced(photos int, _ float64) {
	if s.phase != PhaseTrain || photos == 0 {
		return
	}
	if s.steps--; s.steps == 0 {
		s.cancel()
	}
}

// TestResumeBits: a run that is interrupted, wherever, and resumed ends with the very model of a straight one.
func TestResumeBits(t *testing.T) {
	data := photos(t, map[string]int{"train": 9, "val": 3})
	for _, run := range []struct {
		mode      Mode
		optimizer Optimizer
		stops     []int
	}{
		{Full, "adamw", []int{1, 4}}, // in the first epoch, and later in the second
		{Full, "rmsprop", []int{5}},
		{Full, "sgd", []int{3}}, // at the end of an epoch, before its validation
		{Heads, LBFGS, []int{2, 1}},
		{Heads, "adam", []int{3}},
	} {
		t.Run(string(run.mode)+" "+string(run.optimizer), func(t *testing.T) {
			config := func() Config {
				c := narrowRun(t, run.mode, data)
				d := Defaults(run.mode, run.optimizer)
				c.Optimizer, c.LearningRate, c.Schedule, c.WeightDecay, c.Momentum, c.Batch = d.Optimizer, d.LearningRate, d.Schedule, d.WeightDecay, d.Momentum, 8
				return c
			}
			straight, c := config(), config()
			fit(t, straight)
			for _, steps := range run.stops {
				ctx, cancel := context.WithCancel(context.Background())
				_, err := Fit(ctx, c, &stopper{cancel: cancel, steps: steps})
				cancel()
				var interrupted *InterruptedError
				if !errors.As(err, &interrupted) || interrupted.Out != c.Out {
					t.Fatalf("after %d steps: %v", steps, err)
				}
				c.Resume = true
			}
			r := fit(t, c)
			if got, want := sum(t, r.Model), sum(t, filepath.Join(straight.Out, BestFile)); got != want {
				t.Errorf("resumed %s, straight %s", got, want)
			}
			if len(r.Epochs) != 4 {
				t.Errorf("%d epochs", len(r.Epochs))
			}
		})
	}
}
