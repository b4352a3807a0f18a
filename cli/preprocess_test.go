package cli

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestPreprocessWarnings: every way in which photos can be prepared otherwise than a network wants is told, and what is right is
// not. The narrow Inception-v3 has torchvision's transform_input in front, which wants ImageNet's mean and std.
func TestPreprocessWarnings(t *testing.T) {
	const (
		imageNet = "--mean 0.485,0.456,0.406 --std 0.229,0.224,0.225"
		half     = "--mean 0.5,0.5,0.5 --std 0.5,0.5,0.5"
		plain    = "--mean 0,0,0 --std 1,1,1"
		twice    = "--mean 0.485,0.456,0.406 --std 0.02,0.02,0.02"
	)
	data := dataset(t, 2, 1)
	known, transforms := filepath.Join(t.TempDir(), "known.onnx"), filepath.Join(t.TempDir(), "transforms.onnx")
	must(t, append([]string{"import", model, "--out", known}, strings.Fields(imageNet)...)...)
	must(t, append([]string{"import", inception, "--out", transforms}, strings.Fields(imageNet)...)...)
	out := filepath.Join(t.TempDir(), "run")
	must(t, append([]string{"train", "--model", model, "--data", data, "--out", out, "--epochs", "1"}, strings.Fields(half)...)...)
	best := filepath.Join(out, "best.onnx")
	for _, c := range []struct{ file, flags, says string }{
		{inception, "", "ImageNet's mean and std are assumed"},
		{inception, imageNet, ""},
		{inception, half, "normalised too little"},
		{inception, plain, "normalised too little"},
		{inception, twice, "normalised twice"},
		{known, "", ""},
		{known, imageNet, ""},
		{known, half, "mean [0.5 0.5 0.5] instead of [0.485 0.456 0.406], std [0.5 0.5 0.5] instead of [0.229 0.224 0.225]"},
		{known, "--resize crop", "resize crop instead of squash"},
		{known, "--resample bicubic", "resample bicubic instead of bilinear"},
		{known, "--decode fast", "decode fast instead of exact"},
		{known, "--decode exact --decode-memory 1M", ""},
		{best, "", ""},
		{best, half, ""},
		{best, imageNet, "mean [0.485 0.456 0.406] instead of [0.5 0.5 0.5]"},
	} {
		// the warnings come before the first photo, of which there is none
		r := run(t, append([]string{"classify", "--model", c.file, "nowhere.jpg"}, strings.Fields(c.flags)...)...)
		warned := strings.TrimSuffix(r.stderr, "regraft: 1 of 1 photo has no answer\n")
		if r.status != statusInputs || c.says == "" && warned != "" || !strings.Contains(warned, c.says) {
			t.Errorf("%s %s: %q, want %q", filepath.Base(c.file), c.flags, r.stderr, c.says)
		}
	}
	for command, args := range map[string][]string{"eval": nil, "train": {"--out", filepath.Join(t.TempDir(), "run"), "--epochs", "1"}} {
		args = append(append([]string{command, "--model", best, "--data", data}, args...), strings.Fields(imageNet)...)
		if r := must(t, args...); !strings.Contains(r.stderr, "instead of") {
			t.Errorf("%s: %q", command, r.stderr)
		}
	}
	out = filepath.Join(t.TempDir(), "out.onnx")
	for flags, says := range map[string]string{half: "replace", imageNet: ""} {
		r := must(t, append([]string{"import", transforms, "--out", out}, strings.Fields(flags)...)...)
		if doubted := strings.Contains(r.stderr, "too little"); doubted != (says != "") || !strings.Contains(r.stderr, says) {
			t.Errorf("import %s: %q", flags, r.stderr)
		}
	}
	if r := must(t, append([]string{"import", inception, "--out", out}, strings.Fields(twice)...)...); !strings.Contains(r.stderr, "normalised twice") {
		t.Errorf("import: %q", r.stderr)
	}
	wrong{"transform_input twice", []string{"import", inception, "--out", out, "--transform-input"}, statusModel, "would do it twice"}.check(t, "")
}
