package weights_test

import (
	"bytes"
	"encoding/json"
	"io"
	"math"
	"os/exec"
	"path"
	"path/filepath"
	"testing"

	"regraft/photo"
	"regraft/weights"
)

// TestSourcesSay: preprocessing, files and sizes are those that torchvision and timm state themselves.
func TestSourcesSay(t *testing.T) {
	interpreter := python(t, "import timm, torchvision; torchvision.models.get_model_weights")
	args := []string{filepath.Join("testdata", "sources.py")}
	for _, s := range weights.Sources() {
		args = append(args, s.Name)
	}
	out, err := exec.Command(interpreter, args...).Output()
	if err != nil {
		t.Fatal(err)
	}
	compared := 0
	for d := json.NewDecoder(bytes.NewReader(out)); ; compared++ {
		var say struct {
			Name, URL   string
			Resample    photo.Resampling
			MiB         float64
			Size, Short int
			Mean, Std   [3]float32
		}
		if err := d.Decode(&say); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		s := weights.FindSource(say.Name)
		p := s.Preprocess
		if p.Size != photo.Square(say.Size) || p.Short != say.Short || p.Resample != say.Resample || p.Mean != say.Mean || p.Std != say.Std {
			t.Errorf("%s: %+v, want %+v", s.Name, p, say)
		}
		if say.URL != "" && path.Base(say.URL) != s.File() { // timm no longer tells the addresses of its old releases
			t.Errorf("%s: %s, want %s", s.Name, s.URL, say.URL)
		}
		if mib := float64(s.Bytes) / (1 << 20); say.MiB > 0 && math.Abs(mib-say.MiB) > 0.001 {
			t.Errorf("%s: %.3f MiB, want %.3f", s.Name, mib, say.MiB)
		}
	}
	if compared != len(weights.Sources()) {
		t.Errorf("%d of %d sources were compared", compared, len(weights.Sources()))
	}
}
