package cli

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// schemas are the fields that other programs may rely on; fields are only ever added.
var schemas = map[string]string{
	"inspect": `schema file ir_version opset producer dialect inputs[].name inputs[].shape[] inputs[].dtype
		outputs[].name outputs[].shape[] outputs[].dtype operators parameters macs
		heads[].name heads[].kind heads[].classes heads[].features heads[].node batchnorm labels preprocess unsupported advice`,
	"classify": `schema path top[].label top[].index top[].p unknown error logits[] features[]`,
	"eval": `schema images loss accuracy per_class[].label per_class[].n per_class[].precision per_class[].recall per_class[].f1 confusion[][]
		confused labels[] split skipped`,
	"verify": `schema outputs[].name outputs[].max_abs_error outputs[].max_abs outputs[].relative outputs[].top1_agreement tolerance ok`,
	"bench": `schema what model batch threads isa ms_per_image_min ms_per_image_median gflops percent_of_peak
		peak_gflops peak_rss_mib`,
	"plan":    `schema batch isa steps[].op steps[].kernel steps[].shapes steps[].node steps[].why steps[].interpreted`,
	"augment": `schema path epoch changes with share`,
	"check": `schema root classes[].label classes[].train classes[].val classes[].test split imbalance
		unreadable contradictions leaks duplicates near_leaks near_contradictions near_duplicates odd tiny huge ignored left_out problems warnings`,
}

func TestSchemas(t *testing.T) {
	data, _, best := common(t)
	for command, args := range map[string][]string{
		"inspect":  {"inspect", model},
		"classify": {"classify", "--model", best, "--logits", "--features", filepath.Join(data, "test")},
		"eval":     {"eval", "--model", best, "--data", data},
		"verify":   {"verify", model, "--against", referenceFile(t)},
		"bench":    {"bench", "infer", model, "--runs", "1"},
		"plan":     {"inspect", model, "--plan"},
		"check":    {"check", data},
		"augment":  {"augment", filepath.Join(data, "test", "sea"), "-o", filepath.Join(t.TempDir(), "x.png"), "--augment", "mixup:100"},
	} {
		r := must(t, append(args, "--json")...)
		for _, line := range strings.Split(strings.TrimSpace(r.stdout), "\n") {
			var object map[string]any
			if err := json.Unmarshal([]byte(line), &object); err != nil {
				t.Fatalf("%s: %v in %s", command, err, line)
			}
			if want := "regraft/" + command + "/1"; object["schema"] != want {
				t.Errorf("%s: schema %v, want %s", command, object["schema"], want)
			}
			have := fields(object, "")
			for _, field := range strings.Fields(schemas[command]) {
				if !slices.Contains(have, field) {
					t.Errorf("%s: field %s is missing in %s", command, field, line)
				}
			}
		}
	}
}

// fields lists the paths of all values in v, and of the objects and lists on the way; elements of
// lists are "[]".
func fields(v any, path string) []string {
	all := []string{path}
	switch v := v.(type) {
	case map[string]any:
		for key, x := range v {
			all = append(all, fields(x, strings.TrimPrefix(path+"."+key, "."))...)
		}
	case []any:
		for _, x := range v {
			all = append(all, fields(x, path+"[]")...)
		}
	}
	return all
}
