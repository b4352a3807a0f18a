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

// TestOthersByName: a file's name tells of a network with the same tensors, unless config.json does.
func TestOthersByName(t *testing.T) {
	for _, c := range []struct {
		path, arch string
		config     modelConfig
		says       string
	}{
		{"mobilenetv4_conv_blur_medium.e500_r224_in1k.safetensors", "mobilenetv4_conv_medium", modelConfig{}, "blurs"},
		{"timm/mobilenetv4_conv_aa_large/model.safetensors", "mobilenetv4_conv_large", modelConfig{}, "blurs"},
		{"resnetblur50.bt_in1k.safetensors", "resnet50", modelConfig{}, "blurs"},
		{"resnetaa50.pth", "resnet50", modelConfig{}, "blurs"},
		{"resnetblur50/model.safetensors", "resnet50", modelConfig{Architecture: "resnet50"}, ""},
		{"resnetblur50/model.safetensors", "convnext_tiny", modelConfig{}, ""},
		{"mobilenetv4_conv_medium.pth", "mobilenetv4_conv_medium", modelConfig{}, ""},
		{"resnet50.a1_in1k.safetensors", "resnet50", modelConfig{}, ""},
		{"swinv2_tiny_window16_256.safetensors", "swin_v2_t", modelConfig{}, "windows of 16"},
		{"swinv2_tiny_window16_256.safetensors", "swin_v2_t", modelConfig{layersConfig: layersConfig{WindowSize: sides{8}}}, ""},
		{"swinv2_tiny_window8_256.safetensors", "swin_v2_t", modelConfig{}, ""},
		{"swin_tiny_patch4_window7_224.pth", "swin_t", modelConfig{}, ""},
		{"swin_base_patch4_window12_384.pth", "swin_b", modelConfig{}, "windows of 12"},
		{"window12/resnet50.pth", "resnet50", modelConfig{}, ""},
	} {
		if got := c.config.otherByName(c.path, c.arch); c.says == "" && got != "" || !strings.Contains(got, c.says) {
			t.Errorf("%s as %s: %q, want %q", c.path, c.arch, got, c.says)
		}
	}
}
