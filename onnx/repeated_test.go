package onnx

import (
	"slices"
	"strings"
	"testing"

	"regraft/engine"
	"regraft/engine/op"
)

// openInput is an image (N, 3, 8, 8) of any number.
func openInput() []byte {
	dims := appendMessage(nil, 1, appendText(nil, 2, "N"))
	for _, d := range []int64{3, 8, 8} {
		dims = appendMessage(dims, 1, appendInt(nil, 1, d))
	}
	t := appendMessage(appendInt(nil, 1, int64(typeFloat)), 2, dims)
	return appendMessage(appendText(nil, 1, "x"), 2, appendMessage(nil, 1, t))
}

// tokens has patches (N, 4, 5) of an image, and "shape", that of the input.
func tokens() testModel {
	m := testModel{ir: 8, opset: 17, inputs: [][]byte{openInput()}, outputs: [][]byte{inputProto("y", typeFloat)}}
	m.node("Conv", []string{"x", m.float("w", 5, 3, 4, 4)}, "maps", intsAttribute("strides", 4, 4))
	m.node("Shape", []string{"x"}, "shape")
	m.node("Gather", []string{"shape", m.int("first", 0)}, "count")
	m.node("Unsqueeze", []string{"count", m.ints("zero", 0)}, "counts")
	m.node("Concat", []string{"counts", m.ints("rows", 5, -1)}, "flat", intAttribute("axis", 0))
	m.node("Reshape", []string{"maps", "flat"}, "columns")
	m.node("Transpose", []string{"columns"}, "patches", intsAttribute("perm", 0, 2, 1))
	return m
}

func (m *testModel) int(name string, v int64) string {
	m.tensors = append(m.tensors, intTensor(name, nil, v))
	return name
}

// tokenSpellings are the ways in which exporters make a class token (1, 1, 5) a row for every image, called "all".
var tokenSpellings = map[string]func(m *testModel){
	"Expand": func(m *testModel) {
		m.node("Concat", []string{"counts", m.ints("ones", 1, 5)}, "target", intAttribute("axis", 0))
		m.node("Expand", []string{"token", "target"}, "all")
	},
	"Expand with -1 taken back": func(m *testModel) { // TorchScript's expand(n, -1, -1)
		m.node("Concat", []string{"counts", m.ints("kept", -1, -1)}, "asked", intAttribute("axis", 0))
		m.node("Shape", []string{"asked"}, "rank")
		m.node("ConstantOfShape", []string{"rank"}, "ones", attributeOut("value", attributeTensor, func(b []byte) []byte {
			return appendMessage(b, 5, intTensor("", []int{1}, 1))
		}))
		m.node("Mul", []string{"ones", m.int("minus", -1)}, "kept1")
		m.node("Equal", []string{"asked", "kept1"}, "keeps")
		m.node("Where", []string{"keeps", "ones", "asked"}, "target")
		m.node("Expand", []string{"token", "target"}, "all")
	},
	"Tile": func(m *testModel) {
		m.node("Concat", []string{"counts", m.ints("once", 1, 1)}, "repeats", intAttribute("axis", 0))
		m.node("Tile", []string{"token", "repeats"}, "all")
	},
	"Max of sizes": func(m *testModel) { // the current exporter's expand
		m.node("Concat", []string{"counts", m.ints("ones", 1, 1)}, "asked", intAttribute("axis", 0))
		m.node("Shape", []string{"token"}, "own")
		m.node("Max", []string{"asked", "own"}, "target")
		m.node("Expand", []string{"token", "target"}, "all")
	},
	"zeros plus token": func(m *testModel) {
		m.node("Concat", []string{"counts", m.ints("ones", 1, 5)}, "target", intAttribute("axis", 0))
		m.node("ConstantOfShape", []string{"target"}, "zeros")
		m.node("Add", []string{"zeros", "token"}, "all")
	},
	"of the batch of the patches": func(m *testModel) {
		m.node("Shape", []string{"patches"}, "of", intAttribute("start", 0), intAttribute("end", 1))
		m.node("Concat", []string{"of", m.ints("ones", 1, 5)}, "target", intAttribute("axis", 0))
		m.node("Expand", []string{"token", "target"}, "all")
	},
	"of a quotient": func(m *testModel) {
		m.node("Size", []string{"patches"}, "size")
		m.node("Div", []string{"size", m.int("each", 20)}, "images")
		m.node("Unsqueeze", []string{"images", m.ints("axis", 0)}, "one")
		m.node("Concat", []string{"one", m.ints("ones", 1, 5)}, "target", intAttribute("axis", 0))
		m.node("Expand", []string{"token", "target"}, "all")
	},
}

