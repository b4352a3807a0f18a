package weights

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"regraft/engine"
	"regraft/photo"
)

// matchOf is a match with a family's name and tensors that have the given names.
func matchOf(family_ string, names ...string) *Match {
	m := &Match{Family: family_, family: &family{name: family_}, tensors: map[string]*Tensor{}}
	for _, name := range names {
		m.selection.tensors = append(m.selection.tensors, &Tensor{Name: name})
	}
	return m
}

// Names by which the libraries of vision transformers are told apart.
const (
	torchvisionVit  = vitBlocks + "0.ln_1.weight"
	timmQKV         = "blocks.0.attn.qkv.weight"
	transformersVit = "vit.encoder.layer.0.layernorm_before.weight"
	torchvisionSwin = "features.1.0.norm1.weight"
)

// TestUsualPreprocessing: how the libraries evaluate weights of a kind, where nothing beside the weights tells it.
func TestUsualPreprocessing(t *testing.T) {
	type usual struct {
		size, short int
		mean, std   [3]float32
		resample    photo.Resampling
		resize      photo.ResizeRule
		assumed     string
	}
	crop, squash := photo.Crop, photo.Squash
	for _, c := range []struct {
		family, name string
		want         usual
	}{
		{"vit_b_16", torchvisionVit, usual{224, 256, imageNetMean, imageNetStd, photo.Bilinear, crop, "torchvision's pretrained weights"}},
		{"vit_b_16", timmQKV, usual{224, 248, half3, half3, photo.Bicubic, crop, "timm's and transformers' weights of its kind"}},
		{"beit_b_16", transformersVit, usual{224, 248, half3, half3, photo.Bicubic, crop, "timm's and transformers' weights of its kind"}},
		{"dinov2_small", timmQKV, usual{224, 256, imageNetMean, imageNetStd, photo.Bicubic, crop, "DINOv2's weights"}},
		{"deit_s_16", timmQKV, usual{224, 248, imageNetMean, imageNetStd, photo.Bicubic, crop, "DeiT's weights"}},
		{"clip_vit_b_32", transformersVit, usual{224, 224, clipMean, clipStd, photo.Bicubic, crop, "CLIP's weights"}},
		{"siglip_b_16", transformersVit, usual{224, 256, half3, half3, photo.Bicubic, squash, "SigLIP's weights"}},
		{"swin_t", torchvisionSwin, usual{224, 232, imageNetMean, imageNetStd, photo.Bicubic, crop, "torchvision's pretrained weights"}},
		{"swin_s", torchvisionSwin, usual{224, 246, imageNetMean, imageNetStd, photo.Bicubic, crop, "torchvision's pretrained weights"}},
		{"swin_b", torchvisionSwin, usual{224, 238, imageNetMean, imageNetStd, photo.Bicubic, crop, "torchvision's pretrained weights"}},
		{"swin_v2_t", torchvisionSwin, usual{256, 260, imageNetMean, imageNetStd, photo.Bicubic, crop, "torchvision's pretrained weights"}},
		{"swin_v2_b", torchvisionSwin, usual{256, 272, imageNetMean, imageNetStd, photo.Bicubic, crop, "torchvision's pretrained weights"}},
		{"swin_t", "layers.0.blocks.0.norm1.weight", usual{224, 248, imageNetMean, imageNetStd, photo.Bicubic, crop, "timm's weights of its kind"}},
		{"swin_v2_t", "layers.0.blocks.0.norm1.weight", usual{256, 284, imageNetMean, imageNetStd, photo.Bicubic, crop, "timm's weights of its kind"}},
	} {
		m, from := matchOf(c.family, c.name), origin{assumed: "something"}
		settle := m.settleVit
		if m.family.isSwin() {
			settle = func(from *origin) error { return m.settleSwin(from, photo.Size{}) }
		}
		if err := settle(&from); err != nil {
			t.Errorf("%s: %v", c.family, err)
			continue
		}
		p := from.preprocess
		if got := (usual{p.Size.H, p.Short, p.Mean, p.Std, p.Resample, p.Resize, from.assumed}); got != c.want || p.Size.W != p.Size.H {
			t.Errorf("%s of %s: %+v, want %+v", c.family, c.name, got, c.want)
		}
		told := origin{preprocess: photo.Preprocess{Size: p.Size}}
		if err := settle(&told); err != nil || told.preprocess != (photo.Preprocess{Size: p.Size}) {
			t.Errorf("%s: what is told became %+v (%v)", c.family, told.preprocess, err)
		}
	}
	for arch, want := range map[string][2]int{"mobilenetv4_conv_small": {224, 256}, "mobilenetv4_conv_medium": {256, 269}, "mobilenetv4_conv_large": {384, 404}, "convnextv2_atto": {224, 256}} {
		if p := timmAlone(arch); p == nil || p.Size != photo.Square(want[0]) || p.Short != want[1] || p.Mean != imageNetMean || p.Std != imageNetStd {
			t.Errorf("%s: %+v, want %v", arch, p, want)
		}
	}
	if p := timmAlone("resnet50"); p != nil {
		t.Errorf("resnet50, which torchvision has: %+v", p)
	}
}

