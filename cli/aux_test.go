package cli

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestAuxiliaryAttached: an Inception-v3 exported for inference gets a new auxiliary classifier where everything trains, which
// is told, as is where that cannot be.
func TestAuxiliaryAttached(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long")
	}
	data := dataset(t, 3, 1)
	eval := filepath.Join(t.TempDir(), "eval.onnx")
	must(t, "export", inception, "--out", eval)
	keras := "../onnx/testdata/inception_v3.tf2onnx.eval.op17.onnx"
	for _, c := range []struct {
		file, flags, says string
		outputs           int
	}{
		{eval, "--mode full -b 4", "a new one is attached", 2},
		{eval, "--mode full -b 4 --aux-weight 0", "", 1},
		{eval, "--mode heads", "", 1},
		{inception, "--mode full -b 4", "", 2},
		{keras, "--mode full -b 4", "75 pixels are too small", 1},
	} {
		out := filepath.Join(t.TempDir(), "run")
		args := append([]string{"train", "--model", c.file, "--data", data, "--out", out, "--epochs", "1"}, strings.Fields(c.flags)...)
		r := must(t, append(args, plain...)...)
		if told := strings.Contains(r.stderr, "auxiliary classifier"); told != (c.says != "") || !strings.Contains(r.stderr, c.says) {
			t.Errorf("%s %s: %q", filepath.Base(c.file), c.flags, r.stderr)
		}
		v := decode(t, must(t, "inspect", filepath.Join(out, "best.onnx"), "--json").stdout, "regraft/inspect/1", "")
		if n := len(v["heads"].([]any)); n != c.outputs {
			t.Errorf("%s %s: %d heads, want %d", filepath.Base(c.file), c.flags, n, c.outputs)
		}
	}
}
