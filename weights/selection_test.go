package weights

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"regraft/engine/op"
)

// under copies tensors to names that begin with each of the prefixes.
func under(t *testing.T, tensors *Tensors, prefixes ...string) *Tensors {
	t.Helper()
	all := &Tensors{Format: tensors.Format}
	for _, prefix := range prefixes {
		for _, tensor := range tensors.List {
			if err := all.add(prefix+tensor.Name, *tensor); err != nil {
				t.Fatal(err)
			}
		}
	}
	return all
}

// TestSelection: which of the networks in a file is taken, and what is said of the others.
func TestSelection(t *testing.T) {
	network := zeros(t, "squeezenet1_1", 9)
	for _, c := range []struct {
		prefixes []string
		which    string
		taken    string
		said     string // part of the notes, or of the error where nothing is taken
	}{
		{[]string{""}, "", "", ""},
		{[]string{""}, Raw, "", ""},
		{[]string{"state_dict.model."}, "", "state_dict.model.", ""},
		{[]string{"module.squeezenet."}, "", "module.squeezenet.", ""},
		{[]string{"state_dict.", "state_dict_ema.module."}, "", "state_dict_ema.module.", "averaged ones, state_dict_ema.module, are taken, not state_dict ("},
		{[]string{"model.", "model_ema.module."}, Raw, "model.", "raw ones, model, are taken"},
		{[]string{"model.", "callbacks.EMA.weights."}, Averaged, "callbacks.EMA.weights.", "averaged"},
		{[]string{"state_dict.model.", "state_dict.swa_model.module."}, "", "state_dict.swa_model.module.", "averaged"},
		{[]string{"schema.", "model."}, "", "<none>", "several networks: model, schema;"}, // no ema
		{[]string{"model."}, Averaged, "<none>", "no averaged weights"},
		{[]string{"ema."}, Raw, "<none>", "no weights of that kind"},
		{[]string{"ema."}, "", "ema.", ""},
		{[]string{"student.", "teacher."}, "", "<none>", "several networks: student, teacher; say which one (Weights NAME)"},
		{[]string{"student.", "teacher."}, "teacher", "teacher.", "raw ones, teacher, are taken, not student"},
		{[]string{"nets.student.", "nets.teacher."}, "nets.student", "nets.student.", "nets.student, are taken, not nets.teacher"},
		{[]string{"student.", "teacher."}, "teach", "<none>", "Weights teach"},
	} {
		m, err := FindFamily(under(t, network, c.prefixes...), "", c.which)
		if err != nil {
			if c.taken != "<none>" || !strings.Contains(err.Error(), c.said) {
				t.Errorf("%q, %q: %v", c.prefixes, c.which, err)
			}
			continue
		}
		notes := strings.Join(m.notes(), "\n")
		if m.prefix != c.taken || m.Family != "squeezenet1_1" || m.faults() > 0 || !strings.Contains(notes, c.said) || c.said == "" && notes != "" {
			t.Errorf("%q, %q: %q is taken, %d faults, notes %q", c.prefixes, c.which, m.prefix, m.faults(), notes)
		}
	}
}

// TestBeside: tensors that are not the network's do not keep it from being found, and are named.
func TestBeside(t *testing.T) {
	tensors := under(t, zeros(t, "squeezenet1_1", 9), "state_dict.model.")
	for _, name := range []string{"state_dict.criterion.weight", "state_dict.accuracy.total", "optimizer.exp_avg"} {
		if err := tensors.add(name, *tensors.List[0]); err != nil {
			t.Fatal(err)
		}
	}
	m, err := FindFamily(tensors, "", "")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"3 tensors beside state_dict.model are left out: state_dict.criterion.weight, state_dict.accuracy.total, optimizer.exp_avg"}
	if notes := m.notes(); m.faults() > 0 || !slices.Equal(notes, want) {
		t.Errorf("%d faults, notes %q", m.faults(), notes)
	}
}

