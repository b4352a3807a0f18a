package weights

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"regraft/golden"
	"regraft/photo"
)

// timmNames are the tensors of timm's models whose names are timm's own, as testdata/timm_reference.py found them.
func timmNames(t *testing.T) map[string]map[string][]int {
	t.Helper()
	var models map[string]map[string][]int
	if err := json.Unmarshal(golden.Unpacked(t, filepath.Join("testdata", "timm_names.json.gz")), &models); err != nil {
		t.Fatal(err)
	}
	return models
}

// shaped are tensors without values.
func shaped(t *testing.T, shapes map[string][]int) *Tensors {
	t.Helper()
	tensors := &Tensors{}
	for name, shape := range shapes {
		s := &storage{elements: product(shape)}
		tensor, err := s.view(0, shape, rowMajor(shape))
		if err == nil {
			err = tensors.add(name, tensor)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return tensors
}

// TestTimmNames: every tensor of timm's models finds its place, with the right shape.
func TestTimmNames(t *testing.T) {
	models := timmNames(t)
	for model, family := range map[string]string{
		"mobilenetv2_100": "mobilenet_v2", "efficientnet_b0": "efficientnet_b0", "vgg11_bn": "vgg11_bn", "vgg16": "vgg16",
		"mobilenetv3_large_100": "mobilenet_v3_large", "mobilenetv3_small_100": "mobilenet_v3_small", "convnext_tiny": "convnext_tiny",
		"tf_efficientnetv2_s": "efficientnet_v2_s", "regnety_004": "regnet_y_400mf", "regnety_016": "regnet_y_1_6gf",
		"regnety_032": "regnet_y_3_2gf", "regnety_160": "regnet_y_16gf", "convnextv2_atto": "convnextv2_atto", "convnextv2_tiny": "convnextv2_tiny",
		"mobilenetv4_conv_small": "mobilenetv4_conv_small", "mobilenetv4_conv_medium": "mobilenetv4_conv_medium",
		"mobilenetv4_conv_large": "mobilenetv4_conv_large",
	} {
		tensors := shaped(t, models[model])
		m, err := FindFamily(tensors, "", "")
		if err != nil {
			t.Fatal(err)
		}
		if m.Family != family || m.faults() > 0 || len(tensors.List) == 0 {
			t.Errorf("%s is taken for %s: missing %q, unexpected %q, misshapen %q", model, m.Family, m.Missing, m.Unexpected, m.Misshapen)
		}
	}
}

// TestTwoNamesForOne: a tensor under timm's name and another under torchvision's for the same parameter are an error, whichever
// of them comes first.
func TestTwoNamesForOne(t *testing.T) {
	for stem, other := range map[string]string{"conv_stem.weight": "features.0.0.weight", "pre_logits.fc1.weight": "classifier.0.weight"} {
		tensors := &Tensors{}
		for _, name := range []string{stem, other} {
			tensor, err := (&storage{elements: 1}).view(0, []int{1}, []int{1})
			if err == nil {
				err = tensors.add(name, tensor)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if _, err := FindFamily(tensors, "", ""); err == nil || !strings.Contains(err.Error(), "have the same meaning") {
			t.Errorf("%s beside %s: %v", stem, other, err)
		}
	}
}

// TestTimmConfig: preprocessing and class names come from config.json, and who is called otherwise there is not taken for
// what its tensors are called like.
func TestTimmConfig(t *testing.T) {
	path := saved(t, "model.safetensors", zeros(t, "efficientnet_b0", 3))
	config := func(architecture, rest string) {
		text := `{"architecture": "` + architecture + `", ` + rest + `}`
		if err := os.WriteFile(filepath.Join(filepath.Dir(path), "config.json"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	pretrained := func(more string) string {
		return `"pretrained_cfg": {"input_size": [3, 224, 224], "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5], "crop_pct": 0.9` + more + `}`
	}
	config("efficientnet_b0", `"label_names": ["a", "b", "c"], `+pretrained(`, "interpolation": "bicubic", "crop_mode": "center"`))
	i, err := Import(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	p := i.Net.Meta.Preprocess
	if p.Mean != half3 || p.Std != half3 || p.Size != photo.Square(224) || p.Short != 248 || p.Resample != "bicubic" || len(i.Notes) != 2 ||
		!strings.Contains(i.Notes[0], "preprocessing") || !strings.Contains(i.Notes[1], "names of the classes") {
		t.Errorf("%+v, notes %q", p, i.Notes)
	}
	if !slices.Equal(i.Net.Meta.Labels, []string{"a", "b", "c"}) {
		t.Errorf("labels %q", i.Net.Meta.Labels)
	}
	config("efficientnet_b0", `"label_names": {"0": "a"}, `+pretrained(`, "crop_mode": "squash"`))
	if i, err = Import(path, Options{}); err != nil || i.Net.Meta.Labels != nil || !strings.Contains(strings.Join(i.Notes, "\n"), "assumed") {
		t.Errorf("a crop that is not known: notes %q, %v", i.Notes, err)
	}
	config("efficientnet_lite0", pretrained(""))
	if _, err := Import(path, Options{}); err == nil || !strings.Contains(err.Error(), "this is efficientnet_lite0 by its config.json") {
		t.Errorf("another architecture of the same names: %v", err)
	}
	if i, err = Import(path, Options{Arch: "efficientnet_b0"}); err != nil || !strings.Contains(strings.Join(i.Notes, "\n"), "assumed") {
		t.Errorf("the user knows better: %v", err)
	}
	for name, told := range map[string]bool{"tf_efficientnet_b0_aa-827b6e33.safetensors": true, "efficientnet_b0_x.safetensors": false} {
		path = saved(t, name, shaped(t, timmNames(t)["efficientnet_b0"]))
		i, err := Import(path, Options{})
		if err != nil || strings.Contains(strings.Join(i.Notes, "\n"), "one of timm's networks that pad as TensorFlow does") != told {
			t.Errorf("%s: notes %q, %v", name, i.Notes, err)
		}
	}
}

// TestBackground: TensorFlow's Inception-v3 has a class for the background in front of ImageNet's.
func TestBackground(t *testing.T) {
	i, err := Import(saved(t, "tf_inception_v3-e0069de4.safetensors", renamed(t, zeros(t, "inception_v3", 1001), func(n string) string {
		return map[bool]string{false: n}[strings.HasPrefix(n, "AuxLogits")]
	})), Options{})
	if err != nil {
		t.Fatal(err)
	}
	labels := i.Net.Meta.Labels
	if len(labels) != 1001 || labels[0] != "background" || labels[1] != "tench" {
		t.Errorf("%d labels", len(labels))
	}
	if p := i.Net.Meta.Preprocess; p.Mean != half3 || !strings.Contains(strings.Join(i.Notes, "\n"), "1 auxiliary outputs are left out") {
		t.Errorf("%+v, notes %q", p, i.Notes)
	}
}

// TestOverridden: a mean and std other than the weights' own are told.
func TestOverridden(t *testing.T) {
	path := saved(t, "resnet18-f37072fd.pth", zeros(t, "resnet18", 1000))
	own, other := imageNetMean, half3
	for mean, told := range map[*[3]float32]bool{&own: false, &other: true} {
		i, err := Import(path, Options{Preprocess: photo.Override{Mean: mean}})
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(strings.Join(i.Notes, "\n"), "replace"); got != told || i.Net.Meta.Preprocess.Mean != *mean {
			t.Errorf("mean %v: notes %q, preprocessing %+v", *mean, i.Notes, i.Net.Meta.Preprocess)
		}
	}
}
