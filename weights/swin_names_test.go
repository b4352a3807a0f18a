package weights

import (
	"strings"
	"testing"

	"regraft/photo"
)

// TestSwinConfig: what config.json tells of other windows is refused, where the tensors are the same, and so are tables for them.
func TestSwinConfig(t *testing.T) {
	m, err := FindFamily(zeros(t, "swin_v2_t", 9), "", "")
	if err != nil || m.Family != "swin_v2_t" || m.faults() > 0 {
		t.Fatalf("%v, %v", m, err)
	}
	for want, layers := range map[string]layersConfig{
		"windows of 16":        {WindowSize: sides{16}},
		"trained with windows": {WindowSize: sides{8}, PretrainedWindows: []int{12, 12, 12, 6}},
		"activation":           {HiddenAct: "relu"},
		"constant 0.01":        {LayerNormEpsilon: 0.01},
		"":                     {WindowSize: sides{8}, PretrainedWindows: []int{0, 0, 0, 0}, HiddenAct: "gelu", LayerNormEpsilon: 1e-5},
	} {
		from := &origin{config: modelConfig{layersConfig: layers}, assumed: "nothing"}
		if err := m.settleSwin(from, photo.Size{}); want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%+v: %v", layers, err)
		}
	}
	for text, want := range map[string]string{`8`: "", `[8, 8]`: "", `[8]`: "", `0`: "", `[8, 16]`: "windows of [8 16]", `16`: "windows of 16", `[16, 16]`: "windows of 16", `"all"`: "windows of"} {
		c, ok := parseJSON[modelConfig](strings.NewReader(`{"model_type": "swinv2", "hidden_act": "gelu", "window_size": ` + text + `}`))
		if !ok || c.HiddenAct != "gelu" {
			t.Errorf("window_size %s: %+v", text, c)
		}
		if err := m.settleSwin(&origin{config: c, assumed: "nothing"}, photo.Size{}); want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("window_size %s: %v", text, err)
		}
	}
	for _, last := range []float32{0, 0.5} {
		tensors := zeros(t, "swin_v2_t", 9)
		keys := derived("features.1.0.attn.k_bias", []int{2}, func() ([]float32, error) { return []float32{0, last}, nil })
		if err := tensors.add(keys.Name, *keys); err != nil {
			t.Fatal(err)
		}
		if _, err := FindFamily(tensors, "", ""); (err == nil) != (last == 0) || err != nil && !strings.Contains(err.Error(), "k_bias") {
			t.Errorf("keys with a bias of %v: %v", last, err)
		}
	}
	for architecture, other := range map[string]bool{"swinv2_tiny_window8_256": false, "swinv2_tiny_window16_256": true} {
		if got := (modelConfig{Architecture: architecture}).otherThan("swin_v2_t"); (got != "") != other {
			t.Errorf("%s: %q", architecture, got)
		}
	}
	for side, fits := range map[int]bool{15: true, 31: false} {
		tensors := zeros(t, "swin_v2_t", 9)
		table, err := (&storage{elements: side * side * 2}).view(0, []int{1, side, side, 2}, rowMajor([]int{1, side, side, 2}))
		if err == nil {
			err = tensors.add("features.1.0.attn.relative_coords_table", table)
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, err := FindFamily(tensors, "", ""); (err == nil) != fits {
			t.Errorf("a table of %d x %d distances: %v", side, side, err)
		}
	}
}

// TestSwinNames: one layer by its names in four libraries.
func TestSwinNames(t *testing.T) {
	for name, c := range map[string]struct {
		behind int
		want   string
	}{
		"features.5.3.attn.proj.weight":                                {1, "features.5.3.attn.proj.weight"},
		"layers.2.blocks.3.attn.proj.weight":                           {0, "features.5.3.attn.proj.weight"},
		"swin.encoder.layers.2.blocks.3.attention.output.dense.weight": {1, "features.5.3.attn.proj.weight"},
		"swinv2.encoder.layers.2.blocks.3.output.dense.bias":           {1, "features.5.3.mlp.3.bias"},
		"layers.0.blocks.1.attn.relative_position_bias_table":          {0, "features.1.1.attn.relative_position_bias_table"},
		"swinv2.encoder.layers.3.blocks.0.attention.self.logit_scale":  {1, "features.7.0.attn.logit_scale"},
		"layers.1.downsample.reduction.weight":                         {0, "features.2.reduction.weight"},
		"swin.encoder.layers.0.downsample.norm.bias":                   {1, "features.2.norm.bias"},
		"layers.0.blocks.0.attn.v_bias":                                {0, "features.1.0.value.bias"},
		"swin.embeddings.patch_embeddings.projection.weight":           {1, "features.0.0.weight"},
		"head.fc.bias": {0, "head.bias"}, "classifier.bias": {1, "head.bias"}, "norm.weight": {0, "norm.weight"},
		"swin.encoder.layers.1.blocks.0.attention.q_proj.bias": {1, "features.3.0.query.bias"},
		"swin.encoder.layers.0.blocks.0.attention.o_proj.bias": {1, "features.1.0.attn.proj.bias"},
		"swinv2.layernorm.weight":                              {1, "norm.weight"},
	} {
		if got := swinName(name, c.behind); got != c.want {
			t.Errorf("%s is %s, want %s", name, got, c.want)
		}
	}
}
