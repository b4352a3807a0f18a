package weights

import (
	"regexp"
	"slices"
	"strings"
)

// Vision transformers have many names: torchvision's, those of transformers' ViT, DeiT, BEiT and DINOv2 (its older ones too, which
// files keep), of its CLIP and SigLIP, and timm's, which are those of the papers' own code. All become torchvision's, and what
// torchvision has no name for is called in its manner.

var (
	// vitModel is what transformers puts in front of the names where a classifier stands beside the network.
	vitModel = regexp.MustCompile(`^(?:vit|deit|beit|dinov2|dinov2_with_registers|vision_model)\.`)
	// vitBlock matches a tensor of a block, with the number of the block and the rest.
	vitBlock = regexp.MustCompile(`^(?:encoder\.)?(?:layers?|blocks)\.(\d{1,3})\.(.+)$`)
	// vitAside are tensors that the network of images does not compute with: the tower of texts, what only pretraining needs, tables
	// that the architecture tells.
	vitAside = regexp.MustCompile(`^(text_model\.|text_projection\.|logit_(scale|bias)$|(.+\.)?(mask_token|position_ids|relative_position_index)$)`)
)

// vitParts are the layers of a block.
var vitParts = map[string]string{
	"norm1": "ln_1", "layernorm_before": "ln_1", "layer_norm1": "ln_1",
	"norm2": "ln_2", "layernorm_after": "ln_2", "layer_norm2": "ln_2",
	"attention.attention.query": "query", "attention.q_proj": "query", "self_attn.q_proj": "query",
	"attention.attention.key": "key", "attention.k_proj": "key", "self_attn.k_proj": "key",
	"attention.attention.value": "value", "attention.v_proj": "value", "self_attn.v_proj": "value",
	"attention.output.dense": attentionPart + "out_proj", "attention.o_proj": attentionPart + "out_proj",
	"self_attn.out_proj": attentionPart + "out_proj", "attn.proj": attentionPart + "out_proj",
	"mlp.fc1": "mlp.0", "intermediate.dense": "mlp.0", "mlp.fc2": "mlp.3", "output.dense": "mlp.3",
}

// vitAlone are a block's parameters that stand alone, and timm's, which has one weight for queries, keys and values.
var vitAlone = map[string]string{
	"attn.qkv.weight": attentionPart + "in_proj_weight", "attn.qkv.bias": attentionPart + "in_proj_bias",
	"attn.q_bias": "query.bias", "attn.v_bias": "value.bias",
	"ls1.gamma": "layer_scale_1", "layer_scale1.lambda1": "layer_scale_1", "gamma_1": "layer_scale_1", "lambda_1": "layer_scale_1",
	"ls2.gamma": "layer_scale_2", "layer_scale2.lambda1": "layer_scale_2", "gamma_2": "layer_scale_2", "lambda_2": "layer_scale_2",
	"attn.relative_position_bias_table":                                       relativePart,
	"relative_position_bias.relative_position_bias_table":                     relativePart,
	"attention.attention.relative_position_bias.relative_position_bias_table": relativePart,
}

const (
	attentionPart = "self_attention."
	relativePart  = attentionPart + "relative_position_bias_table"
	vitBlocks     = "encoder.layers.encoder_layer_"
	positionTable = "encoder.pos_embedding"
	patchWeight   = "conv_proj.weight"
	classToken    = "class_token"
)

