package cli

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"regraft/golden"
	"regraft/onnx"
	"regraft/photo"
)

// TestInputForms: every form of a network's input computes what ONNX Runtime computes, and makes of a photo what Pillow makes of it
// (testdata/inputs/make.py).
func TestInputForms(t *testing.T) {
	folder := filepath.Join("testdata", "inputs")
	files, err := filepath.Glob(filepath.Join(folder, "*.onnx"))
	if err != nil || len(files) < 20 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".onnx"), func(t *testing.T) {
			npz := strings.TrimSuffix(file, ".onnx") + ".npz"
			must(t, "verify", file, "--against", npz)
			ref, err := openReference(npz)
			if err != nil {
				t.Fatal(err)
			}
			defer ref.close()
			if !ref.has("photo") {
				return
			}
			want, err := ref.array("photo")
			if err != nil {
				t.Fatal(err)
			}
			var answer jsonAnswer
			r := must(t, "classify", "--model", file, "--json", "--logits", filepath.Join(folder, "photo.png"))
			if err := json.Unmarshal([]byte(r.stdout), &answer); err != nil {
				t.Fatal(err)
			}
			tolerance := 1e-4
			if strings.HasPrefix(filepath.Base(file), "half") {
				tolerance = 1e-2
			}
			most := 0.0
			for _, v := range want.values {
				most = max(most, math.Abs(float64(v)))
			}
			for i, v := range want.values {
				if e := math.Abs(float64(answer.Logits[i] - v)); !(e <= tolerance*most) {
					t.Errorf("logit %d of the photo is %g, ONNX Runtime has %g", i, answer.Logits[i], v)
				}
			}
		})
	}
}

// TestReportedInputs: files of the kinds that people have reported.
func TestReportedInputs(t *testing.T) {
	folder := filepath.Join(golden.Dir(t), "reports", "onnx")
	if _, err := os.Stat(folder); err != nil {
		t.Skip("needs the reported files")
	}
	for _, name := range []string{
		"all-open", "bgr", "gray-nchw", "gray-nhwc", "half-inside", "half-io", "mean-image-trained", "nhwc-efficientnet-unused-inputs",
		"nhwc-keras-tutorial", "nhwc-rescaling", "nhwc-scalar", "not-square", "resize-inside", "uint8-nchw", "uint8-nhwc", "unused-input",
	} {
		must(t, "verify", filepath.Join(folder, name+".onnx"), "--against", filepath.Join(folder, name+".npz"))
	}
}

// TestInputsInTraining is the way of a user whose network takes photos that are not square, grey, or bytes: train both ways, look at the
// result, classify with it.
func TestInputsInTraining(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long")
	}
	data := dataset(t, 4, 2)
	for _, c := range []struct {
		file  string
		flags []string
		want  photo.Preprocess
	}{
		{"not-square-gem", []string{"--channels", "bgr"}, photo.ImageNet(photo.Size{H: 48, W: 32}).Reordered(photo.BGR)},
		{"open-depthwise", []string{"--input-size", "24x40"}, *photo.ImageNet(photo.Size{H: 24, W: 40})},
		{"gray-nhwc", []string{"--mean", "127.5", "--std", "127.5"}, photo.Pixels(photo.Size{H: 14, W: 20}).Reordered(photo.Gray).With(
			photo.Override{Mean: &[3]float32{127.5, 127.5, 127.5}, Std: &[3]float32{127.5, 127.5, 127.5}})},
		{"uint8-nhwc", nil, *photo.Pixels(photo.Size{H: 16, W: 24})},
		{"half-nhwc", nil, photo.Usual[3].Apply(*photo.ImageNet(photo.Size{H: 16, W: 24}))},
	} {
		file := filepath.Join("testdata", "inputs", c.file+".onnx")
		for _, mode := range []string{"heads", "full"} {
			out := filepath.Join(t.TempDir(), "run")
			args := append([]string{"train", "--model", file, "--data", data, "--out", out, "--mode", mode, "--epochs", "1"}, c.flags...)
			must(t, args...)
			best := filepath.Join(out, "best.onnx")
			net, info, err := onnx.Read(best, onnx.ReadOptions{})
			if err != nil {
				t.Fatal(err)
			}
			must(t, "train", "--out", out, "--resume", "--epochs", "2")
			if got := *net.Meta.Preprocess; got != c.want || net.ImageSize() != c.want.Size || info.Image.Channels != c.want.Depth() {
				t.Errorf("%s, %s: stored %+v for %v, want %+v", c.file, mode, got, net.ImageSize(), c.want)
			}
			for _, command := range [][]string{
				{"classify", filepath.Join(data, "test")}, {"eval", "--data", data}, {"bench", "infer", "--runs", "1"},
				{"export", "--out", filepath.Join(out, "exported.onnx")}, {"inspect"},
			} {
				r := must(t, append(command, "--model", best)...)
				if command[0] != "bench" && r.stderr != "" {
					t.Errorf("%s, %s: %v says %s", c.file, mode, command, r.stderr)
				}
			}
			must(t, "import", filepath.Join(out, "exported.onnx"), "--out", filepath.Join(out, "imported.onnx"))
			if net, _, err = onnx.Read(filepath.Join(out, "imported.onnx"), onnx.ReadOptions{}); err != nil || *net.Meta.Preprocess != c.want {
				t.Errorf("%s, %s: after export and import: %v", c.file, mode, err)
			}
		}
	}
}