// TestTableTellsTheSize: where a table of positions is for other photos, they are the usual ones.
func TestTableTellsTheSize(t *testing.T) {
	m, from := matchOf("vit_b_16", timmQKV), origin{assumed: "something"}
	m.tensors[positionTable], m.tensors[patchWeight] = &Tensor{Shape: []int{1, 1 + 24*24, 768}}, &Tensor{Shape: []int{768, 3, 16, 16}}
	if err := m.settleVit(&from); err != nil || from.preprocess.Size != photo.Square(384) {
		t.Errorf("%+v (%v)", from.preprocess, err)
	}
}

// TestConfigOfAnother: config.json tells of a network that computes something else with the same tensors.
func TestConfigOfAnother(t *testing.T) {
	layers := func(c layersConfig) modelConfig { return modelConfig{layersConfig: c} }
	for _, c := range []struct {
		family string
		config modelConfig
		size   photo.Size
		says   string
	}{
		{"swin_t", modelConfig{}, photo.Size{}, ""},
		{"swin_t", layers(layersConfig{WindowSize: sides{7}, HiddenAct: "gelu", LayerNormEpsilon: 1e-5, PretrainedWindows: []int{0, 0}}), photo.Square(224), ""},
		{"swin_t", layers(layersConfig{WindowSize: sides{12}}), photo.Size{}, "windows of 12 tokens a side; those of swin_t have 7"},
		{"swin_v2_t", layers(layersConfig{WindowSize: sides{7}}), photo.Size{}, "windows of 7 tokens a side; those of swin_v2_t have 8"},
		{"swin_v2_t", layers(layersConfig{PretrainedWindows: []int{0, 12}}), photo.Size{}, "trained with windows of [0 12]"},
		{"swin_t", layers(layersConfig{HiddenAct: "relu"}), photo.Size{}, `the activation "relu"`},
		{"swin_t", layers(layersConfig{LayerNormEpsilon: 1e-6}), photo.Size{}, "the constant 1e-06"},
		{"swin_t", modelConfig{}, photo.Square(256), "is for photos of 224, not 256"},
		{"swin_v2_t", modelConfig{}, photo.Square(224), "is for photos of 256, not 224"},
		{"vit_b_16", layers(layersConfig{AttentionHeads: 12, HiddenAct: "gelu"}), photo.Size{}, ""},
		{"vit_b_16", layers(layersConfig{AttentionHeads: 6}), photo.Size{}, "6 heads of attention for 768 channels"},
		{"vit_b_16", layers(layersConfig{HiddenAct: "relu"}), photo.Size{}, `the activation "relu"; those of vit_b_16 are gelu, gelu_new, gelu_pytorch_tanh, quick_gelu`},
	} {
		m := matchOf(c.family, timmQKV)
		m.tensors[patchWeight] = &Tensor{Shape: []int{768, 3, 16, 16}}
		from := origin{assumed: "something", config: c.config}
		var err error
		if m.family.isSwin() {
			err = m.settleSwin(&from, c.size)
		} else {
			err = m.settleVit(&from)
		}
		if c.says == "" && err != nil || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%s, %+v: %v, want %q", c.family, c.config, err, c.says)
		}
	}
	told := origin{preprocess: photo.Preprocess{Size: photo.Square(384)}}
	if err := matchOf("swin_t", torchvisionSwin).settleSwin(&told, photo.Size{}); err == nil || !strings.Contains(err.Error(), "not 384") {
		t.Errorf("preprocessing of another size: %v", err)
	}
}

