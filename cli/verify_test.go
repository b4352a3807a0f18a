package cli

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"

	"regraft"
	"regraft/engine/op"
	"regraft/measure"
	"regraft/onnx"
)

// referenceArrays are two images of noise and a network's outputs for them.
func referenceArrays(t *testing.T, file string) map[string]array {
	t.Helper()
	m, err := regraft.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	x := noise(m, 2)
	outputs, err := measure.New(m.Network(), measure.Options{}).Outputs(x, 2)
	if err != nil {
		t.Fatal(err)
	}
	size := m.Preprocess().Size
	arrays := map[string]array{"input": {shape: []int{2, 3, size.H, size.W}, values: x}}
	for i, o := range outputs {
		arrays[fmt.Sprint("torch_eval_", i)] = array{shape: []int{2, 7}, values: o.Values}
	}
	return arrays
}

// writeReference makes an .npz file of the arrays: a zip of .npy, format version 1.
func writeReference(t *testing.T, arrays map[string]array) string {
	t.Helper()
	var file bytes.Buffer
	z := zip.NewWriter(&file)
	for name, a := range arrays {
		w, err := z.Create(name + ".npy")
		if err != nil {
			t.Fatal(err)
		}
		shape := strings.Trim(strings.ReplaceAll(fmt.Sprint(a.shape), " ", ", "), "[]")
		header := fmt.Sprintf("{'descr': '<f4', 'fortran_order': False, 'shape': (%s), }\n", shape)
		data := append([]byte("\x93NUMPY\x01\x00"), byte(len(header)), 0)
		data = append(data, header...)
		for _, v := range a.values {
			data = binary.LittleEndian.AppendUint32(data, math.Float32bits(v))
		}
		if _, err := w.Write(data); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "ref.npz")
	write(t, path, file.Bytes())
	return path
}

func referenceFile(t *testing.T) string { return writeReference(t, referenceArrays(t, model)) }

func TestVerify(t *testing.T) {
	arrays := referenceArrays(t, inception)
	reference := writeReference(t, arrays)
	r := must(t, "verify", inception, "--against", reference, "--json")
	report := lines[verifyJSON](t, r.stdout)[0]
	if !report.OK || len(report.Outputs) != 2 || report.Outputs[0].MaxAbsError != 0 || report.Outputs[1].Top1 != 1 {
		t.Errorf("the model differs from itself: %s", r.stdout)
	}

	arrays["torch_eval_0"].values[7+3] *= 1.01 // the second input
	reference = writeReference(t, arrays)
	r = run(t, "verify", inception, "--against", reference, "--json")
	report = lines[verifyJSON](t, r.stdout)[0]
	if r.status != statusParity || report.OK || report.Outputs[0].WorstInput != 1 || report.Outputs[1].MaxAbsError != 0 {
		t.Errorf("exit status %d, %s", r.status, r.stdout)
	}
	must(t, "verify", inception, "--against", reference, "--tolerance", "0.1")
}

// TestVerifyFixtures: what PyTorch and ONNX Runtime computed.
func TestVerifyFixtures(t *testing.T) {
	dir := "../onnx/testdata"
	references, err := filepath.Glob(filepath.Join(dir, "*.npz"))
	if err != nil || len(references) == 0 {
		t.Fatalf("no references in %s: %v", dir, err)
	}
	for _, ref := range references {
		must(t, "verify", strings.TrimSuffix(ref, ".npz")+".onnx", "--against", ref)
	}
}

func TestVerifyDamagedReference(t *testing.T) {
	file, err := os.ReadFile(referenceFile(t))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "damaged.npz")
	places := 40
	if testing.Short() {
		places = 5
	}
	for at := 0; at < len(file); at += len(file)/places + 1 {
		damaged := append([]byte{}, file...)
		damaged[at] ^= 0x55
		write(t, path, damaged)
		if r := run(t, "verify", model, "--against", path); strings.Contains(r.stderr, "panic") {
			t.Errorf("byte %d: %s", at, r.stderr)
		}
	}
	write(t, path, file[:len(file)/2])
	wrong{"truncated", []string{"verify", model, "--against", path}, statusData, "damaged.npz"}.check(t, "")
	wrong{"missing", []string{"verify", model, "--against", path + "x"}, statusData, "damaged.npzx"}.check(t, "")
	arrays := referenceArrays(t, model)
	input := arrays["input"]
	delete(arrays, "input")
	wrong{"no input", []string{"verify", model, "--against", writeReference(t, arrays)}, statusData, `"input"`}.check(t, "")
	arrays = map[string]array{"input": input}
	wrong{"no outputs", []string{"verify", model, "--against", writeReference(t, arrays)}, statusData, "no outputs"}.check(t, "")
}

// TestVerifyOpenSize: where the file leaves the image size open, the reference settles it.
func TestVerifyOpenSize(t *testing.T) {
	base := "../onnx/testdata/external/small.dyn"
	must(t, "verify", base+".onnx", "--against", base+".npz")
}

