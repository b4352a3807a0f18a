package cli

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// trainArgs trains the narrow network for a few small steps, without a report.
func trainArgs(data, out string, more ...string) []string {
	args := []string{"train", "--model", model, "--data", data, "--out", out, "--epochs", "3", "--no-report"}
	if !slices.Contains(more, "heads") {
		args = append(args, "--mode", "full", "--batch-size", "4", "--lr", "1e-3")
	}
	return append(append(args, plain...), more...)
}

// TestTrainToEnd is the way of a user: train, evaluate, classify, look at the file.
func TestTrainToEnd(t *testing.T) {
	data := dataset(t, 6, 2)
	for _, mode := range []string{"heads", "full"} {
		out := filepath.Join(t.TempDir(), "run")
		r := must(t, slices.DeleteFunc(trainArgs(data, out, "--mode", mode), func(arg string) bool { return arg == "--no-report" })...)
		for _, says := range []string{"epoch   1/3", "loss", "val", "ETA", "precision", "row: true class", "next: regraft classify"} {
			if !strings.Contains(r.stdout, says) {
				t.Errorf("%s: standard output does not say %q:\n%s", mode, says, r.stdout)
			}
		}
		if trunk := strings.Contains(r.stdout, "trunk before"); trunk != (mode == "heads") {
			t.Errorf("%s: the trunk's hash is told: %v", mode, trunk)
		}
		for _, f := range []string{"best.onnx", "last.ckpt", "results.csv", "args.json", "summary.json", "confusion.csv", "confusion.png", "curves.png", "metrics.json", "report.html", "MODEL_CARD.md"} {
			if _, err := os.Stat(filepath.Join(out, f)); err != nil {
				t.Errorf("%s: %v", mode, err)
			}
		}
		best := filepath.Join(out, "best.onnx")
		must(t, "eval", "--model", best, "--data", data)
		classified := must(t, "classify", "--model", best, filepath.Join(data, "test"))
		if n := strings.Count(classified.stdout, "\n"); n != 6 || classified.stderr != "" {
			t.Errorf("%s: %d lines, warnings %q: the file should know its preprocessing", mode, n, classified.stderr)
		}
		if !strings.Contains(must(t, "inspect", best).stdout, "street") {
			t.Errorf("%s: the labels are not in the file", mode)
		}
	}
}

// TestTrainJSON: one object a line for every event.
func TestTrainJSON(t *testing.T) {
	r := must(t, trainArgs(dataset(t, 4, 2), filepath.Join(t.TempDir(), "run"), "--json", "--quiet")...)
	var events []string
	for _, e := range lines[trainEventJSON](t, r.stdout) {
		if e.Schema != trainSchema {
			t.Errorf("schema %q", e.Schema)
		}
		events = append(events, e.Event)
	}
	if got := strings.Join(events, " "); got != "start memory epoch epoch epoch done" {
		t.Errorf("events %q", got)
	}
	if r.stderr != "" {
		t.Errorf("--quiet prints %q", r.stderr)
	}
}

// interruptor sends this process a signal when the first epoch's line has been written.
type interruptor struct {
	bytes.Buffer
	signal syscall.Signal
	sent   bool
}

func (w *interruptor) Write(p []byte) (int, error) {
	if !w.sent && bytes.Contains(p, []byte("epoch   1/")) {
		w.sent = true
		self, err := os.FindProcess(os.Getpid())
		if err == nil {
			err = self.Signal(w.signal)
		}
		if err != nil {
			return 0, err
		}
	}
	return w.Buffer.Write(p)
}

var _ io.Writer = (*interruptor)(nil)

