package weights

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"regraft/photo"
)

// modelConfig is the config.json that lies beside weights on Hugging Face, timm's or transformers', as far as it applies. Its zero
// value stands for none.
type modelConfig struct {
	// timm's.
	Architecture string          `json:"architecture"`
	LabelNames   json.RawMessage `json:"label_names"` // a list, or an object of number to name
	Pretrained   struct {
		InputSize     []int     `json:"input_size"`
		Mean          []float32 `json:"mean"`
		Std           []float32 `json:"std"`
		CropPct       float64   `json:"crop_pct"`
		CropMode      string    `json:"crop_mode"`
		Interpolation string    `json:"interpolation"`
	} `json:"pretrained_cfg"`
	// transformers'.
	ModelType              string            `json:"model_type"`
	ID2Label               map[string]string `json:"id2label"`
	DownsampleInBottleneck bool              `json:"downsample_in_bottleneck"`
	layersConfig
	// Vision has the layers of the network of images where there is one of texts beside it.
	Vision *layersConfig `json:"vision_config"`
}

// layersConfig is what transformers' config.json tells of a network's layers.
type layersConfig struct {
	HiddenAct        string  `json:"hidden_act"`
	LayerNormEpsilon float32 `json:"layer_norm_eps"`
	AttentionHeads   int     `json:"num_attention_heads"`
	// Of Swin: the sides of windows, and of those that the weights were first trained with.
	WindowSize        sides `json:"window_size"`
	PretrainedWindows []int `json:"pretrained_window_sizes"`
}

// sides are those of a window: one number for both, or a list. What is neither is a window without sides.
type sides []int

// UnmarshalJSON reads either.
func (s *sides) UnmarshalJSON(data []byte) error {
	var one int
	if json.Unmarshal(data, &one) == nil {
		*s = sides{one}
		return nil
	}
	var list []int
	if json.Unmarshal(data, &list) != nil || len(list) == 0 {
		list = []int{-1} // no window has such sides
	}
	*s = list
	return nil
}

// String is one number where both are the same.
func (s sides) String() string {
	text := fmt.Sprint([]int(s))
	if len(s) > 0 && s.areAll(s[0]) {
		text = strconv.Itoa(s[0])
	}
	return text
}

// given tells whether there are any; 0 stands for none.
func (s sides) given() bool { return len(s) > 0 && !slices.Equal(s, sides{0}) }

// areAll tells whether every side is that long.
func (s sides) areAll(side int) bool {
	return !slices.ContainsFunc(s, func(n int) bool { return n != side })
}

// readConfig returns the zero value where there is no such file or another program's.
func readConfig(path string) modelConfig {
	c, _ := readJSON[modelConfig](path)
	if v := c.Vision; v != nil {
		c.layersConfig = *v
	}
	return c
}

// readJSON reads a small file; the zero value where there is none that fits.
func readJSON[T any](path string) (v T, ok bool) {
	f, err := os.Open(path)
	if err != nil {
		return v, false
	}
	defer f.Close()
	return parseJSON[T](f)
}

func parseJSON[T any](r io.Reader) (v T, ok bool) {
	const most = 1 << 20
	if json.NewDecoder(io.LimitReader(r, most)).Decode(&v) != nil {
		var none T
		return none, false
	}
	return v, true
}

// timmArchs are timm's names of our architectures that differ.
var timmArchs = map[string]string{
	"mobilenetv2_100": "mobilenet_v2", "tf_inception_v3": "inception_v3", "adv_inception_v3": "inception_v3", "gluon_inception_v3": "inception_v3",
	"mobilenetv3_large_100": "mobilenet_v3_large", "mobilenetv3_small_100": "mobilenet_v3_small", "efficientnetv2_s": "efficientnet_v2_s",
	"efficientnetv2_m": "efficientnet_v2_m",
	"regnetx_004":      "regnet_x_400mf", "regnetx_008": "regnet_x_800mf", "regnetx_016": "regnet_x_1_6gf", "regnetx_032": "regnet_x_3_2gf",
	"regnetx_080": "regnet_x_8gf", "regnetx_160": "regnet_x_16gf",
	"regnety_004": "regnet_y_400mf", "regnety_008": "regnet_y_800mf", "regnety_016": "regnet_y_1_6gf", "regnety_032": "regnet_y_3_2gf",
	"regnety_080": "regnet_y_8gf", "regnety_160": "regnet_y_16gf",
	"swin_tiny_patch4_window7_224": "swin_t", "swin_small_patch4_window7_224": "swin_s", "swin_base_patch4_window7_224": "swin_b",
	"swinv2_tiny_window8_256": "swin_v2_t", "swinv2_small_window8_256": "swin_v2_s", "swinv2_base_window8_256": "swin_v2_b",
}

// tensorFlow begins the names of timm's models that pad as TensorFlow does and have its constant beside the variance; otherwise
// they have the tensors of those without it.
const tensorFlow = "tf_"

// arch is our name of timm's architecture.
func (c modelConfig) arch() string {
	if ours := timmArchs[c.Architecture]; ours != "" {
		return ours
	}
	plain := strings.TrimPrefix(c.Architecture, tensorFlow)
	return cmp.Or(timmArchs[plain], vitArch(plain), plain)
}

// padsAsTensorFlow matches the paths of timm's files whose name says so.
var padsAsTensorFlow = regexp.MustCompile(`tf_(efficientnet|mobilenet)`)