// TestVerifyLayers: the layers of a model agree with ONNX Runtime's, and the first that departs is the one whose weight was
// changed. The reference is of scripts/make_reference.py --layers.
func TestVerifyLayers(t *testing.T) {
	const reference = "testdata/squeezenet1_1.layers.npz"
	report := lines[verifyJSON](t, must(t, "verify", squeezenet, "--against", reference, "--layers", "--json").stdout)[0]
	if report.Layers == nil || report.Layers.Compared != 64 || report.Layers.Departs != nil {
		t.Errorf("%+v", report.Layers)
	}
	for _, at := range []int{3, 20, 40, 51} {
		net, _, err := onnx.Read(squeezenet, onnx.ReadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		p := net.Params[at]
		p.Value = slices.Clone(p.Value)
		p.Value[len(p.Value)/2] += 10
		changed := filepath.Join(t.TempDir(), "changed.onnx")
		if err := onnx.Write(changed, net); err != nil {
			t.Fatal(err)
		}
		user := slices.IndexFunc(net.Nodes(), func(n *gorgonia.Node) bool { return slices.Contains(op.Inputs(n), p.Node) })
		want := net.Label(net.Nodes()[user])
		r := run(t, "verify", changed, "--against", reference, "--layers", "--json")
		departs := lines[verifyJSON](t, r.stdout)[0].Layers.Departs
		if r.status != statusParity || departs == nil || departs.Name != want || departs.Op != "Conv" {
			t.Errorf("exit status %d; %s was changed, which is of %s: %s", r.status, p.Name, want, r.stdout)
		}
	}
	wrong{"no layers", []string{"verify", squeezenet, "--against", strings.TrimSuffix(squeezenet, ".onnx") + ".npz", "--layers"}, statusData, "make_reference.py"}.check(t, "")
	wrong{"training form", []string{"verify", "--layers", model, "--against", "../onnx/testdata/resnet18.ts.train.op17.npz"},
		statusModel, "regraft export"}.check(t, "")
}

// TestDistances: how far outputs are from their references, where they are farthest, and in how many rows the best class is another.
func TestDistances(t *testing.T) {
	nan := float32(math.NaN())
	got := measure.Matrix{Name: "y", Rows: 2, Cols: 2, Values: []float32{1, 2, 4, 3}}
	one := measure.Matrix{Name: "y", Rows: 1, Cols: 2, Values: []float32{1, 2}}
	ref := func(values []float32, shape ...int) array { return array{shape: shape, values: values} }
	for _, c := range []struct {
		got  measure.Matrix
		want array
		is   outputParity
		says string
	}{
		{got, ref([]float32{1, 2, 4, 3}, 2, 2), outputParity{Name: "y", MaxAbs: 4, Top1: 1}, ""},
		{got, ref([]float32{1, 2, 4, 5}, 2, 2), outputParity{Name: "y", MaxAbsError: 2, MaxAbs: 5, Relative: 0.4, Top1: 0.5, WorstInput: 1}, ""},
		{got, ref([]float32{-7, 2, 4, 3}, 2, 2), outputParity{Name: "y", MaxAbsError: 8, MaxAbs: 7, Relative: 8.0 / 7, Top1: 1}, ""},
		{one, ref([]float32{1, 2}, 2), outputParity{Name: "y", MaxAbs: 2, Top1: 1}, ""},
		{one, ref([]float32{1, 2, 3}, 3), outputParity{Name: "y"}, "(1, 2), its reference [3]"},
		{got, ref([]float32{1, 2}, 1, 2), outputParity{Name: "y"}, "(2, 2), its reference [1 2]"},
		{got, ref([]float32{1, 2}, 2), outputParity{Name: "y"}, "(2, 2), its reference [2]"},
		{got, ref(nil), outputParity{Name: "y"}, "(2, 2), its reference []"},
		{got, ref([]float32{1, 2, nan, 3}, 2, 2), outputParity{Name: "y", MaxAbs: 2}, "input 1 gives 4 where the reference has NaN"},
	} {
		is, err := compare(c.got, c.want)
		if is != c.is || (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("%v: %+v, %v; want %+v, %q", c.want, is, err, c.is, c.says)
		}
	}
	for _, c := range []struct {
		want []float32
		is   outputParity
	}{
		{[]float32{1, 0}, outputParity{Name: "y", MaxAbs: 1, Top1: 1}},
		{[]float32{1, 1}, outputParity{Name: "y", MaxAbs: 1, Top1: 0.5, MaxAbsError: 0.5, Relative: 0.5, WorstInput: 1}},
		{[]float32{0, 1}, outputParity{Name: "y", MaxAbs: 1, MaxAbsError: 1, Relative: 1}},
	} {
		if is := compareChoice(got, ref(c.want, 2)); is != c.is {
			t.Errorf("%v: %+v, want %+v", c.want, is, c.is)
		}
	}
	images := ref([]float32{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, 1, 2, 2, 3)
	if p := planar(images); !slices.Equal(p.shape, []int{1, 3, 2, 2}) || !slices.Equal(p.values, []float32{1, 4, 7, 10, 2, 5, 8, 11, 3, 6, 9, 12}) {
		t.Errorf("%+v", p)
	}
}
