package weights

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"regraft/photo"
)

// Swin transformers have torchvision's names, timm's, those of the paper's own code (microsoft/Swin-Transformer), and of transformers' Swin
// and Swin V2. All become torchvision's.

var (
	swinBlock = regexp.MustCompile(`^(?:swin(?:v2)?\.encoder\.)?layers\.([0-3])\.blocks\.(\d{1,2})\.(.+)$`)
	swinMerge = regexp.MustCompile(`^(?:swin(?:v2)?\.encoder\.)?layers\.([0-3])\.downsample\.(.+)$`)
	// swinAside are tables that the architecture tells, and the bias that keys do not have.
	swinAside = regexp.MustCompile(`\.(relative_position_index|relative_coords_table|attn_mask|k_bias)$`)
)

// swinParts are the layers of a block, and what stands alone.
var swinParts = map[string]string{
	"layernorm_before": "norm1", "layernorm_after": "norm2", "attention.output.dense": "attn.proj",
	"mlp.fc1": "mlp.0", "mlp.fc2": "mlp.3", "intermediate.dense": "mlp.0", "output.dense": "mlp.3",
	"attention.q_proj": "query", "attention.k_proj": "key", "attention.v_proj": "value", "attention.o_proj": "attn.proj",
	"attention.relative_position_bias.relative_position_bias_table": "attn.relative_position_bias_table",
	"attention.self.query": "query", "attention.self.key": "key", "attention.self.value": "value",
	"attention.self.continuous_position_bias_mlp.0": "attn.cpb_mlp.0", "attention.self.continuous_position_bias_mlp.2": "attn.cpb_mlp.2",
	"attention.self.relative_position_bias_table": "attn.relative_position_bias_table", "attention.self.logit_scale": "attn.logit_scale",
	"attn.q_bias": "query.bias", "attn.v_bias": "value.bias",
}

// swinEnds are the layers outside of blocks.
var swinEnds = map[string]string{
	"patch_embed.proj": "features.0.0", "patch_embed.norm": "features.0.2", "head.fc": "head", "classifier": "head",
	"swin.embeddings.patch_embeddings.projection": "features.0.0", "swin.embeddings.norm": "features.0.2", "swin.layernorm": "norm",
	"swinv2.embeddings.patch_embeddings.projection": "features.0.0", "swinv2.embeddings.norm": "features.0.2", "swinv2.layernorm": "norm",
}

// isSwin tells whether tensors are those of a Swin transformer.
func isSwin(tensors map[string]*Tensor) bool {
	for _, name := range []string{
		"features.1.0.attn.proj.weight", "layers.0.blocks.0.attn.proj.weight",
		"swin.encoder.layers.0.blocks.0.attention.output.dense.weight", "swin.encoder.layers.0.blocks.0.attention.o_proj.weight",
		"swinv2.encoder.layers.0.blocks.0.attention.output.dense.weight",
	} {
		if tensors[name] != nil {
			return true
		}
	}
	return false
}

// swin translates names and joins what the graphs have as one weight; it returns what is left aside too.
func swin(tensors map[string]*Tensor) (renamed map[string]*Tensor, aside []string, err error) {
	// timm puts the layers between two stages into the second one, the others into the first.
	behind := 1
	if tensors["layers.0.downsample.reduction.weight"] == nil && tensors["layers.1.downsample.reduction.weight"] != nil {
		behind = 0
	}
	renamed = map[string]*Tensor{}
	for name, t := range tensors {
		if swinAside.MatchString(name) {
			if err := cmp.Or(checkWindow(name, t, tensors), checkKeys(name, t)); err != nil {
				return nil, nil, err
			}
			aside = append(aside, name)
			continue
		}
		if err := addAs(swinName(name, behind), t, renamed); err != nil {
			return nil, nil, err
		}
	}
	slices.Sort(aside)
	for name := range renamed {
		block, isQuery := strings.CutSuffix(name, ".query.weight")
		if isQuery {
			joinProjections(renamed, block, block+".attn.qkv.weight")
		}
	}
	for name := range renamed {
		if block, isQuery := strings.CutSuffix(name, ".query.bias"); isQuery {
			joinBiases(renamed, block, block+".attn.qkv.bias")
		}
	}
	for name := range renamed {
		if layer, second := strings.CutSuffix(name, ".logit_scale"); second && renamed[layer+".qkv.bias"] != nil {
			renamed[layer+".qkv.bias"] = withoutKeys(renamed[layer+".qkv.bias"])
		}
	}
	return renamed, aside, nil
}

