package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// stateDict is a narrow ResNet-18 of PyTorch, 7 classes, 64 x 64 pixels.
const stateDict = "../weights/testdata/resnet18.pth"

func init() {
	for _, command := range []string{"import", "export", "weights", "weights list", "weights pull"} {
		screens[command] = 24
	}
}

// imported imports the state dict and returns the file.
func imported(t *testing.T, args ...string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "model.onnx")
	must(t, append([]string{"import", stateDict, "--arch", "resnet18", "--input-size", "64", "--out", out}, args...)...)
	return out
}

// decode reads an object of --json and checks its fields.
func decode(t *testing.T, text, schema, names string) map[string]any {
	t.Helper()
	var object map[string]any
	if err := json.Unmarshal([]byte(text), &object); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	if object["schema"] != schema {
		t.Errorf("schema %v, want %s", object["schema"], schema)
	}
	have := fields(object, "")
	for _, field := range strings.Fields(names) {
		if !slices.Contains(have, field) {
			t.Errorf("field %s is missing in %s", field, text)
		}
	}
	return object
}

// TestImport makes a file that trains and classifies.
func TestImport(t *testing.T) {
	labels := filepath.Join(t.TempDir(), "labels.txt")
	write(t, labels, []byte("a\nb\nc\nd\ne\nf\ng\n"))
	file := imported(t, "--labels", labels, "--mean", "0.1,0.2,0.3", "--std", "1,1,1")
	r := must(t, "inspect", file, "--json")
	v := decode(t, r.stdout, "regraft/inspect/1", "preprocess labels")
	if v["batchnorm"] != "trainable" || v["arch"] != "resnet18" || v["dialect"] != "regraft" || len(v["labels"].([]any)) != 7 {
		t.Errorf("%s", r.stdout)
	}
	if !strings.Contains(r.stdout, `"image_mean":[0.1,0.2,0.3]`) {
		t.Errorf("the mean was not stored: %s", r.stdout)
	}
	data := dataset(t, 2, 1)
	out := filepath.Join(t.TempDir(), "run")
	must(t, "train", "--model", file, "--data", data, "--out", out, "--epochs", "1", "--mode", "full", "--quiet")
	must(t, "classify", "--model", filepath.Join(out, "best.onnx"), filepath.Join(data, "test"))
}

func TestImportJSON(t *testing.T) {
	out := filepath.Join(t.TempDir(), "model.onnx")
	r := must(t, "import", stateDict, "--arch", "resnet18", "--input-size", "64", "--out", out, "--json")
	v := decode(t, r.stdout, "regraft/import/1", "out format arch classes outputs parameters labels preprocess missing unexpected notes[]")
	if v["format"] != "pth" || v["classes"] != 7.0 || v["labels"] != false {
		t.Errorf("%s", r.stdout)
	}
}

// TestImportONNX: an ONNX file becomes one of ours.
func TestImportONNX(t *testing.T) {
	out := filepath.Join(t.TempDir(), "model.onnx")
	r := must(t, "import", inception, "--out", out, "--arch", "inception_v3", "--mean", "0.5,0.5,0.5", "--std", "0.5,0.5,0.5")
	if !strings.Contains(r.stdout, "inception_v3 from onnx") || !strings.Contains(r.stdout, "2 outputs") {
		t.Errorf("%s", r.stdout)
	}
	v := decode(t, must(t, "inspect", out, "--json").stdout, "regraft/inspect/1", "")
	if v["arch"] != "inception_v3" || v["preprocess"] == nil {
		t.Errorf("%v", v)
	}
}

// TestImportExternalData makes one file of a model and the weights beside it.
func TestImportExternalData(t *testing.T) {
	dir := t.TempDir()
	source, out := filepath.Join(dir, "small.dyn.onnx"), filepath.Join(dir, "out", "model.onnx")
	for _, name := range []string{"small.dyn.onnx", "small.dyn.onnx.data"} {
		data, err := os.ReadFile(filepath.Join("..", "onnx", "testdata", "external", name))
		if err != nil {
			t.Fatal(err)
		}
		write(t, filepath.Join(dir, name), data)
	}
	write(t, out, nil) // makes the folder
	must(t, "import", source, "--out", out, "--input-size", "20")
	must(t, "verify", out, "--against", "../onnx/testdata/external/small.dyn.npz")
	if err := os.Remove(source + ".data"); err != nil {
		t.Fatal(err)
	}
	if r := run(t, "inspect", source); r.status != statusModel || !strings.Contains(r.stderr, "must lie beside the .onnx file") {
		t.Errorf("exit status %d: %s", r.status, r.stderr)
	}
}

