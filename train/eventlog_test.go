package train

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"image/png"
	"math"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"regraft/golden"
)

// logged is what an event of a log says.
type logged struct {
	step    uint64
	tag     string
	scalar  float32
	text    string
	picture []byte
}

// loggedIn reads a log by the formats' descriptions: records of TensorFlow, of messages Event.
func loggedIn(t *testing.T, file []byte) (all []logged) {
	t.Helper()
	for len(file) > 0 {
		n := binary.LittleEndian.Uint64(file)
		e := fieldsOf(t, file[12:12+n])
		file = file[16+n:]
		if e[5] == nil { // no summary: the version
			continue
		}
		value := fieldsOf(t, fieldsOf(t, e[5])[1])
		l := logged{tag: string(value[1])}
		if len(e[2]) > 0 {
			l.step, _ = protowire.ConsumeVarint(e[2])
		}
		if bits := value[2]; bits != nil {
			l.scalar = math.Float32frombits(binary.LittleEndian.Uint32(bits))
		}
		if picture := value[4]; picture != nil {
			l.picture = fieldsOf(t, picture)[4]
		}
		if tensor := value[8]; tensor != nil {
			l.text = string(fieldsOf(t, tensor)[8])
		}
		all = append(all, l)
	}
	return all
}

// fieldsOf are the last values of each field of a message.
func fieldsOf(t *testing.T, message []byte) map[protowire.Number][]byte {
	t.Helper()
	all := map[protowire.Number][]byte{}
	for len(message) > 0 {
		number, kind, n := protowire.ConsumeTag(message)
		size := protowire.ConsumeFieldValue(number, kind, message[max(n, 0):])
		if n < 0 || size < 0 {
			t.Fatal("a message is damaged")
		}
		if all[number] = message[n : n+size]; kind == protowire.BytesType {
			all[number], _ = protowire.ConsumeBytes(all[number])
		}
		message = message[n+size:]
	}
	return all
}

// TestLog: a run's log has the settings, every figure of every epoch, what is reported, and the confusion matrix; resumed behind its
// end, it begins anew with all of that.
func TestLog(t *testing.T) {
	c := narrowRun(t, Heads, photos(t, map[string]int{"train": 4, "val": 2, "test": 3}))
	c.TensorBoard, c.Smoothing, c.Epochs = true, 0.125, 3
	r := fit(t, c)
	for i := range 2 {
		all := loggedIn(t, read(t, c.Out, EventsFile))
		if all[0].tag != "settings" || all[0].step != 0 || !strings.HasPrefix(all[0].text, "| setting | value |\n|---|---|\n") || !strings.Contains(all[0].text, "\n| smoothing | 0.125 |\n") {
			t.Errorf("%+v", all[0])
		}
		count := map[string]int{}
		for _, l := range all {
			count[l.tag]++
			if want := r.Epochs[max(l.step, 1)-1]; l.tag == "loss/val" && l.scalar != float32(want.ValLoss) || l.tag == "accuracy/train" && l.scalar != float32(want.TrainAcc) {
				t.Errorf("%+v, want %+v", l, want)
			}
		}
		last := all[len(all)-1]
		if _, err := png.Decode(bytes.NewReader(last.picture)); err != nil || last.tag != "confusion" || int(last.step) != r.Best.Number {
			t.Errorf("%v, the last is %s of step %d", err, last.tag, last.step)
		}
		if count["loss/val"] != 3 || count["loss/train"] != 3 || count["accuracy/best_on_test"] != 1 || count["settings"] != 1 || count["confusion"] != 1 {
			t.Errorf("resumed %d times: %v", i, count)
		}
		c.Resume = true
		fit(t, c)
	}
}

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
