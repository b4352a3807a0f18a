package weights_test

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"regraft/engine"
	"regraft/onnx"
	"regraft/weights"
)

// forms are the exports that are checked, with the relative error that their logits may have.
var forms = []struct {
	name      string
	options   onnx.ExportOptions
	tolerance string
}{
	{"eval13", onnx.ExportOptions{Opset: 13}, "1e-4"},
	{"eval20", onnx.ExportOptions{Opset: 20}, "1e-4"},
	{"train", onnx.ExportOptions{Training: true}, "1e-4"},
	{"train18", onnx.ExportOptions{Training: true, Opset: 18}, "1e-4"},
	{"half", onnx.ExportOptions{Half: true}, "0.02"}, // a float16 has 11 binary digits
}

// checkExports lets onnx.checker and ONNX Runtime judge every form of the network.
func (s state) checkExports(t *testing.T, net *engine.Network) {
	t.Helper()
	dir := t.TempDir()
	args := []string{filepath.Join("..", "scripts", "check_onnx.py"), s.npz}
	for _, f := range forms {
		path := filepath.Join(dir, f.name+".onnx")
		if err := onnx.Export(path, net, f.options); err != nil {
			t.Fatal(err)
		}
		args = append(args, path+"="+f.tolerance)
	}
	out, err := exec.Command(python(t), args...).CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	for line := range strings.Lines(strings.ReplaceAll(string(out), dir+string(filepath.Separator), "")) {
		t.Log(strings.TrimSpace(line))
	}
	if n := strings.Count(string(out), "relative error"); n != len(forms) {
		t.Errorf("%d files were checked, want %d", n, len(forms))
	}
}

// TestExports checks the forms of a narrow network.
func TestExports(t *testing.T) {
	python(t)
	s := stateIn(t, "testdata", "resnet18")
	s.checkExports(t, s.imported(t, weights.Options{Arch: "resnet18", Size: 64}))
}