// TestWrongInputs: what cannot be is refused, with what to do.
func TestWrongInputs(t *testing.T) {
	file := func(name string) string { return filepath.Join("testdata", "inputs", name+".onnx") }
	picture := filepath.Join("testdata", "inputs", "photo.png")
	for _, w := range []wrong{
		{"open size", []string{"classify", "--model", file("open-depthwise"), picture}, statusModel, "--input-size"},
		{"four channels", []string{"classify", "--model", file("four-channels"), picture}, statusFailed, "4 channels"},
		{"grey asked of colour", []string{"classify", "--model", file("nhwc-pad"), "--channels", "gray", picture}, statusModel, "(--channels rgb or bgr)"},
		{"colour asked of grey", []string{"classify", "--model", file("gray-nhwc"), "--channels", "bgr", picture}, statusModel, "(--channels gray)"},
		{"three means for grey", []string{"classify", "--model", file("gray-nhwc"), "--mean", "0.1,0.2,0.3", picture}, statusModel, "one mean"},
		{"uint8 normalised", []string{"classify", "--model", file("uint8-nhwc"), "--mean", "0.5", "--std", "0.5", picture}, statusModel, "uint8"},
		{"half of 255", []string{"classify", "--model", file("nhwc-pad"), "--mean", "103.9,116.8,123.7", picture}, statusUsage, "give both"},
		{"unknown order", []string{"classify", "--model", file("nhwc-pad"), "--channels", "grb", picture}, statusUsage, "choose one of rgb, bgr, gray"},
		{"a photo for a list", []string{"classify", "--model", file("nhwc-pad"), "--files-from", picture}, statusUsage, "is a photo, not a list"},
		{"no size", []string{"classify", "--model", file("nhwc-pad"), "--input-size", "48x", picture}, statusUsage, "480x224"},
	} {
		w.check(t, "")
	}
}

// TestInspectInputs: inspect tells what the file's input is and what became of it.
func TestInspectInputs(t *testing.T) {
	for name, says := range map[string][]string{
		"gray-nhwc":          {"1 channel (grey), 14 x 20 pixels", "channels last", "pixels from 0 to 255 are assumed"},
		"uint8-nhwc":         {"3 channels, 16 x 24 pixels", "uint8: pixels as they are", "squash to 16x24 pixels"},
		"half-inside":        {"float16 in the file, computed in float32"},
		"nhwc-flip-slice":    {"the order [2 1 0]", "then [-123.68 -116.779 -103.939] is added"},
		"dead-input":         {`input "z" is left out`},
		"phase-dropout":      {`input "phase", a single bool, is taken as false`},
		"nhwc-normalization": {"24 x 16 pixels"},
	} {
		out := must(t, "inspect", filepath.Join("testdata", "inputs", name+".onnx")).stdout
		for _, text := range says {
			if !strings.Contains(out, text) {
				t.Errorf("%s: %q is not in\n%s", name, text, out)
			}
		}
	}
}

// TestAssumptionRepeated: what was assumed stands at the end of stderr, and in summary.json.
func TestAssumptionRepeated(t *testing.T) {
	data := dataset(t, 8, 2)
	file, out := filepath.Join("testdata", "inputs", "not-square-gem.onnx"), filepath.Join(t.TempDir(), "run")
	for _, args := range [][]string{
		{"train", "--model", file, "--data", data, "--out", out, "--epochs", "2"}, {"classify", "--model", file, data},
	} {
		lines := strings.Split(strings.TrimSpace(must(t, args...).stderr), "\n")
		first := slices.IndexFunc(lines, func(l string) bool { return strings.Contains(l, "ImageNet's mean and std are assumed") })
		if last := lines[len(lines)-1]; first < 0 || first == len(lines)-1 || !strings.Contains(last, "ImageNet's mean and std were assumed") {
			t.Errorf("%s: %q", args[0], lines)
		}
	}
	var summary struct {
		Assumed struct {
			Scaling string
			Photos  int
			Trials  []struct{ Scaling string }
		} `json:"preprocess_assumed"`
	}
	text, err := os.ReadFile(filepath.Join(out, "summary.json"))
	if err == nil {
		err = json.Unmarshal(text, &summary)
	}
	if a := summary.Assumed; err != nil || a.Scaling != "ImageNet's mean and std" || a.Photos != 24 || len(a.Trials) != 4 {
		t.Errorf("%+v, %v", a, err)
	}
	told := must(t, "train", "--model", file, "--data", data, "--out", filepath.Join(t.TempDir(), "run"), "--epochs", "1", "--mean", "0.5", "--std", "0.5")
	if strings.Contains(told.stderr, "assumed") {
		t.Errorf("with --mean and --std: %s", told.stderr)
	}
}
