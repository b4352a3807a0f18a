package onnx

import (
	"bytes"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"regraft/engine"
	"regraft/engine/op"
	"regraft/photo"
)

// normalised has a BatchNorm behind a convolution with a bias, one behind a convolution without, one behind a convolution that is also read
// otherwise, one whose scale is computed, and Dropout; the auxiliary output is the second.
func normalised(t *testing.T) *engine.Network {
	t.Helper()
	m := chainModel("y", "aux")
	conv := func(x, out string, bias bool) string {
		in := []string{x, m.float(out+".weight", 3, 3, 1, 1)}
		if bias {
			in = append(in, m.float(out+".bias", 3))
		}
		m.node("Conv", in, out)
		return out
	}
	m.batchNorm(conv("x", "c1", true), "n1", 3)
	m.batchNorm(conv("n1", "c2", false), "n2", 3)
	m.batchNorm(conv("n2", "c3", false), "n3", 3)
	m.node("Add", []string{"n3", "c3"}, "sum")
	m.node("Dropout", []string{"sum", m.scalar("ratio", 0.25)}, "d")
	m.node("Flatten", []string{"d"}, "f")
	m.node("Gemm", []string{"f", m.float("fc.weight", 5, 192)}, "y", intAttribute("transB", 1))
	m.node("GlobalAveragePool", []string{"n1"}, "aux")
	net, _, err := ReadBytes(m.bytes(), ReadOptions{Batch: 2})
	if err != nil {
		t.Fatal(err)
	}
	return net
}

func countOf[T op.Op](net *engine.Network) (n int) {
	for _, node := range net.Nodes() {
		if _, is := node.Op().(T); is {
			n++
		}
	}
	return n
}

// TestExportForms: what the forms for other programs hold, and that they compute the same.
func TestExportForms(t *testing.T) {
	net, x := normalised(t), ramp(2*3*8*8)
	want := (interpreter{net: net}).run(t, x)
	for name, c := range map[string]struct {
		options               ExportOptions
		norms, drops, outputs int
		tolerance             float64
	}{
		"serving": {ExportOptions{}, 1, 0, 1, 1e-6}, "training": {ExportOptions{Training: true}, 3, 1, 2, 1e-6}, "oldest": {ExportOptions{Opset: OldestExport}, 1, 0, 1, 1e-6},
		"newest": {ExportOptions{Opset: NewestExport}, 1, 0, 1, 1e-6}, "half": {ExportOptions{Half: true}, 1, 0, 1, 2e-3},
	} {
		path := filepath.Join(t.TempDir(), "model.onnx")
		if err := Export(path, net, c.options); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		again, _, err := Read(path, ReadOptions{Batch: 2})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if norms, drops := countOf[*op.BatchNorm](again), countOf[*op.Dropout](again); norms != c.norms || drops != c.drops || len(again.Outputs) != c.outputs {
			t.Errorf("%s: %d BatchNorms, %d Dropouts, %d outputs; want %+v", name, norms, drops, len(again.Outputs), c)
		}
		if d := distance(t, (interpreter{net: again}).run(t, x)[0], want[0]); !(d <= c.tolerance) {
			t.Errorf("%s: relative error %.1e", name, d)
		}
	}
	for _, opset := range []int{OldestExport - 1, NewestExport + 1} {
		if err := Export(filepath.Join(t.TempDir(), "m.onnx"), net, ExportOptions{Opset: opset}); err == nil || !strings.Contains(err.Error(), "only 13 to 20 are written") {
			t.Errorf("opset %d: %v", opset, err)
		}
	}
}

// TestNamesThatClash: networks with two things of one name are not written.
func TestNamesThatClash(t *testing.T) {
	build := func(input, param, first, second string) *engine.Network {
		b := engine.NewBuilder()
		x, err := b.Placeholder(input, 1, 3)
		if err != nil {
			t.Fatal(err)
		}
		p, err := b.Param(&engine.Param{Name: "p", Shape: []int{3}, Value: []float32{1, 2, 3}})
		if err != nil {
			t.Fatal(err)
		}
		y, err := b.Apply("add", &op.Add{}, x, p)
		if err != nil {
			t.Fatal(err)
		}
		z, err := b.Apply("relu", &op.Relu{}, y)
		if err != nil {
			t.Fatal(err)
		}
		net, err := b.Network(engine.Meta{}, engine.Output{Name: first, Node: y}, engine.Output{Name: second, Node: z})
		if err != nil {
			t.Fatal(err)
		}
		net.Params[0].Name = param
		return net
	}
	for says, net := range map[string]*engine.Network{
		"": build("x", "w", "y", "z"), "two inputs or outputs are called": build("x", "w", "y", "y"), `the name "y" is used twice or empty`: build("x", "y", "y", "z"),
		`the name "" is used twice or empty`: build("x", "", "y", "z"),
	} {
		err := second(writtenBytes(net))
		if says == "" && err != nil || says != "" && (err == nil || !strings.Contains(err.Error(), says)) {
			t.Errorf("%v, want %q", err, says)
		}
	}
}

