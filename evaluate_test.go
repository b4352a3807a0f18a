package regraft_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image/color"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"regraft"
	"regraft/train"
)

// TestEvaluate compares the report with the answers of Classify.
func TestEvaluate(t *testing.T) {
	root := t.TempDir()
	m := open(t, narrow)
	labels := []string{"a", "b", "c"}
	if err := m.SwapHeads(labels, 5); err != nil {
		t.Fatal(err)
	}
	right, total := 0, 0
	for c, label := range labels {
		folder := filepath.Join(root, "val", label)
		if err := os.MkdirAll(folder, 0o777); err != nil {
			t.Fatal(err)
		}
		for i := range 4 {
			file := filepath.Join(folder, fmt.Sprint(i, ".png"))
			if err := os.WriteFile(file, picture(color.RGBA{uint8(70 * c), uint8(60 * i), uint8(200 - 50*i), 255}), 0o666); err != nil {
				t.Fatal(err)
			}
			total++
			if classify(t, m, regraft.File(file))[0].Top(1)[0].Label == label {
				right++
			}
		}
	}
	e, err := m.Evaluate(context.Background(), root, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	if e.Images != total || e.Accuracy != float64(right)/float64(total) || e.Split != "val" || len(e.Labels) != 3 {
		t.Errorf("%d photos of %q, accuracy %g; %d of %d are right", e.Images, e.Split, e.Accuracy, right, total)
	}
	for _, label := range []string{"a", "c"} { // one photo under two labels
		if err := os.WriteFile(filepath.Join(root, "val", label, "twice.png"), picture(color.RGBA{1, 2, 3, 255}), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	var heard warnings
	want := fmt.Sprintf("1 photo lies under different classes, for example %s = %s: whatever the answer, it counts as wrong for one of them",
		filepath.Join(root, "val", "a", "twice.png"), filepath.Join(root, "val", "c", "twice.png"))
	if e, err := m.Evaluate(context.Background(), root, "", &heard); err != nil || e.Images != total+2 || !slices.Contains(heard.lines, want) {
		t.Errorf("one photo under two labels: %v, %d photos, %q", err, e.Images, heard.lines)
	}
	var data *train.DataError
	if _, err := m.Evaluate(context.Background(), root, "test", nil); !errors.As(err, &data) {
		t.Errorf("a part that does not exist: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := m.Evaluate(ctx, root, "", nil); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled call returns %v", err)
	}
}

// warnings keeps what an evaluation warns of.
type warnings struct {
	regraft.Silent
	lines []string
}

func (w *warnings) Warn(message string) { w.lines = append(w.lines, message) }

// TestTrainSilently: events may be nil.
func TestTrainSilently(t *testing.T) {
	m := open(t, narrow)
	cfg := train.Defaults(train.Heads, "")
	cfg.Data, cfg.Out = filepath.Join(t.TempDir(), "nothing"), filepath.Join(t.TempDir(), "out")
	var data *train.DataError
	if _, err := m.Train(context.Background(), cfg, nil); !errors.As(err, &data) {
		t.Errorf("without a folder of photos: %v", err)
	}
}

// TestTrainAsOpened: training computes on the threads and by the algorithm that the model was opened with, where its settings say
// nothing, and keeps a record of both.
func TestTrainAsOpened(t *testing.T) {
	dir := t.TempDir()
	for class, c := range map[string]color.RGBA{"forest": {20, 110, 30, 255}, "sea": {20, 60, 170, 255}} {
		folder := filepath.Join(dir, "photos", class)
		if err := os.MkdirAll(folder, 0o777); err != nil {
			t.Fatal(err)
		}
		for i := range 3 {
			c.R += 10
			if err := os.WriteFile(filepath.Join(folder, fmt.Sprint(i, ".png")), picture(c), 0o666); err != nil {
				t.Fatal(err)
			}
		}
	}
	var weights [2][]byte
	for i, opts := range [][]regraft.Option{{regraft.Threads(1)}, {regraft.Threads(3), regraft.Direct()}} {
		m := open(t, "demo/regraft-mini.onnx", opts...)
		cfg := train.Defaults(train.Heads, "")
		cfg.Data, cfg.Out, cfg.Epochs = filepath.Join(dir, "photos"), filepath.Join(dir, fmt.Sprint("run", i)), 2
		if _, err := m.Train(context.Background(), cfg, nil); err != nil {
			t.Fatal(err)
		}
		args, err := train.ReadConfig(cfg.Out)
		if err != nil || args.Threads != 1+2*i || args.Direct != (i == 1) {
			t.Errorf("run %d: %v, %d threads, direct %t", i, err, args.Threads, args.Direct)
		}
		if weights[i], err = os.ReadFile(filepath.Join(cfg.Out, "best.onnx")); err != nil {
			t.Fatal(err)
		}
	}
	if bytes.Equal(weights[0], weights[1]) {
		t.Error("without Winograd's algorithm the heads have the same bits as with it")
	}
}