// TestClassToken: however a class token is spelled, an image gets the same features alone and in a batch, and the token is a
// parameter that can be written and read again.
func TestClassToken(t *testing.T) {
	token := []float32{1, -2, 3, 0.5, 4}
	for what, spell := range tokenSpellings {
		t.Run(what, func(t *testing.T) {
			m := tokens()
			m.tensors = append(m.tensors, floatTensor("token", []int{1, 1, 5}, token...))
			spell(&m)
			m.node("Concat", []string{"all", "patches"}, "joined", intAttribute("axis", 1))
			m.node("Flatten", []string{"joined"}, "y")
			net := readModel(t, m)
			three, err := net.WithBatch(3)
			if err != nil {
				t.Fatal(err)
			}
			image := ramp(3 * 192)
			rows := interpreter{net: three}.run(t, image)[0]
			for i := range 3 {
				alone := interpreter{net: net}.run(t, image[i*192:][:192])[0]
				if row := rows[i*25:][:25]; !slices.Equal(row, alone) || !slices.Equal(row[:5], token) {
					t.Errorf("image %d: %v in a batch, %v alone", i, row, alone)
				}
			}
			again := exportAndRead(t, net)
			if three, err = again.WithBatch(3); err != nil {
				t.Fatal(err)
			}
			if got := (interpreter{net: three}).run(t, image)[0]; !slices.Equal(got, rows) {
				t.Errorf("written and read again: %v, want %v", got, rows)
			}
		})
	}
}

// exportAndRead writes a network and reads it.
func exportAndRead(t *testing.T, net *engine.Network) *engine.Network {
	t.Helper()
	path := t.TempDir() + "/net.onnx"
	if err := Export(path, net, ExportOptions{}); err != nil {
		t.Fatal(err)
	}
	again, _, err := Read(path, ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return again
}

// TestRepeatedOnce: what is the same for every image is computed once, at import or by broadcasting.
func TestRepeatedOnce(t *testing.T) {
	m := tokens()
	m.tensors = append(m.tensors, floatTensor("token", []int{1, 1, 5}, 1, 2, 3, 4, 5))
	tokenSpellings["Expand"](&m)
	m.node("MatMul", []string{"all", m.float("q", 5, 5)}, "query")
	m.node("Add", []string{"patches", "query"}, "sum")
	m.node("Flatten", []string{"sum"}, "y")
	net := readModel(t, m)
	for _, node := range net.Nodes() {
		switch node.Op().(type) {
		case *op.BatchTile, *op.MatMul:
			t.Errorf("%v is left", node.Op())
		}
	}
}

func readModel(t *testing.T, m testModel) *engine.Network {
	t.Helper()
	net, _, err := ReadBytes(m.bytes(), ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return net
}

// TestOpenBatchRefused: a number of images that lies, or on which something depends that is no multiple of it, is refused in one line.
func TestOpenBatchRefused(t *testing.T) {
	for want, spell := range map[string]func(m *testModel){
		"for a batch of 2 images: Add": func(m *testModel) { // says N, but three rows are stored
			m.node("Add", []string{"patches", m.float("three", 3, 4, 5)}, "y")
		},
		"cannot become (3, 20)": func(m *testModel) { m.node("Reshape", []string{"patches", m.ints("t", 3, 20)}, "y") },
		"picks from the images": func(m *testModel) { m.node("Gather", []string{"patches", m.int("zero0", 0)}, "y") },
		"some of the images": func(m *testModel) {
			m.node("Slice", []string{"patches", m.ints("s", 0), m.ints("e", 1), m.ints("a", 0)}, "y")
		},
		"works along axis 0": func(m *testModel) { m.node("Softmax", []string{"patches"}, "y", intAttribute("axis", 0)) },
		"works along axis 0 of shape (N, 20)": func(m *testModel) { // of scores, but not at the end
			m.node("Flatten", []string{"patches"}, "f")
			m.node("Softmax", []string{"f"}, "g", intAttribute("axis", 0))
			m.node("Relu", []string{"g"}, "y")
		},
		"every image with every other": func(m *testModel) {
			m.node("Flatten", []string{"patches"}, "f")
			m.node("Transpose", []string{"f"}, "g")
			m.node("MatMul", []string{"f", "g"}, "y")
		},
		"one result of all images": func(m *testModel) {
			m.node("Flatten", []string{"patches"}, "f")
			m.node("ReduceMax", []string{"f"}, "k", intsAttribute("axes", 0))
			m.node("Add", []string{"f", "k"}, "y")
		},
		"only a certain number can answer": func(m *testModel) {
			m.node("Equal", []string{"count", m.int("four", 4)}, "is")
			m.node("Where", []string{"is", m.ints("one", 20), m.ints("two", 10)}, "t")
			m.node("Reshape", []string{"patches", "t"}, "y")
		},
		"overflows": func(m *testModel) {
			m.node("Mul", []string{"count", m.int("huge", 1<<62)}, "a")
			m.node("Mul", []string{"a", m.int("four", 4)}, "b")
			m.node("Reshape", []string{"patches", "b"}, "y")
		},
		"too large": func(m *testModel) { // a sequence of 2^40 tokens
			m.node("Concat", []string{"counts", m.ints("long", 1<<40, 5)}, "t", intAttribute("axis", 0))
			m.node("Expand", []string{m.float("token", 1, 1, 5), "t"}, "all")
			m.node("Concat", []string{"all", "patches"}, "y", intAttribute("axis", 1))
		},
	} {
		m := tokens()
		spell(&m)
		_, _, err := ReadBytes(m.bytes(), ReadOptions{})
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "-1,") {
			t.Errorf("error %v, want one that mentions %q", err, want)
		}
	}
}

// TestFixedBatchToken: a class token that a file holds for its own number of images, the same for each, is there for every image; tokens
// that differ bind the file to its number.
func TestFixedBatchToken(t *testing.T) {
	m := chainModel("y")
	m.node("Conv", []string{"x", m.float("w", 5, 3, 4, 4)}, "maps", intsAttribute("strides", 4, 4))
	m.node("Reshape", []string{"maps", m.ints("flat", 2, 5, 4)}, "columns")
	m.tensors = append(m.tensors, floatTensor("token", []int{2, 5, 1}, 1, 2, 3, 4, 5, 1, 2, 3, 4, 5))
	m.node("Concat", []string{"token", "columns"}, "joined", intAttribute("axis", 2))
	m.node("Reshape", []string{"joined", m.ints("rows", 2, 25)}, "y")
	net := readModel(t, m)
	three, err := net.WithBatch(3)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		if rows := (interpreter{net: three}).run(t, ramp(3*192))[0][i*25:]; rows[0] != 1 || rows[5] != 2 || rows[20] != 5 {
			t.Errorf("image %d: %v", i, rows[:25])
		}
	}
	m.tensors[len(m.tensors)-2] = floatTensor("token", []int{2, 5, 1}, 1, 2, 3, 4, 5, 1, 2, 3, 4, 6)
	if _, _, err := ReadBytes(m.bytes(), ReadOptions{}); err == nil || !strings.Contains(err.Error(), "bound to the 2 images of a batch") {
		t.Errorf("error %v", err)
	}
}

