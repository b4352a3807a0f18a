package weights

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"regraft/photo"
)

// TestImportSays: what an import assumes, leaves out and passes over is said, and what does not fit is refused by name.
func TestImportSays(t *testing.T) {
	const family = "squeezenet1_1"
	plain := zeros(t, family, 9)
	without := func(ending string) *Tensors {
		return renamed(t, plain, func(n string) string {
			if strings.HasSuffix(n, ending) {
				return ""
			}
			return n
		})
	}
	surplus := renamed(t, plain, func(n string) string { return n })
	if err := surplus.add("surplus", *plain.List[0]); err != nil {
		t.Fatal(err)
	}
	passed := renamed(t, plain, func(n string) string { return n })
	passed.PassedOver = []string{"my.Class", "my.Other"}
	misshapen := renamed(t, plain, func(n string) string { return n })
	for _, tensor := range misshapen.List {
		if tensor.Name == "features.12.expand3x3.weight" {
			tensor.Shape = []int{256, 32, 3, 3}
			tensor.strides = rowMajor(tensor.Shape)
		}
	}
	tan := [3]float32{0.5, 0.5, 0.5}
	yes := true
	for name, c := range map[string]struct {
		tensors *Tensors
		options Options
		notes   []string
		says    string
	}{
		"nothing to say":               {plain, Options{}, []string{"the preprocessing is that of torchvision's pretrained weights, which is assumed"}, ""},
		"objects beside them":          {passed, Options{}, []string{"passed over, not built: my.Class, my.Other"}, ""},
		"a surplus tensor":             {surplus, Options{}, nil, "1 unexpected: surplus"},
		"a surplus tensor, named":      {surplus, Options{Arch: family}, []string{"1 tensors are ignored: surplus"}, ""},
		"a missing tensor":             {without("features.12.expand3x3.weight"), Options{}, nil, "1 missing: features.12.expand3x3.weight"},
		"another shape":                {misshapen, Options{}, nil, "if it is a squeezenet1_1 of other widths"},
		"hardly any tensor":            {without("weight"), Options{}, nil, "export the network from the Python code"},
		"labels for other classes":     {plain, Options{Labels: []string{"a", "b"}}, nil, "2 labels for 9 classes"},
		"other scaling":                {plain, Options{Preprocess: photo.Override{Mean: &tan, Std: &tan}}, []string{"the weights come with", "replace"}, ""},
		"ImageNet's to 0.5, and other": {plain, Options{TransformInput: &yes, Preprocess: photo.Override{Mean: &tan}}, []string{"transform_input wants ImageNet's mean and std before it"}, ""},
		"the same scaling":             {plain, Options{Preprocess: photo.Override{Mean: &imageNetMean, Std: &imageNetStd}}, nil, ""},
	} {
		i, err := importTensors(filepath.Join(t.TempDir(), "w.pth"), c.tensors, c.options)
		if c.says != "" {
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%s: %v, want %q", name, err, c.says)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		notes := strings.Join(i.Notes, "; ")
		for _, want := range c.notes {
			if !strings.Contains(notes, want) {
				t.Errorf("%s: notes %q lack %q", name, notes, want)
			}
		}
		if c.notes == nil && strings.Contains(notes, "replace") || i.Classes() != 9 || i.Net.Meta.Other["regraft.source"] != "w.pth" || i.Net.Meta.Arch != family {
			t.Errorf("%s: notes %q, %d classes, %v", name, notes, i.Classes(), i.Net.Meta.Other)
		}
	}
	strange := &Tensors{}
	for _, name := range []string{"a.weight", "b.attn.weight", "c.weight"} {
		if err := strange.add(name, *plain.List[0]); err != nil {
			t.Fatal(err)
		}
	}
	_, err := importTensors("w.pth", strange, Options{})
	var mismatch *MismatchError
	if !errors.As(err, &mismatch) || !strings.Contains(err.Error(), "none of the known architectures") || !strings.Contains(err.Error(), "it is a transformer") || !strings.Contains(err.Error(), "3 tensors: a.weight, b.attn.weight, c.weight") {
		t.Errorf("strange tensors: %v", err)
	}
}

// TestImportOfGraphs: an ONNX file brings its own graph; what it leaves open is said, and what it does itself is not done twice.
func TestImportOfGraphs(t *testing.T) {
	form := filepath.Join("..", "onnx", "testdata", "forms", "einsum.onnx")
	transformed := filepath.Join("..", "onnx", "testdata", "inception_v3.ts.train.op20.transform.onnx")
	mean, std := [3]float32{0.1, 0.2, 0.3}, [3]float32{0.4, 0.5, 0.6}
	yes, no := true, false
	for name, c := range map[string]struct {
		path    string
		options Options
		note    string
		silent  string
		says    string
	}{
		"no preprocessing":       {form, Options{}, "the file does not say how its input is prepared", "", ""},
		"half of it":             {form, Options{Preprocess: photo.Override{Resample: photo.Bicubic}}, "the file does not say how its pixels are scaled", "how its input is prepared", ""},
		"all of it":              {form, Options{Preprocess: photo.Override{Mean: &mean, Std: &std}}, "", "the file does not say", ""},
		"grey photos":            {form, Options{Preprocess: photo.Override{Channels: photo.Gray}}, "", "", "channels"},
		"a step that is there":   {transformed, Options{TransformInput: &yes}, "", "", "the network has such a step already"},
		"a step that is to stay": {transformed, Options{TransformInput: &no}, "", "", ""},
		"labels for others":      {form, Options{Labels: []string{"a"}}, "", "", "1 labels for 5 classes"},
	} {
		i, err := Import(c.path, c.options)
		if c.says != "" {
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%s: %v, want %q", name, err, c.says)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		notes := strings.Join(i.Notes, "; ")
		if !strings.Contains(notes, c.note) || c.silent != "" && strings.Contains(notes, c.silent) || i.Format != "onnx" || i.Match != nil {
			t.Errorf("%s: notes %q, want %q and not %q", name, notes, c.note, c.silent)
		}
	}
	doubted := func(o photo.Override) string {
		i, err := Import(transformed, Options{Preprocess: o})
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(i.Notes, "; ")
	}
	half := [3]float32{0.5, 0.5, 0.5}
	if notes := doubted(photo.Override{Mean: &half, Std: &half}); !strings.Contains(notes, "photos may be normalised twice") && !strings.Contains(notes, "photos may be normalised too little") {
		t.Errorf("pixels that the network scales again: %q", notes)
	}
	if notes := doubted(photo.Override{Mean: &imageNetMean, Std: &imageNetStd}); strings.Contains(notes, "photos may be normalised") {
		t.Errorf("what the network wants: %q", notes)
	}
}
