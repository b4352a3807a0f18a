package weights

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// timm names most networks as torchvision does. MobileNet and EfficientNet come from its own builder, and VGG's
// classifier is convolutions there; torchvisionNames translates these (convnext.go and huggingface.go have more).
//
// tf_efficientnet_b0 and tf_mobilenetv3 have the names of efficientnet_b0 and mobilenetv3 but pad and normalise otherwise; a
// file's name or its config.json tells the two apart, the tensors do not (settle).

// builder is how timm's EfficientNet builder and torchvision name the parts of a family's blocks.
type builder struct {
	// parts of each kind of block.
	parts map[blockKind]map[string]string
	// ends are the layers outside of the blocks; %d stands for the number of the layer behind them.
	ends map[string]string
	// numbered by stage and index within it, as in EfficientNet, or one after the other.
	staged bool
}

// blockKind is the structure of a block.
type blockKind string

const (
	separable        blockKind = "separable" // begins with the depthwise convolution
	separableSqueeze blockKind = "separable, squeeze and excitation"
	inverted         blockKind = "inverted" // expands the channels before it
	invertedSqueeze  blockKind = "inverted, squeeze and excitation"
	plainConv        blockKind = "convolution"
	fused            blockKind = "fused" // expands with the convolution over pixels
)

var (
	mobileNetV2 = builder{
		parts: map[blockKind]map[string]string{
			separable: {"conv_dw": "conv.0.0", "bn1": "conv.0.1", "conv_pw": "conv.1", "bn2": "conv.2"},
			inverted: {"conv_pw": "conv.0.0", "bn1": "conv.0.1", "conv_dw": "conv.1.0", "bn2": "conv.1.1",
				"conv_pwl": "conv.2", "bn3": "conv.3"},
		},
		ends: convolutionalEnds,
	}
	mobileNetV3 = builder{
		parts: map[blockKind]map[string]string{
			separable:        {"conv_dw": "block.0.0", "bn1": "block.0.1", "conv_pw": "block.1.0", "bn2": "block.1.1"},
			separableSqueeze: squeezedSeparable,
			inverted: {"conv_pw": "block.0.0", "bn1": "block.0.1", "conv_dw": "block.1.0", "bn2": "block.1.1",
				"conv_pwl": "block.2.0", "bn3": "block.2.1"},
			invertedSqueeze: squeezedInverted,
			plainConv:       {"conv": "0", "bn1": "1"},
		},
		ends: map[string]string{"conv_stem": "features.0.0", "bn1": "features.0.1", "conv_head": "classifier.0", "classifier": "classifier.3"},
	}
	efficientNet = builder{
		parts: map[blockKind]map[string]string{
			separableSqueeze: squeezedSeparable, invertedSqueeze: squeezedInverted,
			plainConv: {"conv": "block.0.0", "bn1": "block.0.1"}, // V2 has these two
			fused:     {"conv_exp": "block.0.0", "bn1": "block.0.1", "conv_pwl": "block.1.0", "bn2": "block.1.1"},
		},
		ends:   convolutionalEnds,
		staged: true,
	}

	convolutionalEnds = map[string]string{
		"conv_stem": "features.0.0", "bn1": "features.0.1", "conv_head": "features.%d.0", "bn2": "features.%d.1", "classifier": "classifier.1",
	}
	squeezedSeparable = map[string]string{"conv_dw": "block.0.0", "bn1": "block.0.1", "se.conv_reduce": "block.1.fc1",
		"se.conv_expand": "block.1.fc2", "conv_pw": "block.2.0", "bn2": "block.2.1"}
	squeezedInverted = map[string]string{"conv_pw": "block.0.0", "bn1": "block.0.1", "conv_dw": "block.1.0", "bn2": "block.1.1",
		"se.conv_reduce": "block.2.fc1", "se.conv_expand": "block.2.fc2", "conv_pwl": "block.3.0", "bn3": "block.3.1"}
)

// timmBlock matches a parameter of a block: stage, index, part, role.
var timmBlock = regexp.MustCompile(`^blocks\.(\d{1,3})\.(\d{1,3})\.(.+)\.(\w+)$`)

