package weights

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"regraft/onnx"
	"regraft/photo"
)

// zeros are the tensors of a family, all zero, with another number of classes.
func zeros(t *testing.T, name string, classes int) *Tensors {
	t.Helper()
	i := slices.IndexFunc(families(), func(f *family) bool { return f.name == name })
	if i < 0 {
		t.Fatalf("no family %s", name)
	}
	params := families()[i].params
	largest := 0
	for _, p := range params {
		largest = max(largest, product(p.Shape))
	}
	raw := make([]byte, 4*(largest+len(params)))
	tensors := &Tensors{Format: "pth"}
	for k, p := range params {
		shape := slices.Clone(p.Shape)
		if shape[0] == graphClasses {
			shape[0] = classes
		}
		s := &storage{elements: product(shape), raw: raw[4*k:]} // they overlap, but no two are the same
		tensor, err := s.view(0, shape, rowMajor(shape))
		if err == nil {
			err = tensors.add(p.Name, tensor)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return tensors
}

// renamed copies tensors under other names; "" leaves one out.
func renamed(t *testing.T, tensors *Tensors, name func(string) string) *Tensors {
	t.Helper()
	out := &Tensors{Format: tensors.Format}
	for _, tensor := range tensors.List {
		if n := name(tensor.Name); n != "" {
			if err := out.add(n, *tensor); err != nil {
				t.Fatal(err)
			}
		}
	}
	return out
}

// weigh is the number of all elements.
func weigh(tensors *Tensors) (n int) {
	for _, t := range tensors.List {
		n += t.Size()
	}
	return n
}

// TestFamiliesAreFound: names and shapes decide, whatever the number of classes and the wrapper; every graph
// makes a network with that many classes.
func TestFamiliesAreFound(t *testing.T) {
	wrappers := []string{"", "module.", "model._orig_mod."}
	for i, name := range Families() {
		t.Run(name, func(t *testing.T) {
			const classes = 9
			tensors := zeros(t, name, classes)
			for k, wrapper := range wrappers {
				if testing.Short() && k != i%len(wrappers) {
					continue // one for each family
				}
				m, err := FindFamily(renamed(t, tensors, func(n string) string { return wrapper + n }), "", "")
				if err != nil {
					t.Fatal(err)
				}
				if m.Family != name || m.faults() > 0 {
					t.Errorf("taken for %s: missing %q, unexpected %q, misshapen %q", m.Family, m.Missing, m.Unexpected, m.Misshapen)
				}
			}
			m, err := FindFamily(tensors, name, "")
			if err != nil {
				t.Fatal(err)
			}
			if testing.Short() && (weigh(tensors) > 30e6 || m.family.isVit() && weigh(tensors) > 7e6) {
				return // made whole without -short: it takes seconds
			}
			net, dropped, err := m.network(photo.Size{})
			if err != nil || dropped > 0 {
				t.Fatalf("%d outputs dropped, %v", dropped, err)
			}
			want := map[string]int{"inception_v3": 2, "googlenet": 3}[name]
			if len(net.Outputs) != max(want, 1) || net.Meta.Arch != name || !m.family.isVit() && len(net.Params) < len(tensors.List) {
				t.Errorf("%d outputs, architecture %q, %d parameters of %d tensors", len(net.Outputs), net.Meta.Arch, len(net.Params), len(tensors.List))
			}
			for _, out := range net.Outputs {
				if shape := out.Node.Shape(); !slices.Equal(shape, []int{1, classes}) {
					t.Errorf("output %s has shape %v", out.Name, shape)
				}
			}
		})
	}
}

// TestDenseNetNames: torchvision's DenseNet files still have the names of 2017.
func TestDenseNetNames(t *testing.T) {
	old := strings.NewReplacer("norm1.", "norm.1.", "norm2.", "norm.2.", "conv1.", "conv.1.", "conv2.", "conv.2.")
	tensors := renamed(t, zeros(t, "densenet121", 1000), func(n string) string {
		if strings.Contains(n, "denselayer") {
			return old.Replace(n)
		}
		return n
	})
	if tensors.Get("features.denseblock1.denselayer1.norm.1.running_mean") == nil {
		t.Fatal("the old names were not made")
	}
	m, err := FindFamily(tensors, "", "")
	if err != nil || m.Family != "densenet121" || m.faults() > 0 {
		t.Errorf("%+v, %v", m, err)
	}
}

// TestAuxiliaryOutputs without weights are left out; the classifier itself must be there.
func TestAuxiliaryOutputs(t *testing.T) {
	all := zeros(t, "googlenet", 9)
	without := func(prefix string) *Match {
		m, err := FindFamily(renamed(t, all, func(n string) string {
			if strings.HasPrefix(n, prefix) {
				return ""
			}
			return n
		}), "", "")
		if err != nil || len(m.Missing) == 0 || len(m.Unexpected) > 0 {
			t.Fatalf("%+v, %v", m, err)
		}
		return m
	}
	for prefix, left := range map[string]int{"aux": 1, "aux2.": 2} {
		net, dropped, err := without(prefix).network(photo.Size{})
		if err != nil {
			t.Fatal(err)
		}
		if len(net.Outputs) != left || dropped != 3-left || net.Outputs[0].Name != "logits" {
			t.Errorf("without %s: %d outputs, %d dropped", prefix, len(net.Outputs), dropped)
		}
		for _, p := range net.Params {
			if strings.HasPrefix(p.Name, prefix) {
				t.Errorf("without %s: parameter %s is still there", prefix, p.Name)
			}
		}
	}
	if _, _, err := without("fc.").network(photo.Size{}); err == nil {
		t.Error("a network without classifier was made")
	}
}

// saved writes tensors as a safetensors file.
func saved(t *testing.T, name string, tensors *Tensors) string {
	t.Helper()
	header, data := map[string]any{}, []byte{}
	for _, tensor := range tensors.List {
		n := 4 * tensor.Size()
		header[tensor.Name] = entry("F32", tensor.Shape, len(data), len(data)+n)
		data = append(data, make([]byte, n)...)
	}
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, safetensorsFile(header, data), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestMismatch lists what is missing, unexpected and of another shape.
func TestMismatch(t *testing.T) {
	tensors := renamed(t, zeros(t, "squeezenet1_1", 9), func(n string) string {
		return map[bool]string{true: "stem.weight", false: n}[n == "features.0.weight"]
	})
	path := saved(t, "odd.safetensors", tensors)
	_, err := Import(path, Options{})
	var mismatch *MismatchError
	if !errors.As(err, &mismatch) {
		t.Fatalf("%v", err)
	}
	for _, want := range []string{"odd.safetensors", "squeezenet1_1", "1 missing: features.0.weight", "1 unexpected: stem.weight", "alexnet, "} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the message %q does not say %q", err, want)
		}
	}
	if !slices.Equal(mismatch.Missing, []string{"features.0.weight"}) {
		t.Errorf("missing %q", mismatch.Missing)
	}
	if _, err := Import(path, Options{Arch: "resnet18"}); !errors.As(err, &mismatch) || mismatch.Family != "resnet18" {
		t.Errorf("%v", err)
	}
	few := saved(t, "few.safetensors", renamed(t, tensors, func(n string) string {
		return map[bool]string{true: n}[n == "features.3.squeeze.bias"]
	}))
	if _, err := Import(few, Options{}); !errors.As(err, &mismatch) || !strings.Contains(err.Error(), "51 missing") {
		t.Errorf("%v", err)
	}
	if _, err := Import(path, Options{Arch: "resnet17"}); err == nil || !strings.Contains(err.Error(), "resnet17") {
		t.Errorf("%v", err)
	}
}

// TestSurplus: a named architecture takes what it needs and tells what it leaves.
func TestSurplus(t *testing.T) {
	tensors := renamed(t, zeros(t, "squeezenet1_1", 9), func(n string) string { return n })
	if err := tensors.add("ema_decay", *tensors.List[0]); err != nil {
		t.Fatal(err)
	}
	path := saved(t, "surplus.safetensors", tensors)
	if _, err := Import(path, Options{}); !errors.As(err, new(*MismatchError)) {
		t.Errorf("%v", err)
	}
	i, err := Import(path, Options{Arch: "squeezenet1_1"})
	if err != nil || !slices.ContainsFunc(i.Notes, func(n string) bool { return strings.Contains(n, "ema_decay") }) {
		t.Errorf("%+v, %v", i, err)
	}
}

// TestOptions: what the user says goes before what was found, and travels in the file.
func TestOptions(t *testing.T) {
	path := saved(t, "squeezenet.safetensors", zeros(t, "squeezenet1_1", 3))
	labels := []string{"forest", "sea", "street"}
	i, err := Import(path, Options{Labels: labels, Preprocess: photo.Override{Mean: &[3]float32{0.1, 0.2, 0.3}, Std: &[3]float32{1, 2, 1.5}}, Size: photo.Square(192)})
	if err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(t.TempDir(), "model.onnx")
	if err := onnx.Write(out, i.Net); err != nil {
		t.Fatal(err)
	}
	net, _, err := onnx.Read(out, onnx.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	p := net.Meta.Preprocess
	if !slices.Equal(net.Meta.Labels, labels) || p.Mean != [3]float32{0.1, 0.2, 0.3} || p.Std != [3]float32{1, 2, 1.5} || p.Size != photo.Square(192) || p.Short != 219 {
		t.Errorf("labels %q, preprocessing %+v", net.Meta.Labels, p)
	}
	if net.Meta.Other["regraft.source"] != "squeezenet.safetensors" || net.Meta.Arch != "squeezenet1_1" {
		t.Errorf("metadata %+v", net.Meta)
	}
	if _, err := Import(path, Options{Labels: labels[:2]}); err == nil || !strings.Contains(err.Error(), "2 labels for 3 classes") {
		t.Errorf("%v", err)
	}
}

// TestOrigins: where weights come from decides their preprocessing.
func TestOrigins(t *testing.T) {
	dir := t.TempDir()
	config := map[string]any{"architecture": "inception_v3", "pretrained_cfg": map[string]any{
		"input_size": []int{3, 320, 320}, "mean": []float32{0.1, 0.1, 0.1}, "std": []float32{0.2, 0.2, 0.2}, "crop_pct": 0.875,
	}}
	text, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "config.json"), text, 0o644); err != nil {
		t.Fatal(err)
	}
	imageNet := [3]float32{0.485, 0.456, 0.406}
	for _, c := range []struct {
		path, arch, format string
		mean               [3]float32
		size, short        int
		transform, assumed bool
	}{
		{"inception_v3_google-0cc3c7bd.pth", "inception_v3", "pth", imageNet, 299, 342, true, false},
		{"mine.pth", "inception_v3", "pth", imageNet, 299, 342, true, true},
		{"tf_inception_v3-e0069de4.pth", "inception_v3", "pth", half3, 299, 341, false, false},
		{"inception_v3_google-1a9a5a14.pth", "inception_v3", "pth", half3, 299, 341, false, false},
		{"tf_inception_v3.pth", "inception_v3", "pth", half3, 299, 341, false, true},
		{"models--timm--inception_v3.gluon_in1k/model.safetensors", "inception_v3", "safetensors", imageNet, 299, 341, false, true},
		{"model.safetensors", "inception_v3", "safetensors", half3, 299, 341, false, true},
		{filepath.Join(dir, "model.safetensors"), "inception_v3", "safetensors", [3]float32{0.1, 0.1, 0.1}, 320, 365, false, false},
		{"resnet50-11ad3fa6.pth", "resnet50", "pth", imageNet, 224, 232, false, false},
		{"resnet50-11ad3fa6.pth", "resnet18", "pth", imageNet, 224, 256, false, true},
		{"googlenet-1378be20.pth", "googlenet", "pth", imageNet, 224, 256, true, false},
	} {
		o, err := findOrigin(c.path, c.arch, c.format, false)
		if err != nil {
			t.Fatal(err)
		}
		p := o.preprocess
		if p.Mean != c.mean || p.Size != photo.Square(c.size) || p.Short != c.short || p.Resize != "crop" || o.transform != c.transform || (o.assumed != "") != c.assumed {
			t.Errorf("%s as %s: %+v", c.path, c.arch, o)
		}
		if bicubic := p.Resample == "bicubic"; bicubic == (o.transform || c.arch != "inception_v3") {
			t.Errorf("%s as %s: %s", c.path, c.arch, p.Resample)
		}
	}
}

