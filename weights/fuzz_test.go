package weights

import (
	"bytes"
	"encoding/json"
	"slices"
	"testing"

	"regraft/photo"
)

// FuzzLabels: whatever is taken for names survives being written as JSON.
func FuzzLabels(f *testing.F) {
	for _, text := range []string{"cat\ndog\r\n", "\ufeff[\"cat\", \"d\\u00f6g\"]", "[\"cat\", 1]", "[", "\xff\n", "a\n\nb"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		labels, err := parseLabels(text)
		if err != nil || len(labels) == 0 {
			return
		}
		list, err := json.Marshal(labels)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := parseLabels(string(list)); err != nil || !slices.Equal(again, labels) {
			t.Errorf("%q becomes %q (%v)", labels, again, err)
		}
	})
}

// FuzzConfig: whatever is taken for timm's preprocessing can prepare photos.
func FuzzConfig(f *testing.F) {
	f.Add([]byte(`{"architecture": "inception_v3", "pretrained_cfg": {"input_size": [3, 299, 299], "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5], "crop_pct": 0.875}}`))
	f.Add([]byte(`{"architecture": "inception_v3", "pretrained_cfg": {"input_size": [3, 4096, 1], "mean": [1e38, 0, -1], "std": [1e-45, 1, 1], "crop_pct": 0.2}}`))
	f.Add([]byte(`{"architecture": "inception_v3", "pretrained_cfg": null}`))
	f.Add([]byte(`{"size": {"shortest_edge": 224}, "crop_pct": 0.875, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5], "resample": 3, "rescale_factor": 0.00392156862745098}`))
	f.Add([]byte(`{"id2label": {"0": "a", "1": "b"}, "model_type": "resnet"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, _ := parseJSON[modelConfig](bytes.NewReader(data))
		c.labels()
		processed, ok := parseJSON[processor](bytes.NewReader(data))
		for _, p := range []*photo.Preprocess{c.preprocess("inception_v3"), &processed.Preprocess} {
			if p == nil || p == &processed.Preprocess && !ok {
				continue
			}
			if err := (*photo.Preprocess)(p).Check(); err != nil {
				t.Error(err)
			}
		}
	})
}
