package head

import (
	"path/filepath"
	"strings"
	"testing"

	"regraft/golden"
	"regraft/onnx"
)

// TestFixtures finds, swaps and cuts off the heads of real exports of nine families.
func TestFixtures(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(golden.Dir(t), "fixtures", "*.onnx"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no fixtures: %v", err)
	}
	main := map[string]string{
		"alexnet": "classifier.6", "densenet121": "classifier", "efficientnet_b0": "classifier.1", "googlenet": "fc",
		"inception_v3": "fc", "mobilenet_v2": "classifier.1", "mobilenet_v3_small": "classifier.3", "resnet18": "fc",
		"squeezenet1_0": "classifier.1", "squeezenet1_1": "classifier.1", "vgg11_bn": "classifier.6", "zoo_form": "linear1",
	}
	aux := map[string]string{"inception_v3": "AuxLogits.fc", "googlenet": "aux2.fc2 aux1.fc2"}
	for _, file := range files {
		name := filepath.Base(file)
		t.Run(name, func(t *testing.T) {
			net, _, err := onnx.Read(file, onnx.ReadOptions{})
			if err != nil {
				t.Fatal(err)
			}
			family, form, _ := strings.Cut(name, ".")
			want := main[family]
			if strings.Contains(form, "train") && aux[family] != "" {
				want += " " + aux[family]
			}
			heads := mustFind(t, net)
			var names []string
			for _, h := range heads {
				names = append(names, h.Name())
				if h.Convolution() != strings.HasPrefix(family, "squeezenet") {
					t.Errorf("%s: convolution %v", h.Name(), h.Convolution())
				}
			}
			if got := strings.Join(names, " "); got != want {
				t.Errorf("heads %q, want %q", got, want)
			}
			swapped := mustSwap(t, net, 1)
			for i, h := range mustFind(t, swapped) {
				if h.Output != i || h.Classes != len(places) || h.Features != heads[i].Features {
					t.Errorf("new head %d: %+v", i, h)
				}
			}
			if new(Hasher).Hash(net, heads) != new(Hasher).Hash(swapped, mustFind(t, swapped)) {
				t.Error("the trunk has changed")
			}
			if _, err := Trunk(swapped); err != nil {
				t.Error(err)
			}
		})
	}
}
