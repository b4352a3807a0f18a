package weights_test

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"regraft/engine"
	"regraft/onnx"
	"regraft/photo"
	"regraft/weights"
)

// form is an export that is checked, with the relative error that its logits may have.
type form struct {
	name      string
	options   onnx.ExportOptions
	tolerance string
}

const halfTolerance = "0.04" // a float16 has 11 binary digits; measured: up to 0.019, in resnet50 with its random weights

// forms are the ones that every family is checked in.
var forms = []form{
	{"eval13", onnx.ExportOptions{Opset: 13}, "1e-4"},
	{"eval20", onnx.ExportOptions{Opset: 20}, "1e-4"},
	{"train", onnx.ExportOptions{Training: true}, "1e-4"},
	{"train18", onnx.ExportOptions{Training: true, Opset: 18}, "1e-4"},
	{"half", onnx.ExportOptions{Half: true}, halfTolerance},
}

// checkExports lets onnx.checker and ONNX Runtime judge every form of the network.
func (s state) checkExports(t *testing.T, net *engine.Network, forms []form) {
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
	out, err := exec.Command(python(t, "import torch, torchvision"), args...).CombinedOutput()
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

// TestExports checks a narrow network in all forms.
func TestExports(t *testing.T) {
	python(t, "import torch, torchvision")
	s := stateIn(t, "testdata", "resnet18")
	var all []form
	for opset := onnx.OldestExport; opset <= onnx.NewestExport; opset++ {
		for _, training := range []bool{false, true} {
			name := fmt.Sprintf("opset %d, training %v", opset, training)
			all = append(all,
				form{name, onnx.ExportOptions{Opset: opset, Training: training}, "1e-4"},
				form{name + ", half", onnx.ExportOptions{Opset: opset, Training: training, Half: true}, halfTolerance})
		}
	}
	s.checkExports(t, s.imported(t, weights.Options{Arch: "resnet18", Size: photo.Square(64)}), all)
}

// TestTrainingExportComesBack: regraft reads its training form with every value and label as it was.
func TestTrainingExportComesBack(t *testing.T) {
	s := stateIn(t, "testdata", "resnet18")
	net := s.imported(t, weights.Options{Arch: "resnet18", Size: photo.Square(64), Labels: strings.Split("abcdefg", "")})
	for opset := onnx.OldestExport; opset <= onnx.NewestExport; opset++ {
		path := filepath.Join(t.TempDir(), "train.onnx")
		if err := onnx.Export(path, net, onnx.ExportOptions{Training: true, Opset: opset}); err != nil {
			t.Fatal(err)
		}
		back, _, err := onnx.Read(path, onnx.ReadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if len(back.Params) != len(net.Params) || !slices.Equal(back.Meta.Labels, net.Meta.Labels) || len(back.Meta.Labels) != 7 {
			t.Fatalf("opset %d: %d parameters, labels %q", opset, len(back.Params), back.Meta.Labels)
		}
		for i, p := range net.Params {
			if b := back.Params[i]; b.Name != p.Name || b.Running != p.Running || !slices.Equal(b.Value, p.Value) {
				t.Errorf("opset %d: %s comes back as %s or with other values", opset, p.Name, b.Name)
			}
		}
	}
}
