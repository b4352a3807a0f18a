package onnx

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sbinet/npyio/npz"

	"regraft/engine"
	"regraft/golden"
)

// python runs testdata/reference.py with a Python that has ONNX's tools.
func python(t *testing.T, args ...string) []byte {
	t.Helper()
	interpreter := golden.Python(t, "import numpy, onnx, onnxruntime")
	c := exec.Command(interpreter, append([]string{filepath.Join("testdata", "reference.py")}, args...)...)
	c.Stderr = os.Stderr
	out, err := c.Output()
	if err != nil {
		t.Fatalf("reference.py: %v\n%s", err, out)
	}
	return out
}

// TestRuntime has what Write writes checked by onnx.checker and run by ONNX Runtime.
func TestRuntime(t *testing.T) {
	paths := ownFixtures(t)
	if folder, list := optionalFixtures(t); folder != "" {
		for _, f := range list {
			paths = append(paths, filepath.Join(folder, f.Name))
		}
	}
	var pairs []string
	var networks []*engine.Network
	for i, path := range paths {
		input := golden.Npz(t, absolute(t, path+".npz"))["input"]
		net, _, err := Read(path+".onnx", ReadOptions{Batch: input.Shape[0]})
		if err != nil {
			t.Fatal(err)
		}
		folder := t.TempDir()
		model, reference := filepath.Join(folder, fmt.Sprint(i, ".onnx")), filepath.Join(folder, fmt.Sprint(i, ".npz"))
		if err := Write(model, net); err != nil {
			t.Fatal(err)
		}
		writeReference(t, reference, input, (interpreter{net: net}).run(t, input.Data))
		pairs, networks = append(pairs, model, reference), append(networks, net)
	}
	decoder := json.NewDecoder(bytes.NewReader(python(t, pairs...)))
	for i, net := range networks {
		t.Run(filepath.Base(paths[i]), func(t *testing.T) {
			var verdict struct {
				Outputs  []string
				Distance []float64
			}
			if err := decoder.Decode(&verdict); err != nil {
				t.Fatal(err)
			}
			for i, d := range verdict.Distance {
				if !(d <= 1e-4) || verdict.Outputs[i] != net.Outputs[i].Name {
					t.Errorf("output %d, %s (ONNX Runtime: %s): relative error %.1e, want at most 1e-4", i, net.Outputs[i].Name, verdict.Outputs[i], d)
				}
			}
			if len(verdict.Distance) != len(net.Outputs) {
				t.Errorf("%d outputs, want %d", len(verdict.Distance), len(net.Outputs))
			}
		})
	}
}

// writeReference stores flat arrays with the input's shape beside them.
func writeReference(t *testing.T, path string, input golden.Array, outputs [][]float32) {
	t.Helper()
	w, err := npz.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write("input", input.Data); err != nil {
		t.Fatal(err)
	}
	shape := make([]int64, len(input.Shape))
	for i, d := range input.Shape {
		shape[i] = int64(d)
	}
	if err := w.Write("shape", shape); err != nil {
		t.Fatal(err)
	}
	for i, values := range outputs {
		if err := w.Write(fmt.Sprintf("output_%d", i), values); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

// TestOperatorTable compares the table with ONNX's own definitions.
func TestOperatorTable(t *testing.T) {
	args := []string{"--operators", fmt.Sprint(oldestOpset)}
	var standard []operator
	for _, row := range operators {
		if !strings.Contains(row.name, ".") { // of other domains
			standard = append(standard, row)
			args = append(args, row.name)
		}
	}
	var defined map[string]struct {
		Since    int64
		Operands [2]int
	}
	if err := json.Unmarshal(python(t, args...), &defined); err != nil {
		t.Fatal(err)
	}
	for _, row := range standard {
		d, ok := defined[row.name]
		if !ok {
			t.Errorf("ONNX has no operator %s", row.name)
			continue
		}
		if d.Since != row.since {
			t.Errorf("%s: since opset %d, ONNX says %d", row.name, row.since, d.Since)
		}
		if row.operands != d.Operands {
			t.Errorf("%s: operands %v, ONNX says %v", row.name, row.operands, d.Operands)
		}
	}
}