// TestConventions: the constants of norms and the activations of the libraries.
func TestConventions(t *testing.T) {
	for _, c := range []struct {
		family, name string
		config       modelConfig
		want         conventions
	}{
		{"vit_b_16", torchvisionVit, modelConfig{}, conventions{1e-6, engine.ExactGelu}},
		{"vit_b_16", transformersVit, modelConfig{}, conventions{1e-12, engine.ExactGelu}},
		{"deit_s_16", transformersVit, modelConfig{}, conventions{1e-12, engine.ExactGelu}},
		{"beit_b_16", timmQKV, modelConfig{}, conventions{1e-6, engine.ExactGelu}},
		{"dinov2_small", transformersVit, modelConfig{layersConfig: layersConfig{LayerNormEpsilon: 1e-3}}, conventions{1e-3, engine.ExactGelu}},
		{"dinov2_small", timmQKV, modelConfig{layersConfig: layersConfig{LayerNormEpsilon: 1e-3}}, conventions{1e-6, engine.ExactGelu}},
		{"clip_vit_b_32", transformersVit, modelConfig{}, conventions{1e-5, engine.QuickGelu}},
		{"clip_vit_b_32", timmQKV, modelConfig{}, conventions{1e-5, engine.ExactGelu}},
		{"clip_vit_b_32", timmQKV, modelConfig{Architecture: "vit_base_patch32_clip_quickgelu_224"}, conventions{1e-5, engine.QuickGelu}},
		{"siglip_b_16", transformersVit, modelConfig{}, conventions{1e-6, engine.TanhGelu}},
		{"siglip_b_16", timmQKV, modelConfig{}, conventions{1e-6, engine.ExactGelu}},
		{"vit_b_16", timmQKV, modelConfig{layersConfig: layersConfig{HiddenAct: "gelu_new"}}, conventions{1e-6, engine.TanhGelu}},
	} {
		if got := matchOf(c.family, c.name).conventions(c.config); got != c.want {
			t.Errorf("%s of %s: %+v, want %+v", c.family, c.name, got, c.want)
		}
	}
	resampled := map[interpolation][]*Match{
		{corners: true}: {matchOf("vit_b_16", torchvisionVit)}, {antialias: true}: {matchOf("vit_b_16", timmQKV), matchOf("dinov2_small_reg", timmQKV, "mask_token"), matchOf("dinov2_small_reg", transformersVit)},
		{offset: 0.1}: {matchOf("dinov2_small", timmQKV, "mask_token")}, {}: {matchOf("vit_b_16", transformersVit)},
	}
	for want, matches := range resampled {
		for _, m := range matches {
			if got := m.interpolation(); got != want {
				t.Errorf("%s of %s: %+v, want %+v", m.Family, m.library(), got, want)
			}
		}
	}
}

