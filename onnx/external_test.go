package onnx

import (
	"encoding/binary"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"regraft/golden"
	"regraft/photo"
)

// externalTensor describes a float tensor whose payload lies in another file.
func externalTensor(name string, shape []int, entries ...string) []byte {
	b := newTensorOut(name, shape, []float32{}, nil).header
	for i := 0; i < len(entries); i += 2 {
		b = appendMessage(b, 13, appendText(appendText(nil, 1, entries[i]), 2, entries[i+1]))
	}
	return appendInt(b, 14, 1)
}

func externalModel(entries ...string) []byte {
	m := chainModel("y")
	m.tensors = [][]byte{externalTensor("fc.weight", []int{2, 3}, entries...)}
	m.nodes = [][]byte{
		nodeOut("GlobalAveragePool", "pool", []string{"x"}, []string{"p"}),
		nodeOut("Flatten", "flat", []string{"p"}, []string{"f"}),
		nodeOut("Gemm", "fc", []string{"f", "fc.weight"}, []string{"y"}, intAttribute("transB", 1)),
	}
	return m.bytes()
}

// TestExternalData reads weights beside the model and opens nothing outside of its folder.
func TestExternalData(t *testing.T) {
	parent := t.TempDir()
	folder := filepath.Join(parent, "model")
	if err := os.MkdirAll(filepath.Join(folder, "sub"), 0o755); err != nil {
		t.Fatal(err)
	}
	want := ramp(6)
	payload := make([]byte, 64) // 64 bytes of something else come first
	for _, v := range want {
		payload = binary.LittleEndian.AppendUint32(payload, math.Float32bits(v))
	}
	for _, file := range []string{filepath.Join(parent, "secret"), filepath.Join(folder, "w.data"), filepath.Join(folder, "sub", "w.data")} {
		if err := os.WriteFile(file, payload, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for link, target := range map[string]string{"outside": "../secret", "absolute": filepath.Join(parent, "secret"), "inside": "w.data"} {
		if err := os.Symlink(target, filepath.Join(folder, link)); err != nil {
			t.Skipf("no symbolic links here: %v", err)
		}
	}
	path := filepath.Join(folder, "model.onnx")
	read := func(entries ...string) ([]float32, error) {
		if err := os.WriteFile(path, externalModel(entries...), 0o644); err != nil {
			t.Fatal(err)
		}
		net, _, err := Read(path, ReadOptions{})
		if err != nil {
			return nil, err
		}
		return net.Params[0].Value, nil
	}
	for _, entries := range [][]string{
		{"location", "w.data", "offset", "64", "length", "24"},
		{"location", "w.data", "offset", "64"},
		{"location", "sub/w.data", "offset", "64", "length", "24", "checksum", "unchecked"},
	} {
		if got, err := read(entries...); err != nil || !slices.Equal(got, want) {
			t.Errorf("%v: %v, %v", entries, got, err)
		}
	}
	for _, c := range []struct {
		mention string
		entries []string
	}{
		{"outside", []string{"location", "../secret"}},
		{"outside", []string{"location", "sub/../../secret"}},
		{"outside", []string{"location", filepath.Join(parent, "secret")}},
		{"symbolic link", []string{"location", "outside", "offset", "64"}},
		{"symbolic link", []string{"location", "absolute", "offset", "64"}},
		{"symbolic link", []string{"location", "inside", "offset", "64"}},
		{"regular file", []string{"location", "sub"}},
		{"missing", []string{"location", "nowhere.data"}},
		{"location is missing", []string{"offset", "64"}},
		{"beyond the end", []string{"location", "w.data", "offset", "65", "length", "24"}},
		{"beyond the end", []string{"location", "w.data", "offset", "9223372036854775807", "length", "9223372036854775807"}},
		{"not a size", []string{"location", "w.data", "offset", "-1"}},
		{"not a size", []string{"location", "w.data", "length", "99999999999999999999"}},
		{"needs 6 elements", []string{"location", "w.data", "offset", "64", "length", "20"}},
		{"twice", []string{"location", "w.data", "location", "../secret"}},
	} {
		_, err := read(c.entries...)
		if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), c.mention) || !strings.Contains(err.Error(), "model.onnx") {
			t.Errorf("%v: %v, want an error that mentions %q", c.entries, err, c.mention)
		}
	}
	if _, _, err := ReadBytes(externalModel("location", "w.data"), ReadOptions{}); err == nil {
		t.Error("external data without a folder gave no error")
	}
}

// TestDynamoDefault: PyTorch's exporter puts weights beside the file by default, and says in a node's metadata alone that it
// folded BatchNorm.
func TestDynamoDefault(t *testing.T) {
	path := filepath.Join("testdata", "external", "small.dyn")
	ref := golden.Npz(t, absolute(t, path+".npz"))
	input := ref["input"]
	if _, _, err := Read(path+".onnx", ReadOptions{}); !errors.Is(err, ErrUnsupported) || !strings.Contains(err.Error(), "InputSize") {
		t.Errorf("an open image size: %v", err)
	}
	net, info, err := Read(path+".onnx", ReadOptions{Batch: input.Shape[0], Size: photo.Size{H: input.Shape[2], W: input.Shape[3]}})
	if err != nil {
		t.Fatal(err)
	}
	if info.Dialect != "dynamo-eval" || info.BatchNorm != "folded" || len(info.Warnings) > 0 {
		t.Errorf("dialect %s, BatchNorm %s, warnings %q", info.Dialect, info.BatchNorm, info.Warnings)
	}
	got := interpreter{net: net}.run(t, input.Data)[0]
	for _, key := range []string{"torch_eval_0", "ort_0"} {
		if d := distance(t, got, ref[key].Data); !(d <= 1e-5) {
			t.Errorf("%s: relative error %.1e, want at most 1e-5", key, d)
		}
	}
}

// TestExternalDoubts: a data file that is much longer than the model's tensors may belong to another export; and who
// gives that file instead of the model is told so.
func TestExternalDoubts(t *testing.T) {
	folder := t.TempDir()
	path, data := filepath.Join(folder, "model.onnx"), filepath.Join(folder, "w.data")
	if err := os.WriteFile(path, externalModel("location", "w.data", "offset", "0", "length", "24"), 0o644); err != nil {
		t.Fatal(err)
	}
	for size, doubtful := range map[int]bool{24: false, 4096: false, 1 << 20: true} {
		if err := os.WriteFile(data, make([]byte, size), 0o644); err != nil {
			t.Fatal(err)
		}
		_, info, err := Read(path, ReadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if told := strings.Contains(strings.Join(info.Warnings, "\n"), "another export"); told != doubtful {
			t.Errorf("%d bytes: warnings %q", size, info.Warnings)
		}
	}
	if _, _, err := Read(data, ReadOptions{}); !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), "give that file") {
		t.Errorf("the data file itself: %v", err)
	}
}