// TestInterrupt stops a training by a signal and resumes it: the model has the bits of a run that
// nobody disturbed.
func TestInterrupt(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long")
	}
	if runtime.GOOS == "windows" {
		t.Skip("a process cannot signal itself here")
	}
	data := dataset(t, 8, 2)
	whole := filepath.Join(t.TempDir(), "whole")
	must(t, trainArgs(data, whole, "--epochs", "6")...)
	for signal, status := range map[syscall.Signal]int{syscall.SIGINT: statusInterrupted, syscall.SIGTERM: statusTerminated} {
		out := filepath.Join(t.TempDir(), "run")
		stdout := &interruptor{signal: signal}
		var stderr bytes.Buffer
		if got := Run(trainArgs(data, out, "--epochs", "6"), nil, stdout, &stderr); got != status {
			t.Fatalf("%v: exit status %d, want %d: %s", signal, got, status, stderr.String())
		}
		if !strings.Contains(stderr.String(), "--resume") {
			t.Errorf("%v: standard error does not say how to go on: %s", signal, stderr.String())
		}
		if _, err := os.Stat(filepath.Join(out, "last.ckpt")); err != nil {
			t.Fatalf("%v: %v", signal, err)
		}
		must(t, trainArgs(data, out, "--epochs", "6", "--resume")...)
		if a, b := parameters(t, whole), parameters(t, out); !bytes.Equal(a, b) {
			t.Errorf("%v: the resumed run ends with other weights", signal)
		}
	}
}

// parameters is the model's file, whose bytes are a function of the training.
func parameters(t *testing.T, out string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(out, "best.onnx"))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestTrainSameBits: the number of threads and of decoding workers does not change the model.
func TestTrainSameBits(t *testing.T) {
	data := dataset(t, 5, 2)
	for _, mode := range []string{"heads", "full"} {
		var first []byte
		for _, n := range []string{"1", "3"} {
			out := filepath.Join(t.TempDir(), "run")
			must(t, trainArgs(data, out, "--mode", mode, "-t", n, "-j", n, "--augment", "flip")...)
			if first == nil {
				first = parameters(t, out)
			} else if !bytes.Equal(first, parameters(t, out)) {
				t.Errorf("%s: %s threads and workers give another model", mode, n)
			}
		}
	}
}

// TestResumeByFolder: --out and --resume are enough; everything else is in args.json, and flags that contradict it are refused.
func TestResumeByFolder(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long")
	}
	data, out := dataset(t, 4, 2), filepath.Join(t.TempDir(), "run")
	must(t, trainArgs(data, out, "--opt", "sgd", "--seed", "9", "--epochs", "2", "--smoothing", "0.1", "--input-size", "64x71")...)
	r := must(t, "train", "-o", out, "--resume", "--epochs", "3")
	if !strings.Contains(r.stdout, "epoch   3/3") || strings.Contains(r.stdout, "epoch   2/3") || strings.Contains(r.stderr, "instead of") {
		t.Errorf("%s%s", r.stdout, r.stderr)
	}
	straight := filepath.Join(t.TempDir(), "run")
	must(t, trainArgs(data, straight, "--opt", "sgd", "--seed", "9", "--epochs", "2", "--smoothing", "0.1", "--input-size", "64x71")...)
	must(t, trainArgs(data, straight, "--opt", "sgd", "--seed", "9", "--epochs", "3", "--smoothing", "0.1", "--input-size", "64x71", "--resume", "--warmup-epochs", "1")...)
	if !bytes.Equal(parameters(t, out), parameters(t, straight)) {
		t.Error("the run that was resumed by its folder ends with other weights")
	}
	for says, flag := range map[string][]string{
		"lr was 0.001 and is 1":          {"--lr", "1"},
		`mode was "full" and is "heads"`: {"--mode", "heads"},
		"image_mean":                     {"--mean", "0.5"},
		"seed was 9 and is 1":            {"--seed", "1"},
	} {
		wrong{says, append([]string{"train", "-q", "-o", out, "--resume"}, flag...), statusUsage, says}.check(t, "")
	}
	wrong{"no run", []string{"train", "-o", filepath.Join(out, "none"), "--resume"}, statusUsage, "--model and --data are missing"}.check(t, "")
}

// TestArgsRecord: what decides the result is in args.json.
func TestArgsRecord(t *testing.T) {
	out := filepath.Join(t.TempDir(), "run")
	must(t, trainArgs(dataset(t, 3, 2), out, "--seed", "7", "--wd", "0.25", "--opt", "sgd", "--epochs", "1")...)
	data, err := os.ReadFile(filepath.Join(out, "args.json"))
	if err != nil {
		t.Fatal(err)
	}
	var args map[string]any
	if err := json.Unmarshal(data, &args); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]any{"seed": 7.0, "weight_decay": 0.25, "opt": "sgd", "mode": "full", "epochs": 1.0} {
		if args[key] != want {
			t.Errorf("args.json: %s is %v, want %v", key, args[key], want)
		}
	}
}