// TestClassifierNames: one linear layer in the classifier's place is the classifier, several are another architecture.
func TestClassifierNames(t *testing.T) {
	for _, c := range []struct {
		family, layer string
		others        []string
	}{
		{"resnet18", "fc", []string{"fc.1", "fc.0", "fc.linear", "fc.head.2"}},
		{"mobilenet_v2", "classifier.1", []string{"classifier.1.1", "classifier"}},
		{"densenet121", "classifier", []string{"classifier.0"}},
		{"inception_v3", "AuxLogits.fc", []string{"AuxLogits.fc.1"}},
	} {
		tensors := zeros(t, c.family, 9)
		for _, other := range c.others {
			m, err := FindFamily(renamed(t, tensors, func(n string) string {
				if layer, role := cutLast(n); layer == c.layer {
					return other + "." + role
				}
				return n
			}), "", "")
			if err != nil {
				t.Fatal(err)
			}
			if m.Family != c.family || m.faults() > 0 || !slices.Equal(m.notes(), []string{other + " is taken for the classifier " + c.layer}) {
				t.Errorf("%s of %s: %s, missing %q, unexpected %q, notes %q", other, c.family, m.Family, m.Missing, m.Unexpected, m.notes())
			}
		}
	}
	two := renamed(t, zeros(t, "resnet18", 9), func(n string) string {
		return map[string]string{"fc.weight": "fc.0.weight", "fc.bias": "fc.0.bias", "bn1.weight": "bn1.weight"}[n] + map[bool]string{true: n}[n != "fc.weight" && n != "fc.bias" && n != "bn1.weight"]
	})
	if err := two.add("fc.3.weight", *two.Get("fc.0.weight")); err != nil {
		t.Fatal(err)
	}
	_, err := Import(saved(t, "two.safetensors", two), Options{})
	if !errors.As(err, new(*MismatchError)) || !strings.Contains(err.Error(), "2 missing: fc.weight, fc.bias") || !strings.Contains(err.Error(), "torch.onnx.export") {
		t.Errorf("two linear layers: %v", err)
	}
}

// TestNextStep: what is no convolutional network is not sent on errands that end in a refusal.
func TestNextStep(t *testing.T) {
	tensors := &Tensors{}
	for _, name := range []string{"patch_embed.proj.weight", "blocks.0.attn.qkv.weight", "blocks.0.attn.proj.weight", "head.weight"} {
		if err := tensors.add(name, *zeros(t, "alexnet", 9).List[0]); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Import(saved(t, "vit.safetensors", tensors), Options{}); err == nil || !strings.Contains(err.Error(), "it is a transformer") {
		t.Errorf("%v", err)
	}
}

// TestTransformersNames: every layer of ResNet that transformers names otherwise.
func TestTransformersNames(t *testing.T) {
	for name, want := range map[string]string{
		"resnet.embedder.embedder.convolution":                    "conv1",
		"resnet.embedder.embedder.normalization":                  "bn1",
		"resnet.encoder.stages.0.layers.1.layer.0.convolution":    "layer1.1.conv1",
		"resnet.encoder.stages.3.layers.0.layer.2.normalization":  "layer4.0.bn3",
		"resnet.encoder.stages.1.layers.0.shortcut.convolution":   "layer2.0.downsample.0",
		"resnet.encoder.stages.1.layers.0.shortcut.normalization": "layer2.0.downsample.1",
		"classifier.1": "fc",
		"resnet.encoder.stages.0.layers.1.layer.0.something.weight": "",
	} {
		if got := transformersResNet(name); got != want {
			t.Errorf("%s becomes %q, not %q", name, got, want)
		}
	}
}

// TestEpsilon: the norms of timm's MobileNetV3 add another constant to the variance than torchvision's.
func TestEpsilon(t *testing.T) {
	theirs := shaped(t, timmNames(t)["mobilenetv3_small_100"])
	for _, c := range []struct {
		tensors *Tensors
		want    float32
	}{{zeros(t, "mobilenet_v3_small", 9), 1e-3}, {theirs, 1e-5}} {
		for _, tensor := range c.tensors.List {
			tensor.data.raw = make([]byte, 4*tensor.data.elements)
		}
		i, err := importTensors("model.pth", c.tensors, Options{})
		if err != nil {
			t.Fatal(err)
		}
		norms := 0
		for _, node := range i.Net.Nodes() {
			if norm, ok := node.Op().(*op.BatchNorm); ok {
				norms++
				if norm.Epsilon != c.want {
					t.Fatalf("epsilon %g, want %g", norm.Epsilon, c.want)
				}
			}
		}
		if norms != 34 {
			t.Errorf("%d norms", norms)
		}
	}
}
