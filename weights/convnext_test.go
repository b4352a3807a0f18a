package weights

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"regraft/photo"
)

var featuresLayer = regexp.MustCompile(`^features\.(\d)\.(\d{1,2})\.(.+)$`)

// TestConvNeXtNames: the names of the papers' own code and of transformers, with the shapes that they have there, are those of the same
// network, and without its classifier it ends in features.
func TestConvNeXtNames(t *testing.T) {
	paper := strings.NewReplacer("block.0.", "dwconv.", "block.2.", "norm.", "block.3.", "pwconv1.", "block.5.", "pwconv2.", "layer_scale", "gamma",
		"grn.weight", "grn.gamma", "grn.bias", "grn.beta")
	transformers := strings.NewReplacer("block.0.", "dwconv.", "block.2.", "layernorm.", "block.3.", "pwconv1.", "block.5.", "pwconv2.",
		"layer_scale", "layer_scale_parameter")
	dinov3 := strings.NewReplacer("block.0.", "depthwise_conv.", "block.2.", "layer_norm.", "block.3.", "pointwise_conv1.", "block.5.", "pointwise_conv2.",
		"layer_scale", "gamma")
	for _, c := range []struct {
		family     string
		between    string // stages, and the index there
		block      string // a stage, the block's index
		parts      *strings.Replacer
		stem       [2]string
		norm, head string // no head: it is left out
	}{
		{"convnext_tiny", "downsample_layers.%d.%s.", "stages.%d.%s.", paper, [2]string{"downsample_layers.0.0.", "downsample_layers.0.1."}, "norm.", "head."},
		{"convnextv2_atto", "downsample_layers.%d.%s.", "stages.%d.%s.", paper, [2]string{"downsample_layers.0.0.", "downsample_layers.0.1."}, "norm.", "head."},
		{"convnextv2_nano", "downsample_layers.%d.%s.", "stages.%d.%s.", paper, [2]string{"downsample_layers.0.0.", "downsample_layers.0.1."}, "norm.", ""},
		{"convnext_tiny", "convnext.encoder.stages.%d.downsampling_layer.%s.", "convnext.encoder.stages.%d.layers.%s.", transformers,
			[2]string{"convnext.embeddings.patch_embeddings.", "convnext.embeddings.layernorm."}, "convnext.layernorm.", "classifier."},
		{"convnextv2_pico", "convnextv2.encoder.stages.%d.downsampling_layer.%s.", "convnextv2.encoder.stages.%d.layers.%s.", transformers,
			[2]string{"convnextv2.embeddings.patch_embeddings.", "convnextv2.embeddings.layernorm."}, "convnextv2.layernorm.", "classifier."},
		{"convnextv2_femto", "encoder.stages.%d.downsampling_layer.%s.", "encoder.stages.%d.layers.%s.", transformers,
			[2]string{"embeddings.patch_embeddings.", "embeddings.layernorm."}, "layernorm.", ""},
		{"convnext_tiny", "stages.%d.downsample_layers.%s.", "stages.%d.layers.%s.", dinov3,
			[2]string{"stages.0.downsample_layers.0.", "stages.0.downsample_layers.1."}, "layer_norm.", ""},
		{"convnext_small", "model.stages.%d.downsample_layers.%s.", "model.stages.%d.layers.%s.", dinov3,
			[2]string{"model.stages.0.downsample_layers.0.", "model.stages.0.downsample_layers.1."}, "layer_norm.", ""},
	} {
		t.Run(c.family+" "+c.norm, func(t *testing.T) {
			tensors := &Tensors{Format: "pth"}
			for _, tensor := range zeros(t, c.family, 9).List {
				name, other := tensor.Name, *tensor
				m := featuresLayer.FindStringSubmatch(name)
				switch {
				case m == nil && strings.HasPrefix(name, "classifier.0."):
					name = c.norm + name[len("classifier.0."):]
				case m == nil && c.head == "":
					continue
				case m == nil:
					name = c.head + name[len("classifier.2."):]
				default:
					at, _ := strconv.Atoi(m[1])
					switch {
					case at == 0:
						index, _ := strconv.Atoi(m[2])
						name = c.stem[index] + m[3]
					case at%2 == 0:
						name = fmt.Sprintf(c.between, at/2, m[2]) + m[3]
					default:
						name = fmt.Sprintf(c.block, at/2, m[2]) + c.parts.Replace(m[3])
					}
				}
				switch channels := tensor.Size(); {
				case strings.Contains(tensor.Name, ".grn."):
					other.Shape, other.strides = []int{1, 1, 1, channels}, rowMajor([]int{1, 1, 1, channels})
				case strings.HasSuffix(tensor.Name, ".layer_scale"):
					other.Shape, other.strides = []int{channels}, []int{1}
				}
				if err := tensors.add(name, other); err != nil {
					t.Fatal(err)
				}
			}
			m, err := FindFamily(tensors, "", "")
			if err != nil {
				t.Fatal(err)
			}
			missing := map[bool]int{true: 2}[c.head == ""]
			if m.Family != c.family || len(m.Missing) != missing || len(m.Unexpected)+len(m.Misshapen) > 0 {
				t.Fatalf("taken for %s: missing %q, unexpected %q, misshapen %q", m.Family, m.Missing, m.Unexpected, m.Misshapen)
			}
			if testing.Short() && weigh(tensors) > 10e6 {
				return // made whole without -short: it takes seconds
			}
			net, _, err := m.network(photo.Size{})
			if err != nil {
				t.Fatal(err)
			}
			want := map[bool]string{true: pooledOutput, false: logitsOutput}[c.head == ""]
			if len(net.Outputs) != 1 || net.Outputs[0].Name != want {
				t.Errorf("outputs %q", outputNames(net))
			}
		})
	}
}
