package cli

import (
	"bytes"
	"encoding/json"
	"image"
	"image/png"
	"path/filepath"
	"strings"
	"testing"

	"regraft/engine/random"
)

// TestDistance: what is far from the training photos is unknown with the reason, in every format, at the distance that was asked for; inspect and
// summary.json tell of it, exports keep it, and --far 0 leaves it out.
func TestDistance(t *testing.T) {
	data, out := dataset(t, 20, 1), filepath.Join(t.TempDir(), "run")
	args := func(out string, more ...string) []string {
		return append([]string{"train", "-m", model, "--data", data, "-o", out, "--mean", "0", "--std", "1", "--views", "1", "--no-report"}, more...)
	}
	r := must(t, args(out)...)
	var summary struct {
		Distance struct {
			Block  string
			Kept   float64
			Photos int
			Bytes  int
		}
	}
	if err := json.Unmarshal(fileAt(t, filepath.Join(out, "summary.json")), &summary); err != nil || summary.Distance.Photos < 50 || summary.Distance.Bytes == 0 {
		t.Fatalf("%v, %+v", err, summary)
	}
	if !strings.Contains(r.stdout, "pictures of something else are unknown: ") {
		t.Errorf("train says nothing of the distance: %s", r.stdout)
	}
	odd, best := filepath.Join(t.TempDir(), "odd.png"), filepath.Join(out, "best.onnx")
	writeNoise(t, odd)
	exported := filepath.Join(t.TempDir(), "eval.onnx")
	must(t, "export", best, "--out", exported, "--fp16")
	for _, m := range []string{best, exported} {
		a := lines[jsonAnswer](t, must(t, "classify", "-m", m, "--json", odd).stdout)[0]
		if !a.Far || !a.Unknown || a.Distance == nil || *a.Distance <= 1 || len(a.Top) != 1 {
			t.Errorf("%s: %+v", m, a)
		}
		if text := must(t, "inspect", m).stdout; !strings.Contains(text, "distance    pictures of something else are unknown: ") {
			t.Errorf("inspect: %s", text)
		}
	}
	if a := lines[jsonAnswer](t, must(t, "classify", "-m", best, "--json", "--distance", "0", odd).stdout)[0]; a.Far || a.Unknown || *a.Distance <= 1 {
		t.Errorf("with --distance 0: %+v", a)
	}
	if a := lines[jsonAnswer](t, must(t, "classify", "-m", best, "--json", "--distance", "0.01", filepath.Join(data, "test", "sea")).stdout)[0]; !a.Far {
		t.Errorf("with --distance 0.01: %+v", a)
	}
	if text := must(t, "classify", "-m", best, odd).stdout; !strings.Contains(text, "\tunknown, unlike the training photos (distance ") {
		t.Errorf("text: %s", text)
	}
	if text := must(t, "classify", "-m", best, "--format", "csv", odd).stdout; !strings.Contains(text, ",true,") {
		t.Errorf("csv: %s", text)
	}
	without := filepath.Join(t.TempDir(), "run")
	must(t, args(without, "--far", "0")...)
	best = filepath.Join(without, "best.onnx")
	if line := must(t, "classify", "-m", best, "--json", odd).stdout; strings.Contains(line, "distance") || strings.Contains(line, "far") {
		t.Errorf("without a distance: %s", line)
	}
	wrong{"no distance", []string{"classify", "-m", best, "--distance", "2", odd}, statusModel, "--distance: the model does not know"}.check(t, "")
	wrong{"a share of 1", args(filepath.Join(t.TempDir(), "run"), "--far", "1"), statusUsage, "--far"}.check(t, "")
}

// writeNoise makes a PNG of random pixels.
func writeNoise(t *testing.T, path string) {
	t.Helper()
	img, r := image.NewRGBA(image.Rect(0, 0, 90, 80)), random.At(1, "noise")
	for i := range img.Pix {
		img.Pix[i] = uint8(r.IntN(256)) | uint8(i%4/3*255)
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	write(t, path, b.Bytes())
}
