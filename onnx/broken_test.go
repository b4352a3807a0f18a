package onnx

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// TestTruncated cuts a good file everywhere: an error, or the same network where only metadata were lost.
func TestTruncated(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("testdata", "zoo_form.hand.op9.onnx"))
	if err != nil {
		t.Fatal(err)
	}
	for n := range len(data) {
		if net, _, err := ReadBytes(data[:n:n], ReadOptions{}); err == nil && net == nil {
			t.Fatalf("cut at %d: neither a network nor an error", n)
		}
	}
}

// TestBroken reads models that are wrong in one way each.
func TestBroken(t *testing.T) {
	relu := func(in, out string) []byte { return nodeOut("Relu", "relu_"+out, []string{in}, []string{out}) }
	good := func(change func(*testModel)) []byte {
		m := chainModel("y")
		m.nodes = [][]byte{relu("x", "y")}
		change(&m)
		return m.bytes()
	}
	for mention, data := range map[string][]byte{
		"no graph":            appendInt(nil, 1, 8),
		"no ir_version":       good(func(m *testModel) { m.ir = 0 }),
		"IR version 99":       good(func(m *testModel) { m.ir = 99 }),
		"which opset it uses": good(func(m *testModel) { m.opset = 0 }),
		"opset 29 is newer":   good(func(m *testModel) { m.opset = 29 }),
		"no nodes":            good(func(m *testModel) { m.nodes = nil }),
		"no outputs":          good(func(m *testModel) { m.outputs = nil }),
		"2 inputs": good(func(m *testModel) {
			m.inputs = append(m.inputs, inputProto("z", typeFloat, 1))
			m.nodes = [][]byte{nodeOut("Add", "sum", []string{"x", "z"}, []string{"y"})}
		}),
		"computes on uint8":   good(func(m *testModel) { m.inputs = [][]byte{inputProto("x", typeUint8, 1, 3, 8, 8)} }),
		"it is float64":       good(func(m *testModel) { m.inputs = [][]byte{inputProto("x", typeDouble, 1, 3, 8, 8)} }),
		"it is int8":          good(func(m *testModel) { m.inputs = [][]byte{inputProto("x", typeInt8, 1, 3, 8, 8)} }),
		"the image size open": good(func(m *testModel) { m.inputs = [][]byte{inputProto("x", typeFloat, 1, 3, 0, 0)} }),
		"shape [1 3 8]":       good(func(m *testModel) { m.inputs = [][]byte{inputProto("x", typeFloat, 1, 3, 8)} }),
		"is too large":        good(func(m *testModel) { m.inputs = [][]byte{inputProto("x", typeFloat, 1<<40, 3, 8, 8)} }),
		`"nowhere"`:           good(func(m *testModel) { m.outputs = [][]byte{inputProto("nowhere", typeFloat)} }),
		"has no outputs":      good(func(m *testModel) { m.nodes = append(m.nodes, nodeOut("Relu", "dead", []string{"x"}, nil)) }),
		"attribute alpha is not known": good(func(m *testModel) {
			m.nodes = [][]byte{nodeOut("Relu", "r", []string{"x"}, []string{"y"}, floatAttribute("alpha", 1))}
		}),
		"attribute axis has type 1": good(func(m *testModel) {
			m.nodes = [][]byte{nodeOut("Flatten", "r", []string{"x"}, []string{"y"}, floatAttribute("axis", 1))}
		}),
		"attribute axis appears twice": good(func(m *testModel) {
			m.nodes = [][]byte{nodeOut("Flatten", "r", []string{"x"}, []string{"y"}, intAttribute("axis", 1), intAttribute("axis", 2))}
		}),
		`auto_pad is "SOMETHING"`: good(func(m *testModel) {
			m.nodes = [][]byte{nodeOut("MaxPool", "r", []string{"x"}, []string{"y"}, textAttribute("auto_pad", "SOMETHING"), intsAttribute("kernel_shape", 2, 2))}
		}),
		"does not exist in opset 17": good(func(m *testModel) { m.nodes = [][]byte{nodeOut("Gelu", "g", []string{"x"}, []string{"y"})} }),
		"its condition is not known": good(func(m *testModel) {
			m.nodes = [][]byte{nodeOut("If", "if", []string{"x"}, []string{"y"}, attributeOut("then_branch", attributeGraph, func(b []byte) []byte { return appendMessage(b, 6, nil) }))}
		}),
		"loops are not read":           good(func(m *testModel) { m.nodes = [][]byte{nodeOut("Loop", "loop", []string{"x"}, []string{"y"})} }),
		"the node has 2 operands":      good(func(m *testModel) { m.nodes = [][]byte{nodeOut("Relu", "r", []string{"x", "x"}, []string{"y"})} }),
		"operand 0 is missing":         good(func(m *testModel) { m.nodes = [][]byte{nodeOut("Relu", "r", []string{""}, []string{"y"})} }),
		"does not depend on the image": good(func(m *testModel) { m.outputs = append(m.outputs, inputProto("x", typeFloat)) }),
		"appears twice":                good(func(m *testModel) { m.tensors = [][]byte{floatTensor("w", nil, 1), floatTensor("w", nil, 1)} }),
		"initializer has no name":      good(func(m *testModel) { m.tensors = [][]byte{floatTensor("", nil, 1)} }),
		"holds strings": good(func(m *testModel) {
			m.tensors = [][]byte{appendInt(appendText(nil, 8, "w"), 2, int64(typeString))}
			m.nodes = [][]byte{nodeOut("Add", "a", []string{"x", "w"}, []string{"y"})}
		}),
		"result 1":                good(func(m *testModel) { m.nodes = [][]byte{nodeOut("Dropout", "d", []string{"x"}, []string{"h", "y"})} }),
		"must be known at import": good(func(m *testModel) { m.nodes = [][]byte{nodeOut("Reshape", "r", []string{"x", "x"}, []string{"y"})} }),
		"bound to the 2 images": good(func(m *testModel) {
			m.tensors = [][]byte{floatTensor("w", []int{2, 3, 8, 8}, ramp(384)...)}
			m.nodes = [][]byte{nodeOut("Concat", "c", []string{"x", "w"}, []string{"y"}, intAttribute("axis", 1))}
		}),
		"one row for every image": good(func(m *testModel) {
			m.nodes = [][]byte{nodeOut("Transpose", "t", []string{"x"}, []string{"y"}, intsAttribute("perm", 1, 0, 2, 3))}
		}),
		"metadata key":       append(good(func(m *testModel) { m.metadata = map[string]string{"a": "b"} }), appendMessage(nil, 14, appendText(appendText(nil, 1, "a"), 2, "c"))...),
		"regraft.preprocess": good(func(m *testModel) { m.metadata = map[string]string{"regraft.preprocess": "{"} }),
		"a second graph":     append(good(func(*testModel) {}), appendMessage(nil, 7, nil)...),
		"wire type 3":        append(good(func(*testModel) {}), 0x0b),
		"field number 0":     append(good(func(*testModel) {}), 0x00),
		"a name of 5000 bytes": good(func(m *testModel) {
			m.nodes = append(m.nodes, nodeOut("Relu", strings.Repeat("n", 5000), []string{"x"}, []string{"z"}))
		}),
		"sparse": append(appendInt(nil, 1, 8), appendMessage(appendMessage(nil, 8, appendInt(nil, 2, 17)), 7, append(append(appendMessage(nil, 1, relu("x", "y")), appendMessage(nil, 12, inputProto("y", typeFloat))...), appendMessage(nil, 15, nil)...))...),
		"ConvTranspose": good(func(m *testModel) {
			m.nodes = append(m.nodes, nodeOut("ConvTranspose", "t", []string{"y"}, []string{"z"}))
		}),
		"only constant is supported": good(func(m *testModel) {
			m.nodes = [][]byte{nodeOut("Pad", "p", []string{"x"}, []string{"y"}, intsAttribute("pads", 0, 0, 1, 1, 0, 0, 1, 1), textAttribute("mode", "reflect"))}
		}),
		"the ratio is 2": good(func(m *testModel) {
			m.nodes = [][]byte{nodeOut("Dropout", "d", []string{"x"}, []string{"y"}, floatAttribute("ratio", 2))}
		}),
		"operand 1 has shape": good(func(m *testModel) {
			m.nodes = [][]byte{nodeOut("BatchNormalization", "b", []string{"x", "x", "x", "x", "x"}, []string{"y"}, intAttribute("spatial", 0))}
		}),
		"integer division by zero": good(func(m *testModel) {
			m.tensors = [][]byte{intTensor("a", nil, 1), intTensor("z", nil, 0)}
			m.nodes = append(m.nodes, nodeOut("Div", "d", []string{"a", "z"}, []string{"q"}))
		}),
		"outside of 2 dimensions": good(func(m *testModel) {
			m.tensors = [][]byte{intTensor("a", []int{1, 1}, 1)}
			m.nodes = append(m.nodes, nodeOut("Concat", "d", []string{"a", "a"}, []string{"q"}, intAttribute("axis", 2)))
		}),
		"cannot become (-1, -1)": good(func(m *testModel) {
			m.tensors = [][]byte{intTensor("s", []int{2}, -1, -1)}
			m.nodes = [][]byte{nodeOut("Reshape", "r", []string{"x", "s"}, []string{"y"})}
		}),
		"by which it divides": good(func(m *testModel) {
			m.nodes = [][]byte{nodeOut("Celu", "n", []string{"x"}, []string{"y"}, floatAttribute("alpha", 0))}
		}),
		"2 groups of the channels": good(func(m *testModel) {
			m.opset, m.tensors = 18, [][]byte{floatTensor("v", []int{2}, 1, 1)}
			m.nodes = [][]byte{nodeOut("GroupNormalization", "n", []string{"x", "v", "v"}, []string{"y"}, intAttribute("num_groups", 2))}
		}),
		"an operand has shape (2), but operand 0 has 3 channels": good(func(m *testModel) {
			m.tensors = [][]byte{floatTensor("v", []int{2}, 1, 1)}
			m.nodes = [][]byte{nodeOut("InstanceNormalization", "n", []string{"x", "v", "v"}, []string{"y"})}
		}),
		"want (2, 3, 8, 8)": good(func(m *testModel) {
			m.tensors = [][]byte{floatTensor("y0", []int{1}, 1)}
			m.nodes = [][]byte{nodeOut("PRelu", "n", []string{"y0", "x"}, []string{"y"})}
		}),
		"axis 9223372036854775807 is outside": good(func(m *testModel) {
			m.nodes = [][]byte{nodeOut("ReduceMax", "n", []string{"x"}, []string{"y"}, intsAttribute("axes", math.MaxInt64))}
		}),
		"axis -3 appears twice": good(func(m *testModel) {
			m.nodes = [][]byte{nodeOut("ReduceL2", "n", []string{"x"}, []string{"y"}, intsAttribute("axes", 1, -3))}
		}),
		"only (N, C, H, W) is supported": good(func(m *testModel) {
			m.nodes = [][]byte{nodeOut("Flatten", "f", []string{"x"}, []string{"f"}), nodeOut("GlobalMaxPool", "n", []string{"f"}, []string{"y"})}
		}),
		"step 0": good(func(m *testModel) {
			m.tensors = [][]byte{intTensor("s", []int{1}, 0)}
			m.nodes = [][]byte{nodeOut("Slice", "s", []string{"x", "s", "s", "s", "s"}, []string{"y"})}
		}),
	} {
		net, info, err := ReadBytes(data, ReadOptions{})
		if err == nil || net != nil || !strings.Contains(err.Error(), mention) {
			t.Errorf("%v, want an error that mentions %q", err, mention)
			continue
		}
		var unsupported *UnsupportedError
		if errors.As(err, &unsupported) != errors.Is(err, ErrUnsupported) || errors.Is(err, ErrUnsupported) == errors.Is(err, ErrInvalid) {
			t.Errorf("%v is neither or both of the two kinds", err)
		}
		if unsupported != nil && len(info.Unsupported) != len(unsupported.List) {
			t.Errorf("%v: Info lists %v", err, info.Unsupported)
		}
	}
}