// swinName is torchvision's name for a tensor; behind says how many stages the layers between stages lie behind theirs.
func swinName(name string, behind int) string {
	if m := swinBlock.FindStringSubmatch(name); m != nil {
		stage, _ := strconv.Atoi(m[1]) // a digit
		part, role := cutLast(m[3])
		switch {
		case swinParts[m[3]] != "":
			part = swinParts[m[3]]
		case swinParts[part] != "":
			part = swinParts[part] + "." + role
		default:
			part = m[3]
		}
		return fmt.Sprintf("features.%d.%s.%s", 2*stage+1, m[2], part)
	}
	if m := swinMerge.FindStringSubmatch(name); m != nil {
		stage, _ := strconv.Atoi(m[1])
		return fmt.Sprintf("features.%d.%s", 2*(stage+behind), m[2])
	}
	if layer, role := cutLast(name); swinEnds[layer] != "" {
		return swinEnds[layer] + "." + role
	}
	return name
}

// withoutKeys is a bias of queries, keys and values of which that of the keys is 0, as Swin V2 computes with it.
func withoutKeys(t *Tensor) *Tensor {
	return derived(t.Name, t.Shape, func() ([]float32, error) {
		values, err := t.Values()
		if err == nil {
			values = slices.Clone(values)
			clear(values[len(values)/3 : len(values)/3*2])
		}
		return values, err
	})
}

// swinWindows are the sides of the windows of both versions, by whether blocks have a temperature.
var swinWindows = map[bool]int{false: 7, true: 8}

// checkWindow refuses a table for windows of another size: no weight of Swin V2 depends on it.
func checkWindow(name string, t *Tensor, tensors map[string]*Tensor) error {
	layer, table := cutLast(name)
	window := swinWindows[tensors[layer+".logit_scale"] != nil]
	want := map[string]int{"relative_position_index": window * window * window * window, "relative_coords_table": 2 * (2*window - 1) * (2*window - 1)}[table]
	if want == 0 || t.Size() == want {
		return nil
	}
	return fmt.Errorf("tensor %q of shape %v is not for windows of %d tokens a side; no other windows are supported", t.Name, t.Shape, window)
}

// checkKeys refuses a bias of keys that is not zero: no network here computes with one apart from those of queries and values.
func checkKeys(name string, t *Tensor) error {
	if !strings.HasSuffix(name, ".k_bias") {
		return nil
	}
	values, err := t.Values()
	if err != nil {
		return err
	}
	if slices.ContainsFunc(values, func(v float32) bool { return v != 0 }) {
		return fmt.Errorf("tensor %q is a bias of keys and not zero; Swin V2 has none", t.Name)
	}
	return nil
}

// isSwin tells whether the family is one of Swin transformers.
func (f *family) isSwin() bool { return strings.HasPrefix(f.name, "swin_") }

// windowsAssumed tells whether nothing says which windows the weights are for: those of Swin V2 fit all.
func (m *Match) windowsAssumed(c modelConfig) bool {
	table := func(name string) bool { return strings.Contains(name, ".relative_") }
	return strings.HasPrefix(m.Family, "swin_v2_") && !c.WindowSize.given() && c.Architecture == "" && !slices.ContainsFunc(m.aside, table)
}

// settleSwin refuses what config.json or the caller want of another network, and gives the preprocessing that is usual where nothing tells it.
func (m *Match) settleSwin(from *origin, asked photo.Size) error {
	second := strings.HasPrefix(m.Family, "swin_v2_")
	window, side := swinWindows[second], map[bool]int{false: 224, true: 256}[second]
	c := from.config
	if c.WindowSize.given() && !c.WindowSize.areAll(window) {
		return fmt.Errorf("config.json tells of windows of %v tokens a side; those of %s have %d", c.WindowSize, m.Family, window)
	}
	if slices.ContainsFunc(c.PretrainedWindows, func(w int) bool { return w != 0 }) {
		return fmt.Errorf("config.json tells of weights that were trained with windows of %v tokens a side, which %s are not", c.PretrainedWindows, m.Family)
	}
	if c.HiddenAct != "" && c.HiddenAct != "gelu" {
		return fmt.Errorf("config.json tells of the activation %q; that of %s is gelu", c.HiddenAct, m.Family)
	}
	if c.LayerNormEpsilon != 0 && c.LayerNormEpsilon != 1e-5 {
		return fmt.Errorf("config.json tells of norms with the constant %g; that of %s is 1e-05", c.LayerNormEpsilon, m.Family)
	}
	if from.assumed != "" {
		p := timmPreprocess(side, 0.9, imageNetMean, imageNetStd)
		if m.has("features.1.0.norm1.weight") {
			p.Short = map[string]int{"swin_t": 232, "swin_s": 246, "swin_b": 238, "swin_v2_t": 260, "swin_v2_s": 260, "swin_v2_b": 272}[m.Family]
			from.assumed = "torchvision's pretrained weights"
		} else {
			from.assumed = "timm's weights of its kind"
		}
		from.preprocess = *p
	}
	if size := photo.Square(side); asked != (photo.Size{}) && asked != size || from.preprocess.Size != size {
		if asked == (photo.Size{}) {
			asked = from.preprocess.Size
		}
		return fmt.Errorf("the graph of %s is for photos of %v, not %v: for others import an ONNX file", m.Family, size, asked)
	}
	return nil
}
