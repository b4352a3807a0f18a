package weights

import (
	"slices"
	"strings"
	"testing"

	"regraft/engine"
	"regraft/photo"
)

// parted copies tensors under other names, one under three where its rows are those of queries, keys and values.
func parted(t *testing.T, tensors *Tensors, name func(string) []string) *Tensors {
	t.Helper()
	out := &Tensors{Format: tensors.Format}
	for _, tensor := range tensors.List {
		names := name(tensor.Name)
		for i, n := range names {
			part := *tensor
			if rows := part.Shape[0] / len(names); len(names) > 1 {
				part = *rowsOf(tensor, i*rows, (i+1)*rows)
			}
			if err := out.add(n, part); err != nil {
				t.Fatal(err)
			}
		}
	}
	return out
}

// olderTransformers spells torchvision's names as transformers' files of ViT do.
func olderTransformers(name string) []string {
	layer, role := cutLast(name)
	fixed := map[string]string{"class_token": "vit.embeddings.cls_token", "encoder.pos_embedding": "vit.embeddings.position_embeddings"}
	if to := fixed[name]; to != "" {
		return []string{to}
	}
	fixed = map[string]string{"conv_proj": "vit.embeddings.patch_embeddings.projection", "encoder.ln": "vit.layernorm", "heads.head": "classifier",
		"pooler.dense": "vit.pooler.dense"}
	if to := fixed[layer]; to != "" {
		return []string{to + "." + role}
	}
	block, rest, _ := strings.Cut(strings.TrimPrefix(name, vitBlocks), ".")
	block = "vit.encoder.layer." + block + "."
	if projection, is := strings.CutPrefix(rest, "self_attention.in_proj_"); is {
		attention := block + "attention.attention."
		return []string{attention + "query." + projection, attention + "key." + projection, attention + "value." + projection}
	}
	part, role := cutLast(rest)
	return []string{block + map[string]string{"ln_1": "layernorm_before", "ln_2": "layernorm_after", "mlp.0": "intermediate.dense", "mlp.3": "output.dense",
		"self_attention.out_proj": "attention.output.dense"}[part] + "." + role}
}

// TestVitNames: transformers' names of a network end in the same tensors as torchvision's.
func TestVitNames(t *testing.T) {
	ours := zeros(t, "vit_t_16", 9)
	theirs := parted(t, ours, olderTransformers)
	for wrapper, tensors := range map[string]*Tensors{"": theirs, "model.": renamed(t, theirs, func(n string) string { return "model." + n })} {
		m, err := FindFamily(tensors, "", "")
		if err != nil {
			t.Fatal(err)
		}
		if m.Family != "vit_t_16" || m.faults() > 0 || m.library() != ofTransformers {
			t.Errorf("%q: taken for %s of %s: missing %q, unexpected %q, misshapen %q", wrapper, m.Family, m.library(), m.Missing, m.Unexpected, m.Misshapen)
		}
	}
	if m, err := FindFamily(ours, "", ""); err != nil || m.library() != ofTorchvision {
		t.Errorf("torchvision's own names are those of %s (%v)", m.library(), err)
	}
}

// TestActivations: config.json tells which GELU it is, whatever the network; else the library does.
func TestActivations(t *testing.T) {
	ours := zeros(t, "vit_t_16", 9)
	m, err := FindFamily(parted(t, ours, olderTransformers), "", "")
	if err != nil {
		t.Fatal(err)
	}
	for act, want := range map[string]engine.Gelu{
		"": engine.ExactGelu, "gelu": engine.ExactGelu, "quick_gelu": engine.QuickGelu, "gelu_new": engine.TanhGelu, "gelu_pytorch_tanh": engine.TanhGelu,
	} {
		config := modelConfig{layersConfig: layersConfig{HiddenAct: act}}
		if got := m.conventions(config).gelu; got != want {
			t.Errorf("%q is taken for %v, want %v", act, got, want)
		}
		if err := m.settleVit(&origin{config: config}); err != nil {
			t.Error(err)
		}
	}
	if err := m.settleVit(&origin{config: modelConfig{layersConfig: layersConfig{HiddenAct: "relu"}}}); err == nil {
		t.Error("relu is taken for a GELU")
	}
}