// TestFilledShapes: ConstantOfShape repeats its one value; two are refused.
func TestFilledShapes(t *testing.T) {
	filled := func(values ...int64) testModel {
		m := tokens()
		m.node("ConstantOfShape", []string{m.ints("once", 1)}, "filled", attributeOut("value", attributeTensor, func(b []byte) []byte {
			return appendMessage(b, 5, intTensor("", []int{len(values)}, values...))
		}))
		m.node("Concat", []string{"filled", m.ints("all", -1)}, "to", intAttribute("axis", 0))
		m.node("Reshape", []string{"patches", "to"}, "cut")
		m.node("Reshape", []string{"cut", m.ints("images", -1, 20)}, "y")
		return m
	}
	if y := readModel(t, filled(5)).Outputs[0].Node.Shape(); !slices.Equal(y, []int{1, 20}) {
		t.Errorf("shape %v", y)
	}
	m := filled(5, 5)
	if _, _, err := ReadBytes(m.bytes(), ReadOptions{}); err == nil || !strings.Contains(err.Error(), "2 values, want one") {
		t.Errorf("two values: error %v", err)
	}
}

// TestUnknownSizes: a Resize whose sizes or scales are computed from the photo is refused, whichever of the two the file gives.
func TestUnknownSizes(t *testing.T) {
	for what, operands := range map[string][]string{
		"the sizes":  {"maps", "", "", "found"},
		"the scales": {"maps", "", "found"},
	} {
		m := tokens()
		m.node("Reshape", []string{"maps", m.ints("flat1", -1)}, "elements")
		m.node("ReduceMax", []string{"elements"}, "largest", intAttribute("keepdims", 1))
		m.node("Concat", []string{"largest", "largest", "largest", "largest"}, "found", intAttribute("axis", 0))
		m.node("Resize", operands, "y")
		if _, _, err := ReadBytes(m.bytes(), ReadOptions{}); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: error %v", what, err)
		}
	}
}