// TestTransformInput: torchvision's own arithmetic, and who gives mean and std does without it.
func TestTransformInput(t *testing.T) {
	path := saved(t, "mine.safetensors", zeros(t, "googlenet", 1000))
	half, yes := half3, true
	halves := photo.Override{Mean: &half, Std: &half}
	for _, c := range []struct {
		o    Options
		want bool
	}{
		{Options{Preprocess: halves, TransformInput: &yes}, true},
		{Options{}, true},
		{Options{Preprocess: halves}, false},
		{Options{Preprocess: halves, TransformInput: new(bool)}, false},
		{Options{TransformInput: new(bool)}, false},
	} {
		i, err := Import(path, c.o)
		if err != nil {
			t.Fatal(err)
		}
		out := filepath.Join(t.TempDir(), "model.onnx")
		if err := onnx.Write(out, i.Net); err != nil {
			t.Fatal(err)
		}
		_, info, err := onnx.Read(out, onnx.ReadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if (info.Transform != nil) != c.want {
			t.Errorf("%+v: transform %+v", c.o, info.Transform)
		}
		if told := strings.Contains(strings.Join(i.Notes, "\n"), "transform_input wants"); told != (c.want && c.o.Preprocess.Mean != nil) {
			t.Errorf("%+v: notes %q", c.o, i.Notes)
		}
		if c.want && (info.Transform.Scale[0] != 0.458 || info.Transform.Shift[2] != float32((0.406-0.5)/0.5)) {
			t.Errorf("transform %+v", info.Transform)
		}
		if labels := i.Net.Meta.Labels; len(labels) != 1000 || labels[0] != "tench" || labels[999] != "toilet tissue" {
			t.Errorf("%d labels", len(labels))
		}
	}
}

func TestLabels(t *testing.T) {
	for text, want := range map[string][]string{
		"a\nb c\n":           {"a", "b c"},
		"\ufeffa\r\nb\r\n":   {"a", "b"},
		`["a", "it's", "ö"]`: {"a", "it's", "ö"},
		"a\n\nb":             nil,
		`["a", 1]`:           nil,
		"a\xff\n":            nil,
	} {
		got, err := parseLabels(text)
		if !slices.Equal(got, want) && err == nil || (err == nil) != (want != nil) {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
}