// tensorFlow tells whether the weights are of such a model, by config.json or else by the file's path.
func (c modelConfig) tensorFlow(path string) bool {
	if c.Architecture != "" {
		return strings.HasPrefix(c.Architecture, tensorFlow)
	}
	return padsAsTensorFlow.MatchString(path)
}

// otherThan says what config.json tells of the architecture, where that is not arch.
func (c modelConfig) otherThan(arch string) string {
	if c.Architecture != "" && c.arch() != arch {
		return c.Architecture + " by its config.json"
	}
	usual := map[string]string{"resnet": "relu", "convnext": "gelu", "convnextv2": "gelu", "dinov3_convnext": "gelu"}[c.ModelType]
	switch {
	case c.DownsampleInBottleneck:
		return "a ResNet with its strides in the 1x1 convolutions, by its config.json (downsample_in_bottleneck)"
	case usual != "" && c.HiddenAct != "" && c.HiddenAct != usual:
		return fmt.Sprintf("a network with %s, by its config.json (hidden_act)", c.HiddenAct)
	}
	return ""
}

// Files of timm's whose networks have the tensors of others and compute something else: blurring before strides takes no weights, and those
// of Swin V2 fit windows of any size.
var (
	blurred   = regexp.MustCompile(`(resnet|mobilenetv4_conv_)(aa|blur)`)
	windowing = regexp.MustCompile(`window(\d+)`)
)

// otherByName says what a file's path tells of the architecture, where config.json does not and that is not arch.
func (c modelConfig) otherByName(path, arch string) string {
	if c.Architecture != "" {
		return ""
	}
	if m := blurred.FindStringSubmatch(path); m != nil && strings.HasPrefix(arch, strings.TrimSuffix(m[1], "conv_")) {
		return "a network that blurs before it strides, by its file's name"
	}
	if m := windowing.FindStringSubmatch(path); m != nil && !c.WindowSize.given() && strings.HasPrefix(arch, "swin_") {
		if window := fmt.Sprint(swinWindows[strings.HasPrefix(arch, "swin_v2_")]); m[1] != window {
			return fmt.Sprintf("one with windows of %s, by its file's name", m[1])
		}
	}
	return ""
}

// preprocess is timm's evaluation of the weights; nil where the file does not tell it or regraft cannot do it.
func (c modelConfig) preprocess(arch string) *photo.Preprocess {
	t := c.Pretrained
	if c.arch() != arch || len(t.InputSize) != 3 || len(t.Mean) != 3 || len(t.Std) != 3 || slices.Min(t.Std) <= 0 ||
		t.InputSize[1] < 1 || t.InputSize[1] > 1<<12 || !(t.CropPct >= 0.25 && t.CropPct <= 1) || t.CropMode != "" && t.CropMode != "center" {
		return nil
	}
	p := timmPreprocess(t.InputSize[1], t.CropPct, [3]float32(t.Mean), [3]float32(t.Std))
	if t.Interpolation == string(photo.Bilinear) {
		p.Resample = photo.Bilinear
	}
	return p
}

// placeholder matches the names that transformers makes up where nobody gave any.
var placeholder = regexp.MustCompile(`^LABEL_\d+$`)

// labels are the names of the classes, nil where the file has none.
func (c modelConfig) labels() []string {
	var labels []string
	if json.Unmarshal(c.LabelNames, &labels) == nil {
		return labels
	}
	byNumber := c.ID2Label
	if len(c.LabelNames) > 0 && json.Unmarshal(c.LabelNames, &byNumber) != nil {
		return nil
	}
	for i := range len(byNumber) {
		label, ok := byNumber[strconv.Itoa(i)]
		if !ok || placeholder.MatchString(label) {
			return nil
		}
		labels = append(labels, label)
	}
	return labels
}

// processor is the preprocessor_config.json that transformers puts beside weights.
type processor struct{ photo.Preprocess }

// UnmarshalJSON reads the file, also where it follows ConvNeXt's own rule: of an input below 384 pixels only the centre that crop_pct
// tells is seen, a larger one is squashed.
func (p *processor) UnmarshalJSON(data []byte) error {
	var rule struct {
		CropPct float64        `json:"crop_pct"`
		Size    map[string]int `json:"size"`
	}
	if err := json.Unmarshal(data, &rule); err != nil {
		return err
	}
	side := rule.Size["shortest_edge"]
	if rule.CropPct > 0 && rule.CropPct <= 1 && side > 0 {
		var fields map[string]any
		if err := json.Unmarshal(data, &fields); err != nil {
			return err
		}
		square := map[string]int{"height": side, "width": side}
		fields["size"] = square
		const squashedFrom = 384
		if side < squashedFrom {
			fields["size"], fields["crop_size"], fields["do_center_crop"] = map[string]int{"shortest_edge": int(float64(side) / rule.CropPct)}, square, true
		}
		var err error
		if data, err = json.Marshal(fields); err != nil {
			return err
		}
	}
	return json.Unmarshal(data, &p.Preprocess)
}

// readProcessor returns nil where there is no such file or one that cannot be followed.
func readProcessor(dir string) *photo.Preprocess {
	if p, ok := readJSON[processor](filepath.Join(dir, "preprocessor_config.json")); ok {
		return &p.Preprocess
	}
	return nil
}