// vitLayers are the layers outside of blocks.
var vitLayers = map[string]string{
	"patch_embed.proj": "conv_proj", "embeddings.patch_embeddings.projection": "conv_proj", "embeddings.patch_embedding": "conv_proj",
	"norm": "encoder.ln", "layernorm": "encoder.ln", "post_layernorm": "encoder.ln",
	"norm_pre": "encoder.pre_ln", "pre_layrnorm": "encoder.pre_ln",
	"pooler.dense": "pooler.dense", "visual_projection": "visual_projection",
	"fc_norm": "encoder.fc_norm", "pooler.layernorm": "encoder.fc_norm",
	"head": "heads.head", "head_dist": "heads.dist", "cls_classifier": "heads.head", "distillation_classifier": "heads.dist",
	"attn_pool.q": "pool.q", "attn_pool.kv": "pool.kv", "attn_pool.proj": "pool.out_proj", "attn_pool.norm": "pool.ln",
	"attn_pool.mlp.fc1": "pool.mlp.0", "attn_pool.mlp.fc2": "pool.mlp.3",
	"head.attention.out_proj": "pool.out_proj", "head.layernorm": "pool.ln", "head.mlp.fc1": "pool.mlp.0", "head.mlp.fc2": "pool.mlp.3",
}

// vitTables are tokens and tables outside of blocks.
var vitTables = map[string]string{
	"cls_token": classToken, "embeddings.cls_token": classToken, "embeddings.class_embedding": classToken,
	"pos_embed": positionTable, "embeddings.position_embeddings": positionTable, "embeddings.position_embedding.weight": positionTable,
	"reg_token": registerTokens, "embeddings.register_tokens": registerTokens,
	"dist_token": distillationToken, "embeddings.distillation_token": distillationToken,
	"attn_pool.latent": "pool.query_token", "head.probe": "pool.query_token",
	"head.attention.in_proj_weight": "pool.in_proj.weight", "head.attention.in_proj_bias": "pool.in_proj.bias",
}

const (
	registerTokens    = "register_tokens"
	distillationToken = "distillation_token"
)

// vitClassifiers are what transformers' model of that prefix has for a classifier: it reads the class token, or that and the mean of the
// patches. Classifiers of its CLIP and SigLIP read other means, which the graphs do not have.
var vitClassifiers = map[string]string{"vit.": "heads.head", "beit.": "heads.head", "dinov2.": "heads.linear", "dinov2_with_registers.": "heads.linear"}

// isVit tells whether tensors are those of a vision transformer under other names than torchvision's.
func isVit(tensors map[string]*Tensor) bool {
	patches, attention := false, false
	for name := range tensors {
		to := vitName(name, "")
		patches = patches || to == patchWeight
		attention = attention || strings.HasPrefix(to, vitBlocks+"0.") &&
			(strings.HasSuffix(to, ".query.weight") || strings.HasSuffix(to, "in_proj_weight"))
	}
	return patches && attention
}

// vitName is torchvision's name for a tensor, "" where there is none; model is the prefix of the file's network.
func vitName(name, model string) string {
	layer, role := cutLast(name)
	if to := vitClassifiers[model]; to != "" && layer == "classifier" {
		return to + "." + role
	}
	name = vitModel.ReplaceAllString(name, "")
	layer, _ = cutLast(name)
	if m := vitBlock.FindStringSubmatch(name); m != nil {
		block := vitBlocks + m[1] + "."
		if to := vitAlone[m[2]]; to != "" {
			return block + to
		}
		if part, role := cutLast(m[2]); vitParts[part] != "" {
			return block + vitParts[part] + "." + role
		}
		return ""
	}
	if to := vitTables[name]; to != "" {
		return to
	}
	if to := vitLayers[layer]; to != "" {
		return to + "." + role
	}
	return ""
}

// vit translates names and makes of the tensors what the graphs have; it returns what is left aside too.
func vit(tensors map[string]*Tensor) (renamed map[string]*Tensor, aside []string, err error) {
	model := ""
	for name := range tensors {
		if prefix := vitModel.FindString(name); prefix != "" && prefix != "vision_model." {
			model = prefix
		}
	}
	renamed = map[string]*Tensor{}
	for name, t := range tensors {
		if vitAside.MatchString(name) {
			aside = append(aside, name)
			continue
		}
		if to := vitName(name, model); to != "" {
			name = to
		}
		if err := addAs(name, t, renamed); err != nil {
			return nil, nil, err
		}
	}
	slices.Sort(aside)
	return renamed, aside, shapeVit(renamed)
}
