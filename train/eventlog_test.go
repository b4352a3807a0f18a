package train

import (
	"context"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"testing"

	"regraft/golden"
)

// TestEventsOfRun: TensorBoard shows every epoch of a run once, interrupted and resumed or not, its settings and the confusion matrix.
func TestEventsOfRun(t *testing.T) {
	python := golden.Python(t, "import tensorboard.backend.event_processing.event_accumulator")
	const reading = `
import json, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
a = EventAccumulator(sys.argv[1], size_guidance={"images": 0, "tensors": 0, "scalars": 0}).Reload()
tags = a.Tags()
print(json.dumps({
  "loss": [[e.step, e.value] for e in a.Scalars("loss/val")], "test": [e.value for e in a.Scalars("accuracy/best_on_test")],
  "settings": a.Tensors("settings")[0].tensor_proto.string_val[0].decode(), "pictures": len(a.Images("confusion")),
}))`
	c := narrowRun(t, Full, photos(t, map[string]int{"train": 8, "val": 3, "test": 4}))
	c.TensorBoard = true
	whole := fit(t, c)
	other := c
	other.Out = filepath.Join(t.TempDir(), "interrupted")
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := Fit(ctx, other, &stopper{cancel: cancel, steps: 5}); err == nil { // in the second epoch
		t.Fatal("the run was not interrupted")
	}
	other.Resume = true
	fit(t, other)
	for _, out := range []string{c.Out, other.Out} {
		text, err := exec.Command(python, "-W", "ignore", "-c", reading, out).Output()
		if err != nil {
			t.Fatal(err)
		}
		var got struct {
			Loss     [][2]float64
			Test     []float64
			Settings string
			Pictures int
		}
		if err := json.Unmarshal(text, &got); err != nil {
			t.Fatal(err)
		}
		if len(got.Loss) != len(whole.Epochs) || len(got.Test) != 1 || got.Pictures != 1 || got.Settings[:21] != "| setting | value |\n|" {
			t.Fatalf("%+v", got)
		}
		for i, l := range got.Loss {
			if int(l[0]) != i+1 || float32(l[1]) != float32(whole.Epochs[i].ValLoss) {
				t.Errorf("epoch %d: %v, want loss %g", i+1, l, whole.Epochs[i].ValLoss)
			}
		}
	}
}

// TestMetrics: MLflow takes metrics.json as it is.
func TestMetrics(t *testing.T) {
	c := narrowRun(t, Heads, photos(t, map[string]int{"train": 8, "test": 2}))
	r := fit(t, c)
	var all []figure
	if err := json.Unmarshal(read(t, c.Out, MetricsFile), &all); err != nil || len(all) != 6*len(r.Epochs)+2 {
		t.Fatalf("%d metrics, %v", len(all), err)
	}
	if f := all[len(all)-2]; f.Key != "accuracy/best_on_test" || f.Value != r.Report.Accuracy || f.Step != r.Best.Number || f.Timestamp < all[0].Timestamp {
		t.Errorf("%+v", f)
	}
	python := golden.Python(t, "import mlflow.entities")
	const logging = `
import json, sys, mlflow
mlflow.set_tracking_uri("file:" + sys.argv[2])
client = mlflow.MlflowClient()
run = client.create_run(client.create_experiment("regraft"))
client.log_batch(run.info.run_id, metrics=[mlflow.entities.Metric(**m) for m in json.load(open(sys.argv[1]))])
print(len(client.get_metric_history(run.info.run_id, "loss/train")))`
	cmd := exec.Command(python, "-W", "ignore", "-c", logging, filepath.Join(c.Out, MetricsFile), t.TempDir())
	cmd.Env = append(cmd.Environ(), "MLFLOW_ALLOW_FILE_STORE=true", "MLFLOW_DISABLE_TELEMETRY=true")
	out, err := cmd.CombinedOutput()
	if want := "4\n"; err != nil || string(out) != want {
		t.Errorf("%v, %s, want %s", err, out, want)
	}
}