// TestTimmVitNames: timm's names of vision transformers.
func TestTimmVitNames(t *testing.T) {
	for name, want := range map[string]string{
		"vit_small_patch14_dinov2": "dinov2_small", "vit_base_patch14_reg4_dinov2": "dinov2_base_reg", "vit_base_patch32_clip_224": "clip_vit_b_32",
		"vit_large_patch14_clip_quickgelu_224": "clip_vit_l_14", "vit_base_patch16_siglip_224": "siglip_b_16", "deit_small_distilled_patch16_224": "deit_s_16_distilled",
		"deit_tiny_patch16_224": "vit_t_16", "beit_large_patch16_224": "beit_l_16", "vit_base_patch16_384": "vit_b_16", "vit_base_patch16_rope_224": "", "resnet50": "",
	} {
		if got := vitArch(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

// TestWindowsAssumed: weights of Swin V2 fit windows of any size, so that something else has to tell theirs.
func TestWindowsAssumed(t *testing.T) {
	with := func(m *Match, aside ...string) *Match {
		m.aside = aside
		return m
	}
	for _, c := range []struct {
		m      *Match
		config modelConfig
		want   bool
	}{
		{matchOf("swin_v2_t"), modelConfig{}, true},
		{matchOf("swin_t"), modelConfig{}, false},
		{matchOf("swin_v2_t"), modelConfig{Architecture: "swinv2_tiny_window8_256"}, false},
		{matchOf("swin_v2_t"), modelConfig{layersConfig: layersConfig{WindowSize: sides{8}}}, false},
		{with(matchOf("swin_v2_t"), "layers.0.relative_coords_table"), modelConfig{}, false},
		{with(matchOf("swin_v2_t"), "text.embedding"), modelConfig{}, true},
	} {
		if got := c.m.windowsAssumed(c.config); got != c.want {
			t.Errorf("%s, %+v, %v: %v", c.m.Family, c.config, c.m.aside, got)
		}
	}
}

// TestNeighboursTell: what the files beside weights tell, in the order of their certainty.
func TestNeighboursTell(t *testing.T) {
	const timm = `{"architecture": "resnet50", "label_names": ["a", "b"], "pretrained_cfg": {"input_size": [3, 160, 160], "mean": [0.1, 0.2, 0.3], "std": [0.4, 0.5, 0.6], "crop_pct": 0.8, "interpolation": "bilinear"}}`
	const processor = `{"do_resize": true, "size": {"shortest_edge": 200}, "do_center_crop": true, "crop_size": {"height": 192, "width": 192}, "resample": 3, "do_rescale": true, "rescale_factor": 0.00392156862745098, "do_normalize": true, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]}`
	for name, c := range map[string]struct {
		files         map[string]string
		arch, weights string
		size          int
		mean          float32
		resample      photo.Resampling
		file, assumed string
		labels        int
		transform     bool
	}{
		"timm's config":                  {map[string]string{"config.json": timm, "preprocessor_config.json": processor}, "resnet50", "w.pth", 160, 0.1, photo.Bilinear, "config.json", "", 2, false},
		"transformers' preprocessor":     {map[string]string{"config.json": `{"id2label": {"0": "x", "1": "y", "2": "z"}}`, "preprocessor_config.json": processor}, "resnet50", "w.pth", 192, 0.5, photo.Bicubic, "preprocessor_config.json", "", 3, false},
		"nothing":                        {nil, "resnet50", "w.pth", 224, 0.485, photo.Bilinear, "", "torchvision's pretrained weights", 0, false},
		"nothing, and timm alone has it": {nil, "convnextv2_atto", "w.pth", 224, 0.485, photo.Bicubic, "", "timm's weights", 0, false},
		"broken files":                   {map[string]string{"config.json": "{", "preprocessor_config.json": "["}, "googlenet", "w.pth", 224, 0.485, photo.Bilinear, "", "torchvision's pretrained weights", 0, true},
		"Inception-v3 of torchvision":    {nil, "inception_v3", "w.pth", 299, 0.485, photo.Bilinear, "", "torchvision's pretrained weights", 0, true},
		"Inception-v3 of timm":           {nil, "inception_v3", "tf_inception_v3.pth", 299, 0.5, photo.Bicubic, "", "timm's weights", 0, false},
		"Inception-v3 of gluon":          {nil, "inception_v3", "gluon_inception_v3.pth", 299, 0.485, photo.Bicubic, "", "timm's weights", 0, false},
	} {
		folder := t.TempDir()
		for file, text := range c.files {
			if err := os.WriteFile(filepath.Join(folder, file), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		o, err := findOrigin(filepath.Join(folder, c.weights), c.arch, "pth", false)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		p := o.preprocess
		if p.Size != photo.Square(c.size) || p.Mean[0] != c.mean || p.Resample != c.resample || o.preprocessFile != c.file || o.assumed != c.assumed || len(o.labels) != c.labels || o.transform != c.transform {
			t.Errorf("%s: %+v, file %q, assumed %q, labels %v, transform %v", name, p, o.preprocessFile, o.assumed, o.labels, o.transform)
		}
		notes := strings.Join(o.notes(2), "; ")
		for says, want := range map[string]bool{"gives their preprocessing": c.file != "", "gives the names": c.labels == 2, "names 3 classes, which are not taken": c.labels == 3, "which is assumed": c.assumed != ""} {
			if strings.Contains(notes, says) != want {
				t.Errorf("%s: notes %q, %q: %v", name, notes, says, !want)
			}
		}
	}
	if o, err := findOrigin("inception_v3_google-0cc3c7bd.pth", "inception_v3", "pth", false); err != nil || o.assumed != "" || !o.transform {
		t.Errorf("a known file: %+v (%v)", o, err)
	}
}

// TestConfigLabels: names of classes as a list or by number; made-up and incomplete ones are none.
func TestConfigLabels(t *testing.T) {
	for text, want := range map[string][]string{
		`{"label_names": ["a", "b"]}`: {"a", "b"}, `{"label_names": {"1": "b", "0": "a"}}`: {"a", "b"}, `{"id2label": {"0": "a", "1": "b"}}`: {"a", "b"},
		`{"id2label": {"0": "a", "2": "b"}}`: nil, `{"id2label": {"0": "LABEL_0", "1": "LABEL_1"}}`: nil, `{"label_names": 7}`: nil, `{}`: nil,
	} {
		c, _ := parseJSON[modelConfig](strings.NewReader(text))
		if got := c.labels(); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
}
