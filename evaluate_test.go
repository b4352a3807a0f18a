package regraft_test

import (
	"context"
	"errors"
	"fmt"
	"image/color"
	"os"
	"path/filepath"
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
