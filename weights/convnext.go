package weights

import (
	"fmt"
	"regexp"
	"strconv"
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

// convNeXtSpellings are those of timm, of the paper's own code (facebookresearch/ConvNeXt) and of transformers.
var convNeXtSpellings = []spelling{
	{"stages.0.blocks.0.conv_dw.weight", convNeXt{
		stage: regexp.MustCompile(`^stages\.(\d)\.downsample\.([01])$`),
		block: regexp.MustCompile(`^stages\.(\d)\.blocks\.(\d{1,2})\.(.+)$`),
		parts: map[string]string{"conv_dw": "block.0", "norm": "block.2", "mlp.fc1": "block.3", "mlp.fc2": "block.5", "gamma": "layer_scale"},
		ends:  map[string]string{"stem.0": "features.0.0", "stem.1": "features.0.1", "head.norm": "classifier.0", "head.fc": "classifier.2"},
	}.layer},
	{"stages.0.0.dwconv.weight", convNeXt{
		stage: regexp.MustCompile(`^downsample_layers\.([1-3])\.([01])$`),
		block: regexp.MustCompile(`^stages\.(\d)\.(\d{1,2})\.(.+)$`),
		parts: map[string]string{"dwconv": "block.0", "norm": "block.2", "pwconv1": "block.3", "pwconv2": "block.5", "gamma": "layer_scale"},
		ends: map[string]string{"downsample_layers.0.0": "features.0.0", "downsample_layers.0.1": "features.0.1",
			"norm": "classifier.0", "head": "classifier.2"},
	}.layer},
	{"convnext.encoder.stages.0.layers.0.dwconv.weight", convNeXt{
		stage: regexp.MustCompile(`^convnext\.encoder\.stages\.(\d)\.downsampling_layer\.([01])$`),
		block: regexp.MustCompile(`^convnext\.encoder\.stages\.(\d)\.layers\.(\d{1,2})\.(.+)$`),
		parts: map[string]string{"dwconv": "block.0", "layernorm": "block.2", "pwconv1": "block.3", "pwconv2": "block.5",
			"layer_scale_parameter": "layer_scale"},
		ends: map[string]string{"convnext.embeddings.patch_embeddings": "features.0.0", "convnext.embeddings.layernorm": "features.0.1",
			"convnext.layernorm": "classifier.0", "classifier": "classifier.2"},
	}.layer},
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
