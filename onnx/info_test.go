package onnx

import (
	"encoding/json"
	"math"
	"path/filepath"
	"strings"
	"testing"
)

// TestDialects tells the exporters' files apart and what was done to BatchNorm.
func TestDialects(t *testing.T) {
	folder, list := fixtures(t)
	batchNorm := map[string]BatchNorm{ // by family, for files in which it is not folded
		"alexnet": "none", "squeezenet1_0": "none", "squeezenet1_1": "none",
		"zoo_form": "trainable",
	}
	for _, f := range list {
		net, info, err := Read(filepath.Join(folder, f.Name+".onnx"), ReadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		mode := "-eval"
		if f.Train {
			mode = "-train"
		}
		dialect := map[string]Dialect{"ts113": Dialect("torchscript" + mode), "ts": Dialect("torchscript" + mode), "dyn": Dialect("dynamo" + mode), "hand": "other"}[f.Tool]
		if info.Dialect != dialect {
			t.Errorf("%s: dialect %s, want %s", f.Name, info.Dialect, dialect)
		}
		family, _, _ := strings.Cut(f.Name, ".")
		want := batchNorm[family]
		switch {
		case want != "":
		case strings.Contains(f.Name, "noopt"), strings.Contains(f.Name, "preserve"), f.Train && f.Tool != "dyn":
			want = "trainable"
		default:
			want = "folded"
		}
		if info.BatchNorm != want {
			t.Errorf("%s: BatchNorm %s, want %s", f.Name, info.BatchNorm, want)
		}
		if transform := strings.Contains(f.Name, ".transform"); transform != (info.Transform != nil) {
			t.Errorf("%s: transform %v", f.Name, info.Transform)
		}
		parameters := 0
		for _, p := range net.Params {
			if p.Trainable() {
				parameters += len(p.Value)
			}
		}
		if info.Parameters != parameters || parameters == 0 {
			t.Errorf("%s: %d parameters, want %d", f.Name, info.Parameters, parameters)
		}
		advice := strings.Join(info.Advice, "\n")
		if export := strings.Contains(advice, "torch.onnx.export("); export != (want == "folded" || dialect == "torchscript-eval") {
			t.Errorf("%s: the advice is %s", f.Name, advice)
		}
	}
}

// TestWarnings lists what surprises people about a file.
func TestWarnings(t *testing.T) {
	for _, c := range []struct {
		mention string
		build   func(m *testModel)
	}{
		{"channels-last", spellings[0].build},
		{"multiplied by", func(m *testModel) {
			m.node("Mul", []string{"x", m.scalar("s", 0.5)}, "y")
		}},
		{"probabilities", func(m *testModel) {
			m.node("Flatten", []string{"x"}, "f")
			m.node("Softmax", []string{"f"}, "y")
		}},
		{"1001 classes", func(m *testModel) {
			m.node("Flatten", []string{"x"}, "f")
			m.node("MatMul", []string{"f", m.float("w", 192, 1001)}, "y")
		}},
		{`"fc.weight" holds infinite`, func(m *testModel) {
			values := ramp(192)
			values[17] = float32(math.Inf(-1))
			m.tensors = append(m.tensors, floatTensor("fc.weight", []int{192, 1}, values...))
			m.node("Flatten", []string{"x"}, "f")
			m.node("MatMul", []string{"f", "fc.weight"}, "y")
		}},
	} {
		m := chainModel("y")
		c.build(&m)
		_, info, err := ReadBytes(m.bytes(), ReadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if len(info.Warnings) != 1 || !strings.Contains(info.Warnings[0], c.mention) {
			t.Errorf("warnings %q, want one that mentions %q", info.Warnings, c.mention)
		}
	}
}

// TestSoftmaxOverImages: what a Softmax over the batch gives is no probabilities of classes.
func TestSoftmaxOverImages(t *testing.T) {
	for _, opType := range []string{"Softmax", "LogSoftmax"} {
		m := chainModel("y")
		m.node("Flatten", []string{"x"}, "f")
		m.node(opType, []string{"f"}, "y", intAttribute("axis", 0))
		if _, info, err := ReadBytes(m.bytes(), ReadOptions{}); err != nil || len(info.Warnings) > 0 {
			t.Errorf("warnings %q, %v", info.Warnings, err)
		}
	}
}

// TestInfoJSON checks the fields that other programs rely on.
func TestInfoJSON(t *testing.T) {
	_, info, err := Read(filepath.Join("testdata", "zoo_form.hand.op9.onnx"), ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(info)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"ir_version":3`, `"opset":9`, `"dialect":"other"`, `"inputs":[{"name":"data_0","shape":[`, `"dtype":"float32"`, `"operators":{"Add":2,`, `"batchnorm":"trainable"`} {
		if !strings.Contains(string(data), want) {
			t.Errorf("%s lacks %s", data, want)
		}
	}
	open, err := json.Marshal([]Dim{{Size: 3}, {Name: "batch"}, {}})
	if err != nil || string(open) != `[3,"batch","?"]` {
		t.Errorf("dimensions become %s (%v)", open, err)
	}
}

// TestNoNodes: the exporter of a file without nodes is told from its name alone.
func TestNoNodes(t *testing.T) {
	if got := dialect(&modelProto{producerName: "pytorch"}, nil); got != "torchscript-eval" {
		t.Errorf("dialect %s", got)
	}
}