// TestTwoTowers: of a network of texts and images the tower of images is taken, with a word.
func TestTwoTowers(t *testing.T) {
	tensors := zeros(t, "clip_vit_b_32", 9)
	both := renamed(t, tensors, func(n string) string { return map[bool]string{false: n}[strings.HasPrefix(n, "heads.")] })
	for _, name := range []string{"logit_scale", "text_projection.weight", "text_model.embeddings.token_embedding.weight",
		"text_model.embeddings.position_embedding.weight", "text_model.encoder.layers.0.self_attn.q_proj.weight",
		"text_model.encoder.layers.0.layer_norm1.weight", "text_model.final_layer_norm.weight", "text_model.final_layer_norm.bias"} {
		if err := both.add(name, *tensors.List[0]); err != nil {
			t.Fatal(err)
		}
	}
	clip := func(name string) []string { // torchvision's names as CLIP's of transformers
		layer, role := cutLast(name)
		fixed := map[string]string{"class_token": "embeddings.class_embedding", positionTable: "embeddings.position_embedding.weight"}[name]
		if to := map[string]string{"conv_proj": "embeddings.patch_embedding", "encoder.ln": "post_layernorm", "encoder.pre_ln": "pre_layrnorm"}[layer]; to != "" {
			fixed = to + "." + role
		}
		if fixed != "" {
			return []string{"vision_model." + fixed}
		}
		block, rest, found := strings.Cut(strings.TrimPrefix(name, vitBlocks), ".")
		if !strings.HasPrefix(name, vitBlocks) || !found {
			return []string{name}
		}
		block = "vision_model.encoder.layers." + block + "."
		if projection, is := strings.CutPrefix(rest, "self_attention.in_proj_"); is {
			return []string{block + "self_attn.q_proj." + projection, block + "self_attn.k_proj." + projection, block + "self_attn.v_proj." + projection}
		}
		part, role := cutLast(rest)
		return []string{block + map[string]string{"ln_1": "layer_norm1", "ln_2": "layer_norm2", "mlp.0": "mlp.fc1", "mlp.3": "mlp.fc2",
			"self_attention.out_proj": "self_attn.out_proj"}[part] + "." + role}
	}
	m, err := FindFamily(parted(t, both, clip), "", "")
	if err != nil {
		t.Fatal(err)
	}
	if m.Family != "clip_vit_b_32" || len(m.Unexpected)+len(m.Misshapen) > 0 || !slices.Equal(m.Missing, []string{"heads.head.weight", "heads.head.bias"}) {
		t.Errorf("taken for %s: missing %q, unexpected %q, misshapen %q", m.Family, m.Missing, m.Unexpected, m.Misshapen)
	}
	if notes := strings.Join(m.notes(), "\n"); !strings.Contains(notes, "8 tensors that the network of images does not compute with are left out: logit_scale") {
		t.Errorf("notes %q", notes)
	}
	net, _, err := m.network(photo.Size{})
	if err != nil || !slices.Equal(outputNames(net), []string{"image_embeds", "pooler_output", "last_hidden_state"}) {
		t.Errorf("outputs %q, %v", outputNames(net), err)
	}
}

// TestDerived: what tables and weights become (shapeVit).
func TestDerived(t *testing.T) {
	tensor := func(shape []int, values ...float32) *Tensor {
		return derived("x", shape, func() ([]float32, error) { return values, nil })
	}
	tensors := map[string]*Tensor{
		classToken: tensor([]int{2}, 1, 2), registerTokens: tensor([]int{1, 1, 2}, 9, 9), positionTable: tensor([]int{5, 2}, 10, 20, 1, 2, 3, 4, 5, 6, 7, 8),
		"heads.head.weight": tensor([]int{2, 1}, 2, 4), "heads.dist.weight": tensor([]int{2, 1}, 6, 8),
		"heads.head.bias": tensor([]int{2}, 1, 2), "heads.dist.bias": tensor([]int{2}, 3, 4),
		"b.query.weight": tensor([]int{1, 1}, 1), "b.key.weight": tensor([]int{1, 1}, 2), "b.value.weight": tensor([]int{1, 1}, 3),
		"b.query.bias": tensor([]int{1}, 4), "b.value.bias": tensor([]int{1}, 5),
		"pool.in_proj.weight": tensor([]int{3, 1}, 7, 8, 9),
	}
	if err := shapeVit(tensors); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]struct {
		shape  []int
		values []float32
	}{
		classToken:                        {[]int{1, 1, 2}, []float32{11, 22}},
		positionTable:                     {[]int{1, 4, 2}, []float32{1, 2, 3, 4, 5, 6, 7, 8}},
		"heads.head.weight":               {[]int{2, 2}, []float32{1, 3, 2, 4}},
		"heads.head.bias":                 {[]int{2}, []float32{2, 3}},
		"b.self_attention.in_proj_weight": {[]int{3, 1}, []float32{1, 2, 3}},
		"b.self_attention.in_proj_bias":   {[]int{3}, []float32{4, 0, 5}},
		"pool.q.weight":                   {[]int{1, 1}, []float32{7}},
		"pool.kv.weight":                  {[]int{2, 1}, []float32{8, 9}},
	} {
		got := tensors[name]
		if got == nil {
			t.Errorf("%s is missing", name)
			continue
		}
		values, err := got.Values()
		if err != nil || !slices.Equal(got.Shape, want.shape) || !slices.Equal(values, want.values) {
			t.Errorf("%s: %v %v (%v), want %v %v", name, got.Shape, values, err, want.shape, want.values)
		}
	}
	if len(tensors) != 9 {
		t.Errorf("%d tensors are left", len(tensors))
	}
}

// TestOlderTorchvision: the files of VisionTransformer call the layers of an MLP otherwise than the model.
func TestOlderTorchvision(t *testing.T) {
	old := strings.NewReplacer(".mlp.0.", ".mlp.linear_1.", ".mlp.3.", ".mlp.linear_2.")
	m, err := FindFamily(renamed(t, zeros(t, "vit_t_16", 9), old.Replace), "", "")
	if err != nil || m.Family != "vit_t_16" || m.faults() > 0 {
		t.Errorf("%v: missing %q", err, m.Missing)
	}
}