func TestImportWrong(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	t.Setenv("HOME", t.TempDir())
	dir := t.TempDir()
	out := filepath.Join(dir, "model.onnx")
	text := filepath.Join(dir, "a.pth")
	write(t, text, []byte("hello"))
	for _, c := range []struct {
		args   []string
		status int
		want   string
	}{
		{[]string{"import"}, statusUsage, "which source"},
		{[]string{"import", stateDict}, statusUsage, "--out is missing"},
		{[]string{"import", stateDict, "--out", out, "--arch", "resnet19"}, statusUsage, "resnet18"},
		{[]string{"import", stateDict, "--out", out}, statusModel, "of another shape"},
		{[]string{"import", stateDict, "--out", out, "--arch", "vgg16"}, statusModel, "missing"},
		{[]string{"import", text, "--out", out}, statusModel, "text file"},
		{[]string{"import", filepath.Join(dir, "none.pth"), "--out", out}, statusModel, "none.pth"},
		{[]string{"import", "resnet50", "--out", out}, statusModel, "regraft weights pull resnet50"},
		{[]string{"import", stateDict, "--arch", "resnet18", "--out", out, "--mean", "1,2"}, statusUsage, "--mean"},
		{[]string{"import", stateDict, "--arch", "resnet18", "--out", out, "--labels", text}, statusModel, "1 labels for 7 classes"},
		{[]string{"import", stateDict, "--arch", "resnet18", "--out", out, "--labels", out}, statusData, "model.onnx"},
		{[]string{"import", stateDict, "--arch", "resnet18", "--out", filepath.Join(dir, "no", "model.onnx")}, statusFailed, "model.onnx"},
		{[]string{"weights", "pull"}, statusUsage, "which weights"},
		{[]string{"weights", "pull", "resnet19"}, statusUsage, "resnet19"},
		{[]string{"export", model}, statusUsage, "--out is missing"},
		{[]string{"export", model, "--out", out, "--opset", "12"}, statusUsage, "13"},
		{[]string{"export", model, "--out", out, "--opset", "21"}, statusUsage, "20"},
		{[]string{"export", model, "--out", out, "--form", "both"}, statusUsage, "eval"},
		{[]string{"export", text, "--out", out}, statusModel, "text file"},
	} {
		r := run(t, c.args...)
		if r.status != c.status || !strings.Contains(r.stderr, c.want) {
			t.Errorf("regraft %s: exit status %d, want %d; %q should say %q", strings.Join(c.args, " "), r.status, c.status, r.stderr, c.want)
		}
		if _, err := os.Stat(out); err == nil {
			t.Fatalf("regraft %s left a file", strings.Join(c.args, " "))
		}
	}
}

// TestPulled: weights in the cache are told by list, and import knows them by name.
func TestPulled(t *testing.T) {
	cache := t.TempDir()
	t.Setenv("XDG_CACHE_HOME", cache)
	t.Setenv("HOME", cache)
	t.Setenv("LocalAppData", cache)
	lines := strings.Split(strings.TrimSpace(must(t, "weights", "list", "--json").stdout), "\n")
	var file string
	for _, line := range lines {
		v := decode(t, line, "regraft/weights/1", "name arch url sha256_prefix bytes preprocess path")
		if v["path"] != "" {
			t.Errorf("%s is in an empty cache", v["name"])
		}
		if v["name"] == "resnet18" {
			file = filepath.Base(v["url"].(string))
		}
	}
	if len(lines) < 10 || file == "" {
		t.Fatalf("%d sources", len(lines))
	}
	data, err := os.ReadFile(stateDict)
	if err != nil {
		t.Fatal(err)
	}
	path, err := sourceFile("resnet18")
	if err == nil {
		t.Fatalf("%s is there", path)
	}
	base, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(base, "regraft", "weights", file), data)
	if list := must(t, "weights", "list").stdout; !strings.Contains(list, "here") {
		t.Errorf("%s", list)
	}
	must(t, "import", "resnet18", "--arch", "resnet18", "--input-size", "64", "--out", filepath.Join(t.TempDir(), "model.onnx"))
}

// TestExport: both forms give the same answers as the model, in every opset and in half the size.
func TestExport(t *testing.T) {
	file := imported(t)
	photos := filepath.Join(dataset(t, 0, 1), "test")
	classify := func(path string) []float64 {
		var logits []float64
		for _, line := range strings.Split(strings.TrimSpace(must(t, "classify", "--model", path, "--logits", "--format", "jsonl", photos).stdout), "\n") {
			var v struct{ Logits []float64 }
			if err := json.Unmarshal([]byte(line), &v); err != nil {
				t.Fatal(err)
			}
			logits = append(logits, v.Logits...)
		}
		return logits
	}
	want := classify(file)
	size := func(path string) int64 {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	for _, c := range []struct {
		args      string
		batchnorm string
		tolerance float64
	}{
		{"--form eval", "folded", 1e-4},
		{"--form train", "trainable", 1e-4},
		{"--form eval --opset 13", "folded", 1e-4},
		{"--form train --opset 20", "trainable", 1e-4},
		{"--form eval --fp16", "folded", 0.02}, // a float16 has 11 binary digits
	} {
		out := filepath.Join(t.TempDir(), "out.onnx")
		must(t, append([]string{"export", file, "--out", out}, strings.Fields(c.args)...)...)
		v := decode(t, must(t, "inspect", out, "--json").stdout, "regraft/inspect/1", "")
		if v["batchnorm"] != c.batchnorm {
			t.Errorf("%s: BatchNorm %v", c.args, v["batchnorm"])
		}
		got := classify(out)
		largest := slices.Max(want)
		for i := range want {
			if d := got[i] - want[i]; d > c.tolerance*largest || -d > c.tolerance*largest {
				t.Errorf("%s: logit %d is %v, want %v", c.args, i, got[i], want[i])
			}
		}
		if strings.Contains(c.args, "fp16") && size(out) > size(file)*7/10 {
			t.Errorf("%d bytes as float16, %d before", size(out), size(file))
		}
	}
}