// TestReportsAll checks that everything unsupported is reported at once.
func TestReportsAll(t *testing.T) {
	m := chainModel("y")
	m.nodes = [][]byte{
		nodeOut("Frobnicate", "first", []string{"x"}, []string{"a"}),
		nodeOut("MaxPool", "second", []string{"a"}, []string{"b"}, intsAttribute("kernel_shape", 2, 2), intAttribute("colour", 1)),
		domainNode("com.example", "Thing", "third", []string{"b"}, []string{"c"}),
		nodeOut("Softmax", "fourth", []string{"x"}, []string{"d"}, intAttribute("axis", 9)),
		nodeOut("Add", "fifth", []string{"c", "d"}, []string{"y"}),
	}
	_, info, err := ReadBytes(m.bytes(), ReadOptions{})
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"Frobnicate", "attribute colour", "com.example.Thing", "axis 9"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the report lacks %q: %v", want, err)
		}
	}
	if strings.Contains(err.Error(), "fifth") {
		t.Errorf("the report blames a node for its operands: %v", err)
	}
	if len(info.Unsupported) != 4 {
		t.Errorf("Info lists %v", info.Unsupported)
	}
}

// TestBombs reads small files that ask for much memory.
func TestBombs(t *testing.T) {
	concat := chainModel("v44")
	concat.nodes = [][]byte{nodeOut("Relu", "start", []string{"x"}, []string{"v0"})}
	for i := range 44 {
		v, next := fmt.Sprint("v", i), fmt.Sprint("v", i+1)
		concat.nodes = append(concat.nodes, nodeOut("Concat", next, []string{v, v}, []string{next}, intAttribute("axis", 1)))
	}
	fold := func(opType string, tensors [][]byte, in ...string) []byte {
		m := chainModel("y")
		m.tensors = tensors
		m.nodes = [][]byte{nodeOut(opType, "bomb", in, []string{"c"}), nodeOut("Add", "add", []string{"x", "c"}, []string{"y"})}
		return m.bytes()
	}
	deep := []byte{}
	for range 2000 {
		deep = appendMessage(nil, 6, appendMessage(nil, 1, appendMessage(nil, 5, deep)))
	}
	nested := chainModel("y")
	nested.nodes = [][]byte{nodeOut("If", "if", []string{"x"}, []string{"y"}, append(deep, appendInt(nil, 20, int64(attributeGraph))...))}
	many := chainModel("y")
	for range maxNodes + 1 {
		many.nodes = append(many.nodes, nil)
	}
	pairs := chainModel("y")
	all := slices.Repeat([]string{"x"}, 4096)
	results := make([]string, 4096)
	for i := range results {
		results[i] = fmt.Sprint("y", i)
	}
	pairs.nodes = [][]byte{nodeOut("Concat", "wide", all, results, intAttribute("axis", 1))}
	long := chainModel("y")
	long.functions = [][]byte{functionProtoOut("f", "F", []string{"a"}, []string{"b"}, nil, slices.Repeat([][]byte{nodeOut("Relu", "", []string{"a"}, []string{"b"})}, 1000)...)}
	long.nodes = [][]byte{domainNode("f", "F", strings.Repeat("n", 4000), []string{"x"}, []string{"y"})}
	long.nodes = slices.Repeat(long.nodes, 60)
	attributes := chainModel("y")
	attributes.nodes = [][]byte{nodeOut("Relu", "r", []string{"x"}, []string{"y"}, slices.Repeat([][]byte{nil}, maxElements)...)}
	one := []float32{1}
	for name, data := range map[string][]byte{
		"Concat":           concat.bytes(),
		"ConstantOfShape":  fold("ConstantOfShape", [][]byte{intTensor("s", []int{3}, 1<<20, 1<<20, 64)}, "s"),
		"Expand":           fold("Expand", [][]byte{floatTensor("one", []int{1}, one...), intTensor("s", []int{2}, 1<<20, 1<<20)}, "one", "s"),
		"Range":            fold("Range", [][]byte{floatTensor("a", nil, 0), floatTensor("b", nil, 1e30), floatTensor("d", nil, 1)}, "a", "b", "d"),
		"overflow":         fold("ConstantOfShape", [][]byte{intTensor("s", []int{3}, 1<<40, 1<<40, 64)}, "s"),
		"32 deep":          nested.bytes(),
		"65536 nodes":      many.bytes(),
		"pairs":            pairs.bytes(),
		"for names":        long.bytes(),
		"1048576 nodes":    attributes.bytes(),
		"so many integers": fold("Identity", [][]byte{intTensor("s", []int{maxIntegers + 1}, make([]int64, maxIntegers+1)...)}, "s"),
	} {
		allocated, err := allocations(data)
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
		if allocated > 256<<20 {
			t.Errorf("%s: %d MiB were allocated", name, allocated>>20)
		}
	}
}

