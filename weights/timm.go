package weights

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// timm names most networks as torchvision does. MobileNetV2 and EfficientNet come from its own builder, and VGG's
// classifier is convolutions there; torchvisionNames translates these.
//
// tf_efficientnet_b0 has the names of efficientnet_b0 but pads and normalises otherwise; a file's name or its
// config.json tells the two apart, the tensors do not.

// builder is how timm's EfficientNet builder and torchvision name the parts of a family's blocks.
type builder struct {
	// separable blocks begin with the depthwise convolution, inverted ones expand the channels before it.
	separable, inverted map[string]string
	// numbered by stage and index within it, as in EfficientNet, or one after the other.
	staged bool
}

var (
	mobileNetV2 = builder{
		separable: map[string]string{"conv_dw": "conv.0.0", "bn1": "conv.0.1", "conv_pw": "conv.1", "bn2": "conv.2"},
		inverted: map[string]string{"conv_pw": "conv.0.0", "bn1": "conv.0.1", "conv_dw": "conv.1.0", "bn2": "conv.1.1",
			"conv_pwl": "conv.2", "bn3": "conv.3"},
	}
	efficientNet = builder{
		separable: map[string]string{"conv_dw": "block.0.0", "bn1": "block.0.1", "se.conv_reduce": "block.1.fc1",
			"se.conv_expand": "block.1.fc2", "conv_pw": "block.2.0", "bn2": "block.2.1"},
		inverted: map[string]string{"conv_pw": "block.0.0", "bn1": "block.0.1", "conv_dw": "block.1.0", "bn2": "block.1.1",
			"se.conv_reduce": "block.2.fc1", "se.conv_expand": "block.2.fc2", "conv_pwl": "block.3.0", "bn3": "block.3.1"},
		staged: true,
	}
)

// timmBlock matches a parameter of a block: stage, index, part, role.
var timmBlock = regexp.MustCompile(`^blocks\.(\d{1,3})\.(\d{1,3})\.(.+)\.(\w+)$`)

// torchvisionNames gives tensors with timm's own names torchvision's; others stay as they are.
func torchvisionNames(tensors map[string]*Tensor) (map[string]*Tensor, error) {
	switch {
	case tensors["conv_stem.weight"] != nil && tensors["blocks.0.0.se.conv_reduce.weight"] != nil:
		return efficientNet.translate(tensors)
	case tensors["conv_stem.weight"] != nil:
		return mobileNetV2.translate(tensors)
	case tensors["pre_logits.fc1.weight"] != nil:
		return vgg(tensors)
	}
	return tensors, nil
}

func (b builder) translate(tensors map[string]*Tensor) (map[string]*Tensor, error) {
	places, last := b.places(tensors)
	ends := map[string]string{
		"conv_stem": "features.0.0", "bn1": "features.0.1", "conv_head": fmt.Sprintf("features.%d.0", last),
		"bn2": fmt.Sprintf("features.%d.1", last), "classifier": "classifier.1",
	}
	renamed := map[string]*Tensor{}
	for name, t := range tensors {
		layer, role := cutLast(name)
		if m := timmBlock.FindStringSubmatch(name); m != nil {
			block := blockOf(m)
			parts := b.separable
			if tensors[fmt.Sprintf("blocks.%d.%d.conv_pwl.weight", block[0], block[1])] != nil {
				parts = b.inverted
			}
			if part := parts[m[3]]; part != "" {
				name = places[block] + "." + part + "." + role
			}
		} else if end := ends[layer]; end != "" {
			name = end + "." + role
		}
		if err := addAs(name, t, renamed); err != nil {
			return nil, err
		}
	}
	return renamed, nil
}

// places tells where torchvision puts every block, by stage and index, and the number of the layer behind them.
func (b builder) places(tensors map[string]*Tensor) (places map[[2]int]string, last int) {
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
