package weights

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// convNeXt is how a library names the layers of ConvNeXt.
type convNeXt struct {
	// stage matches a layer between two stages, with the stage and the layer's index there.
	stage *regexp.Regexp
	// block matches a layer of a block, with the stage, the block's index and the part.
	block *regexp.Regexp
	parts map[string]string
	ends  map[string]string
}

// convNeXtSpellings are those of timm, of the papers' own code (facebookresearch/ConvNeXt, ConvNeXt-V2 and dinov3) and of transformers.
var convNeXtSpellings = []spelling{
	{"stages.0.blocks.0.conv_dw.weight", convNeXt{
		stage: regexp.MustCompile(`^stages\.(\d)\.downsample\.([01])$`),
		block: regexp.MustCompile(`^stages\.(\d)\.blocks\.(\d{1,2})\.(.+)$`),
		parts: map[string]string{"conv_dw": "block.0", "norm": "block.2", "mlp.fc1": "block.3", "mlp.fc2": "block.5", "gamma": "layer_scale", "mlp.grn": "grn"},
		ends:  map[string]string{"stem.0": "features.0.0", "stem.1": "features.0.1", "head.norm": "classifier.0", "head.fc": "classifier.2"},
	}.layer, convNeXtForm},
	{"stages.0.0.dwconv.weight", convNeXt{
		stage: regexp.MustCompile(`^downsample_layers\.([1-3])\.([01])$`),
		block: regexp.MustCompile(`^stages\.(\d)\.(\d{1,2})\.(.+)$`),
		parts: map[string]string{"dwconv": "block.0", "norm": "block.2", "pwconv1": "block.3", "pwconv2": "block.5", "gamma": "layer_scale",
			"grn.gamma": "grn.weight", "grn.beta": "grn.bias"},
		ends: map[string]string{"downsample_layers.0.0": "features.0.0", "downsample_layers.0.1": "features.0.1",
			"norm": "classifier.0", "head": "classifier.2"},
	}.layer, convNeXtForm},
	transformersConvNeXt("convnext."), transformersConvNeXt("convnextv2."), transformersConvNeXt(""),
	transformersDINOv3("model."), transformersDINOv3(""),
}

// transformersConvNeXt is how transformers names both versions, with a prefix where there is a classifier.
func transformersConvNeXt(prefix string) spelling {
	names := convNeXt{
		stage: regexp.MustCompile(`^encoder\.stages\.(\d)\.downsampling_layer\.([01])$`),
		block: regexp.MustCompile(`^encoder\.stages\.(\d)\.layers\.(\d{1,2})\.(.+)$`),
		parts: map[string]string{"dwconv": "block.0", "layernorm": "block.2", "pwconv1": "block.3", "pwconv2": "block.5",
			"layer_scale_parameter": "layer_scale", "grn": "grn"},
		ends: map[string]string{"embeddings.patch_embeddings": "features.0.0", "embeddings.layernorm": "features.0.1",
			"layernorm": "classifier.0", "classifier": "classifier.2"},
	}
	layer := func(name string) string { return names.layer(strings.TrimPrefix(name, prefix)) }
	return spelling{prefix + "encoder.stages.0.layers.0.dwconv.weight", layer, convNeXtForm}
}

// transformersDINOv3 is how transformers names DINOv3's ConvNeXt, which has no classifier: all but the last norm with a prefix, or nothing.
func transformersDINOv3(prefix string) spelling {
	names := convNeXt{
		stage: regexp.MustCompile(`^stages\.(\d)\.downsample_layers\.([01])$`),
		block: regexp.MustCompile(`^stages\.(\d)\.layers\.(\d{1,2})\.(.+)$`),
		parts: map[string]string{"depthwise_conv": "block.0", "layer_norm": "block.2", "pointwise_conv1": "block.3", "pointwise_conv2": "block.5",
			"gamma": "layer_scale"},
		ends: map[string]string{"layer_norm": "classifier.0"},
	}
	layer := func(name string) string { return names.layer(strings.TrimPrefix(name, prefix)) }
	return spelling{prefix + "stages.0.layers.0.depthwise_conv.weight", layer, convNeXtForm}
}

// convNeXtForm gives a tensor torchvision's shape: layer scales multiply maps (C, H, W), linear layers may be convolutions of one pixel
// in timm, and the numbers of a global response norm have axes of images (1, 1, 1, C) elsewhere.
func convNeXtForm(name string, t *Tensor) *Tensor {
	layer, role := cutLast(name)
	switch {
	case role == "layer_scale":
		return t.perChannel()
	case role == "weight" && (strings.HasSuffix(layer, ".block.3") || strings.HasSuffix(layer, ".block.5")):
		return t.matrix()
	case strings.HasSuffix(layer, ".grn"):
		return t.vector()
	}
	return t
}

// layer is torchvision's name: stages and the layers before them alternate in features.
func (c convNeXt) layer(name string) string {
	if m := c.stage.FindStringSubmatch(name); m != nil {
		stage, _ := strconv.Atoi(m[1]) // a digit
		return fmt.Sprintf("features.%d.%s", 2*stage, m[2])
	}
	if m := c.block.FindStringSubmatch(name); m != nil && c.parts[m[3]] != "" {
		stage, _ := strconv.Atoi(m[1])
		return fmt.Sprintf("features.%d.%s.%s", 2*stage+1, m[2], c.parts[m[3]])
	}
	return c.ends[name]
}