// TestLongChains reads tens of thousands of nodes in each of the forms whose naive treatment takes quadratic time.
func TestLongChains(t *testing.T) {
	const n = 20000
	backwards, nested, repeated := chainModel("y"), chainModel("y"), chainModel("y")
	wide := make([]string, n)
	for i := range n {
		wide[i] = fmt.Sprint("v", i)
		backwards.nodes = append(backwards.nodes, nodeOut("Relu", "", []string{"x"}, []string{wide[i]}))
		v, next := fmt.Sprint("v", i), fmt.Sprint("v", i+1)
		if i == 0 {
			v = "x"
		}
		if i == n-1 {
			next = "y"
		}
		nested.nodes = append(nested.nodes, nodeOut("Concat", "", []string{"x", v}, []string{next}, intAttribute("axis", 1)))
		repeated.nodes = append(repeated.nodes, nodeOut("Relu", "the same name", []string{v}, []string{next}))
	}
	backwards.nodes = append([][]byte{nodeOut("Concat", "wide", wide, []string{"y"}, intAttribute("axis", 1))}, backwards.nodes...)
	for name, m := range map[string]testModel{"backwards": backwards, "nested": nested, "repeated": repeated} {
		net, _, err := ReadBytes(m.bytes(), ReadOptions{})
		if name == "backwards" {
			if err == nil || !strings.Contains(err.Error(), "has 20000 operands") {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if _, err := writtenBytes(net); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestEndlessNames: what is wrong is said in few bytes, however long the names and shapes of the file are.
func TestEndlessNames(t *testing.T) {
	endless := strings.Repeat("n", 1<<20)
	folder := t.TempDir()
	write := func(m testModel) string {
		path := filepath.Join(folder, "model.onnx")
		if err := os.WriteFile(path, m.bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := func(change func(*testModel)) testModel {
		m := chainModel("y")
		m.nodes = [][]byte{nodeOut("Relu", "r", []string{"x"}, []string{"y"})}
		change(&m)
		return m
	}
	for name, m := range map[string]testModel{
		"location": good(func(m *testModel) {
			m.tensors = [][]byte{externalTensor("w", []int{2}, "location", endless)}
		}),
		"location outside": good(func(m *testModel) {
			m.tensors = [][]byte{externalTensor("w", []int{2}, "location", "../"+endless)}
		}),
		"offset": good(func(m *testModel) {
			m.tensors = [][]byte{externalTensor("w", []int{2}, "location", "w.data", "offset", endless)}
		}),
		"metadata": good(func(m *testModel) { m.metadata = map[string]string{"regraft.preprocess": endless} }),
		"schema":   good(func(m *testModel) { m.metadata = map[string]string{"regraft.schema": endless} }),
		"shape":    good(func(m *testModel) { m.tensors = [][]byte{floatTensor("w", make([]int, 1<<19), 1)} }),
		"attribute": good(func(m *testModel) {
			m.nodes = [][]byte{nodeOut("Pad", "p", []string{"x"}, []string{"y"}, textAttribute("mode", endless))}
		}),
		"permutation": good(func(m *testModel) {
			m.nodes = [][]byte{nodeOut("Transpose", "p", []string{"x"}, []string{"y"}, intsAttribute("perm", make([]int, 1<<19)...))}
		}),
	} {
		_, _, err := Read(write(m), ReadOptions{})
		if err == nil || len(err.Error()) > 4000 {
			t.Errorf("%s: %.300v", name, err)
		}
	}
}

// TestStrangeNames quotes names of a file that would upset a terminal, and shortens endless ones.
func TestStrangeNames(t *testing.T) {
	m := chainModel("y")
	m.nodes = [][]byte{
		nodeOut("Odd\x1b[31m", "red\x1b[0m\xff", []string{"x"}, []string{"a"}),
		nodeOut("Long"+strings.Repeat("g", 4000), strings.Repeat("n", 4000), []string{"a"}, []string{"y"}),
	}
	for i := range 100 {
		m.nodes = append(m.nodes, nodeOut("More", "", []string{"y"}, []string{fmt.Sprint("z", i)}))
	}
	_, info, err := ReadBytes(m.bytes(), ReadOptions{})
	if err == nil || len(info.Unsupported) != 102 {
		t.Fatalf("%v, %d reported", err, len(info.Unsupported))
	}
	message := err.Error()
	if strings.Contains(message, "\x1b") || !utf8.ValidString(message) || len(message) > 10000 || !strings.Contains(message, "and 72 more") {
		t.Errorf("a message of %d bytes: %.1000q", len(message), message)
	}
}
