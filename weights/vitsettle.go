package weights

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"regraft/engine"
	"regraft/onnx"
	"regraft/photo"
)

// What the tensors of a vision transformer do not tell: the constants of its norms, its activation, how its table of positions is
// resampled, and the photos that it wants. The library tells, by the names, and config.json.

// isVit tells whether the family is one of vision transformers.
func (f *family) isVit() bool {
	return slices.ContainsFunc(f.params, func(p onnx.Placeholder) bool { return p.Name == vitBlocks+"0.ln_1.weight" })
}

// library is whose names the tensors of a vision transformer have.
type library string

const (
	ofTorchvision  library = "torchvision"
	ofTimm         library = "timm"
	ofPaper        library = "DINOv2's own code" // timm's names, and what pretraining needs
	ofTransformers library = "transformers"
)

func (m *Match) library() library {
	switch {
	case m.has(vitBlocks + "0.ln_1.weight"):
		return ofTorchvision
	case m.has("blocks.0.attn.qkv.weight") && m.has("mask_token"):
		return ofPaper
	case m.has("blocks.0.attn.qkv.weight"):
		return ofTimm
	}
	return ofTransformers
}

// kind is the family's name up to its size: vit, deit, dinov2, clip, siglip, beit.
func (f *family) kind() string {
	kind, _, _ := strings.Cut(f.name, "_")
	return kind
}

func (m *Match) interpolation() interpolation {
	registers := strings.HasSuffix(m.Family, "_reg")
	switch m.library() {
	case ofTorchvision:
		return interpolation{corners: true}
	case ofTimm:
		return interpolation{antialias: true}
	case ofPaper:
		if !registers {
			return interpolation{offset: 0.1}
		}
	}
	return interpolation{antialias: registers}
}

// tableSize is that of the photos that the table of positions is for, zero where there is none.
func (m *Match) tableSize() photo.Size {
	t, w := m.tensors[positionTable], m.tensors[patchWeight]
	if t == nil || w == nil {
		return photo.Size{}
	}
	return photo.Square(gridSide(t.Shape[1]) * w.Shape[2])
}

// positions is the table for photos of a size; zero is the table's own.
func (m *Match) positions(shape []int, values []float32, size photo.Size) ([]int, []float32, error) {
	patch := m.tensors[patchWeight]
	if size == (photo.Size{}) {
		size = m.tableSize()
	}
	if patch == nil || len(patch.Shape) != 4 || size == m.tableSize() {
		return shape, values, nil
	}
	grid, err := gridFor(size, patch.Shape[2])
	if err != nil {
		return nil, nil, err
	}
	rows := prefixTokens(shape[1]) + grid.H*grid.W
	return []int{1, rows, shape[2]}, m.interpolation().resize(values, shape[1], shape[2], grid), nil
}

// What the graphs call the scores of a classifier, and the features that are an alternative to them: one vector a photo, and all tokens.
const (
	logitsOutput = "logits"
	pooledOutput = "pooler_output"
	tokensOutput = "last_hidden_state"
)

// alternatives are the outputs to keep of those that are complete: one classifier, or else all that the tokens give.
func alternatives(complete []engine.Output) []engine.Output {
	for _, out := range complete {
		if strings.HasSuffix(out.Name, logitsOutput) {
			out.Name = logitsOutput
			return []engine.Output{out}
		}
	}
	return complete
}

// conventions are those of the network's library.
type conventions struct {
	epsilon float32
	gelu    engine.Gelu
}

// gelus are the activations by their names in config.json.
var gelus = map[string]engine.Gelu{
	"gelu": engine.ExactGelu, "quick_gelu": engine.QuickGelu, "gelu_pytorch_tanh": engine.TanhGelu, "gelu_new": engine.TanhGelu,
}

func (m *Match) conventions(config modelConfig) conventions {
	c := conventions{epsilon: 1e-6, gelu: engine.ExactGelu}
	kind, library := m.family.kind(), m.library()
	switch {
	case kind == "clip":
		c.epsilon = 1e-5
		if library == ofTransformers || strings.Contains(config.Architecture, "quickgelu") {
			c.gelu = engine.QuickGelu
		}
	case library == ofTransformers && slices.Contains([]string{"vit", "deit", "beit"}, kind):
		c.epsilon = 1e-12
	case library == ofTransformers && kind == "siglip":
		c.gelu = engine.TanhGelu
	}
	if library == ofTransformers {
		c.epsilon = cmp.Or(config.LayerNormEpsilon, c.epsilon)
	}
	if gelu, told := gelus[config.HiddenAct]; told {
		c.gelu = gelu
	}
	return c
}