// TestGraphWithoutWeights: a graph lists the parameters that it lacks, and gets them from elsewhere in shapes of their own.
func TestGraphWithoutWeights(t *testing.T) {
	graph := externalModel("location", "w.data")
	list, err := Placeholders(graph)
	if err != nil || len(list) != 1 || list[0].Name != "fc.weight" || !slices.Equal(list[0].Shape, []int{2, 3}) {
		t.Fatalf("%v (%v)", list, err)
	}
	values := []float32{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}
	net, _, err := ReadGraph(graph, func(name string) ([]int, []float32, error) { return []int{4, 3}, values, nil }, ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if p, err := net.Param("fc.weight"); err != nil || !slices.Equal(p.Value, values) || !slices.Equal(p.Shape, []int{4, 3}) || net.Outputs[0].Node.Shape()[1] != 4 {
		t.Errorf("%+v (%v), output %v", p, err, net.Outputs[0].Node.Shape())
	}
	lost := errors.New("lost")
	if _, _, err := ReadGraph(graph, func(string) ([]int, []float32, error) { return nil, nil, lost }, ReadOptions{}); !errors.Is(err, lost) {
		t.Errorf("values that are lost: %v", err)
	}
	if _, _, err := ReadGraph(graph, func(string) ([]int, []float32, error) { return []int{4, 3}, nil, nil }, ReadOptions{}); err == nil {
		t.Error("no values for a shape: no error")
	}
	huge := bytes.Replace(graph, newTensorOut("fc.weight", []int{2, 3}, []float32{}, nil).header, newTensorOut("fc.weight", []int{1 << 40, 1 << 40}, []float32{}, nil).header, 1)
	for name, broken := range map[string][]byte{"nothing": nil, "a cut file": graph[:len(graph)-1], "a huge shape": append(appendInt(nil, 1, 8), hugeGraph()...), "another length": huge} {
		if _, err := Placeholders(broken); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// hugeGraph has a parameter of 2^80 elements.
func hugeGraph() []byte {
	m := chainModel("y")
	m.node("Relu", []string{"x"}, "y")
	m.tensors = [][]byte{externalTensor("w", []int{1 << 40, 1 << 40}, "location", "w.data")}
	return m.bytes()
}

// TestAccept: photos of another depth, and arithmetic on pixels that go in as bytes, are refused.
func TestAccept(t *testing.T) {
	plain := *photo.Pixels(photo.Square(8))
	imageNet := *photo.ImageNet(photo.Square(8))
	gray := imageNet.Reordered(photo.Gray)
	for _, c := range []struct {
		image Image
		p     photo.Preprocess
		says  string
	}{
		{Image{Channels: 3}, imageNet, ""}, {Image{Channels: 3}, gray, "the network's photos have 3 channels (Channels rgb or bgr): Channels gray gives 1"},
		{Image{Channels: 1}, imageNet, "the network's photos have 1 channels (Channels gray): Channels rgb gives 3"}, {Image{Channels: 1}, gray, ""},
		{Image{Channels: 4}, imageNet, ""}, {Image{Channels: 3, DType: "uint8"}, imageNet, "the pixels go in as they are, without Mean and Std"},
		{Image{Channels: 3, DType: "uint8"}, plain, ""}, {Image{Channels: 3}, photo.Preprocess{Size: photo.Square(8), Rescale: 1}, "resize rule"},
	} {
		p := c.p
		err := (&Info{Image: c.image}).Accept(&p)
		if c.says == "" && err != nil || c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%+v: %v, want %q", c.image, err, c.says)
		}
		if err == nil && c.image.DType == "uint8" && p.Rescale != 1 {
			t.Errorf("bytes are scaled by %v", p.Rescale)
		}
	}
}
