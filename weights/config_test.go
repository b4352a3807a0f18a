package weights

import (
	"strings"
	"testing"
)

// TestOtherArchitectures: config.json tells of a network that only has the names of tensors in common with what they are taken for.
func TestOtherArchitectures(t *testing.T) {
	for _, c := range []struct {
		config modelConfig
		arch   string
		says   string
	}{
		{modelConfig{}, "resnet50", ""},
		{modelConfig{Architecture: "resnet50"}, "resnet50", ""},
		{modelConfig{Architecture: "seresnet50"}, "resnet50", "seresnet50 by its config.json"},
		{modelConfig{DownsampleInBottleneck: true}, "resnet50", "downsample_in_bottleneck"},
		{modelConfig{ModelType: "resnet", layersConfig: layersConfig{HiddenAct: "relu"}}, "resnet50", ""},
		{modelConfig{ModelType: "resnet", layersConfig: layersConfig{HiddenAct: "gelu"}}, "resnet50", "a network with gelu"},
		{modelConfig{ModelType: "resnet"}, "resnet50", ""},
		{modelConfig{ModelType: "convnext", layersConfig: layersConfig{HiddenAct: "gelu"}}, "convnext_tiny", ""},
		{modelConfig{ModelType: "convnext", layersConfig: layersConfig{HiddenAct: "relu"}}, "convnext_tiny", "a network with relu"},
		{modelConfig{ModelType: "vit", layersConfig: layersConfig{HiddenAct: "relu"}}, "vit_b_16", ""},
	} {
		if got := c.config.otherThan(c.arch); c.says == "" && got != "" || !strings.Contains(got, c.says) {
			t.Errorf("%+v: %q, want %q", c.config, got, c.says)
		}
	}
}