func (c conventions) apply(net *engine.Network) (*engine.Network, error) {
	net, err := net.WithEpsilon(func(string) (float32, bool) { return c.epsilon, true })
	if err != nil || c.gelu == engine.ExactGelu {
		return net, err
	}
	return net.WithGelu(c.gelu)
}

// headWidth is the number of channels of one head of attention in the graphs.
const headWidth = 64

// settleVit refuses what config.json tells of another network, and gives the preprocessing that is usual where nothing tells it.
func (m *Match) settleVit(from *origin) error {
	c, width := from.config, m.tensors[patchWeight]
	if n := c.AttentionHeads; n > 0 && width != nil && len(width.Shape) == 4 && width.Shape[0] != n*headWidth {
		return fmt.Errorf("config.json tells of %d heads of attention for %d channels; %s has heads of %d channels", n, width.Shape[0], m.Family, headWidth)
	}
	if _, known := gelus[c.HiddenAct]; c.HiddenAct != "" && !known {
		return fmt.Errorf("config.json tells of the activation %q; those of %s are %s", c.HiddenAct, m.Family, strings.Join(slices.Sorted(maps.Keys(gelus)), ", "))
	}
	if from.assumed == "" {
		return nil
	}
	p := timmPreprocess(224, 0.9, half3, half3)
	from.assumed = "timm's and transformers' weights of its kind"
	switch kind := m.family.kind(); {
	case m.library() == ofTorchvision:
		p = timmPreprocess(224, 0.875, imageNetMean, imageNetStd)
		p.Resample, from.assumed = photo.Bilinear, "torchvision's pretrained weights"
	case kind == "dinov2":
		p, from.assumed = timmPreprocess(224, 0.875, imageNetMean, imageNetStd), "DINOv2's weights"
	case kind == "deit":
		p, from.assumed = timmPreprocess(224, 0.9, imageNetMean, imageNetStd), "DeiT's weights"
	case kind == "clip":
		p, from.assumed = timmPreprocess(224, 1, clipMean, clipStd), "CLIP's weights"
	case kind == "siglip":
		p = photo.ImageNet(photo.Square(224))
		p.Mean, p.Std, p.Resample, p.Resize, from.assumed = half3, half3, "bicubic", "squash", "SigLIP's weights"
	}
	if size := m.tableSize(); size != (photo.Size{}) {
		*p = p.Resized(size)
	}
	from.preprocess = *p
	return nil
}

// Means and standard deviations of CLIP's photos.
var (
	clipMean = [3]float32{0.48145466, 0.4578275, 0.40821073}
	clipStd  = [3]float32{0.26862954, 0.26130258, 0.27577711}
)

// timmVit matches timm's names of vision transformers: the network, its size, and the side of a patch, with what stands between and behind.
var timmVit = regexp.MustCompile(`^(vit|deit|beit)_(tiny|small|base|large)_(distilled_)?patch(\d+)_(reg4_dinov2|dinov2|clip_quickgelu_\d+|clip_\d+|siglip_\d+|\d+)$`)

// vitArch is our name of timm's vision transformer, "" where we have none.
func vitArch(name string) string {
	m := timmVit.FindStringSubmatch(name)
	if m == nil {
		return ""
	}
	kind, size, distilled, patch, rest := m[1], m[2], m[3] != "", m[4], m[5]
	letter := size[:1]
	switch {
	case rest == "dinov2":
		return "dinov2_" + size
	case rest == "reg4_dinov2":
		return "dinov2_" + size + "_reg"
	case strings.HasPrefix(rest, "clip"):
		return fmt.Sprintf("clip_vit_%s_%s", letter, patch)
	case strings.HasPrefix(rest, "siglip"):
		return fmt.Sprintf("siglip_%s_%s", letter, patch)
	case distilled:
		return fmt.Sprintf("deit_%s_%s_distilled", letter, patch)
	case kind == "beit":
		return fmt.Sprintf("beit_%s_%s", letter, patch)
	}
	return fmt.Sprintf("vit_%s_%s", letter, patch)
}