// builderOf recognises the networks of timm's builder; nil for others.
func builderOf(tensors map[string]*Tensor) *builder {
	switch {
	case tensors["conv_stem.weight"] == nil, tensors["norm_head.weight"] != nil: // the latter is MobileNetV4, which torchvision lacks
		return nil
	case tensors["conv_head.bias"] != nil: // behind the global pool
		return &mobileNetV3
	case tensors["blocks.0.0.se.conv_reduce.weight"] != nil, tensors["blocks.0.0.conv.weight"] != nil:
		return &efficientNet
	}
	return &mobileNetV2
}

func (b *builder) translate(tensors map[string]*Tensor) (map[string]*Tensor, error) {
	places, last := b.places(tensors)
	renamed := map[string]*Tensor{}
	for name, t := range tensors {
		layer, role := cutLast(name)
		if m := timmBlock.FindStringSubmatch(name); m != nil {
			block := blockOf(m)
			if part := b.parts[kindOf(block, tensors)][m[3]]; part != "" {
				name = places[block] + "." + part + "." + role
			}
		} else if end := b.ends[layer]; end != "" {
			if strings.HasPrefix(end, "classifier") {
				t = t.matrix()
			}
			name = strings.ReplaceAll(end, "%d", strconv.Itoa(last)) + "." + role
		}
		if err := addAs(name, t, renamed); err != nil {
			return nil, err
		}
	}
	return renamed, nil
}

// kindOf tells the structure of a block from its parts.
func kindOf(block [2]int, tensors map[string]*Tensor) blockKind {
	has := func(part string) bool {
		return tensors[fmt.Sprintf("blocks.%d.%d.%s.weight", block[0], block[1], part)] != nil
	}
	squeeze := has("se.conv_reduce")
	switch {
	case has("conv"):
		return plainConv
	case has("conv_exp"):
		return fused
	case has("conv_pwl") && squeeze:
		return invertedSqueeze
	case has("conv_pwl"):
		return inverted
	case squeeze:
		return separableSqueeze
	}
	return separable
}

// places tells where torchvision puts every block, by stage and index, and the number of the layer behind them.
func (b *builder) places(tensors map[string]*Tensor) (places map[[2]int]string, last int) {
	places = map[[2]int]string{}
	for name := range tensors {
		if m := timmBlock.FindStringSubmatch(name); m != nil {
			places[blockOf(m)] = ""
		}
	}
	var order [][2]int
	for block := range places {
		order = append(order, block)
	}
	slices.SortFunc(order, func(a, b [2]int) int { return slices.Compare(a[:], b[:]) })
	for i, block := range order {
		places[block] = fmt.Sprintf("features.%d", i+1)
		last = i + 2
		if b.staged {
			places[block] = fmt.Sprintf("features.%d.%d", block[0]+1, block[1])
			last = block[0] + 2
		}
	}
	return places, last
}

func blockOf(match []string) [2]int {
	stage, _ := strconv.Atoi(match[1]) // both are digits
	index, _ := strconv.Atoi(match[2])
	return [2]int{stage, index}
}

// cutLast separates weight, bias, running_mean from the layer's name.
func cutLast(name string) (layer, role string) {
	at := strings.LastIndexByte(name, '.')
	return name[:max(at, 0)], name[at+1:]
}

// vgg turns the classifier's convolutions, whose kernels cover the whole map, back into linear layers.
func vgg(tensors map[string]*Tensor) (map[string]*Tensor, error) {
	layers := map[string]string{"pre_logits.fc1": "classifier.0", "pre_logits.fc2": "classifier.3", "head.fc": "classifier.6"}
	renamed := map[string]*Tensor{}
	for name, t := range tensors {
		layer, role := cutLast(name)
		if to := layers[layer]; to != "" {
			name, t = to+"."+role, t.matrix()
		}
		if err := addAs(name, t, renamed); err != nil {
			return nil, err
		}
	}
	return renamed, nil
}

// matrix is a contiguous tensor (O, C, H, W) as (O, C*H*W); others stay as they are.
func (t *Tensor) matrix() *Tensor {
	if len(t.Shape) != 4 || !slices.Equal(t.strides, rowMajor(t.Shape)) {
		return t
	}
	flat := *t
	flat.Shape = []int{t.Shape[0], product(t.Shape[1:])}
	flat.strides = rowMajor(flat.Shape)
	return &flat
}
