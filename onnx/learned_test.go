package onnx

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"regraft/engine"
)

// TestConstantsAreNoWeights holds what training may change against the rule of learned.go, in a file as exporters write it
// and after it was written and read again.
func TestConstantsAreNoWeights(t *testing.T) {
	for _, c := range []struct {
		name      string // files of PyTorch's begin with its name
		build     func(m *testModel)
		constants []string
	}{
		{"a mean image", func(m *testModel) {
			m.node("Sub", []string{"x", m.float("data_Mean", 1, 3, 8, 8)}, "a")
			m.node("Conv", []string{"a", m.float("w", 3, 3, 1, 1)}, "y")
		}, []string{"data_Mean"}},
		{"a mean image that is called like a parameter", func(m *testModel) {
			m.node("Add", []string{"x", m.float("input.bias", 3, 8, 8)}, "a")
			m.node("Conv", []string{"a", m.float("w", 3, 3, 1, 1)}, "y")
		}, []string{"input.bias"}},
		{"a scale behind a layer", func(m *testModel) {
			m.node("Conv", []string{"x", m.float("w", 3, 3, 1, 1)}, "a")
			m.node("Mul", []string{"a", m.float("scale", 1, 3, 1, 1)}, "y")
		}, []string{"scale"}},
		{"a layer scale", func(m *testModel) {
			m.node("Conv", []string{"x", m.float("w", 3, 3, 1, 1)}, "a")
			m.node("Mul", []string{"a", m.float("stages.0.blocks.1.gamma", 1, 3, 1, 1)}, "y")
		}, nil},
		{"a layer scale in another shape", func(m *testModel) {
			m.node("Conv", []string{"x", m.float("w", 3, 3, 1, 1)}, "a")
			m.node("Reshape", []string{m.float("stages.0.blocks.1.gamma", 3), m.ints("shape", 1, -1, 1, 1)}, "view_7")
			m.node("Mul", []string{"a", "view_7"}, "y")
		}, nil},
		{"pytorch: a layer scale whose name the exporter folded away", func(m *testModel) {
			m.node("Conv", []string{"x", m.float("w", 3, 3, 1, 1)}, "a")
			m.node("Mul", []string{"a", m.float("onnx::Mul_123", 1, 3, 1, 1)}, "y")
		}, nil},
		{"pytorch: a parameter of another name", func(m *testModel) {
			m.node("Conv", []string{"x", m.float("w", 3, 3, 1, 1)}, "a")
			m.node("Mul", []string{"a", m.float("grn.g", 1, 3, 1, 1)}, "y")
		}, nil},
		{"pytorch: a buffer", func(m *testModel) {
			m.node("Conv", []string{"x", m.float("w", 3, 3, 1, 1)}, "a")
			m.node("Sub", []string{"a", m.float("norm.mean", 1, 3, 1, 1)}, "y")
		}, []string{"norm.mean"}},
		{"pytorch: a factor that the current exporter folded", func(m *testModel) {
			m.node("Conv", []string{"x", m.float("w", 3, 3, 1, 1)}, "a")
			m.node("Mul", []string{"a", m.float("unsqueeze_3", 3, 1, 1)}, "y")
		}, nil},
		{"a dotted name of another exporter", func(m *testModel) {
			m.node("Conv", []string{"x", m.float("w", 3, 3, 1, 1)}, "a")
			m.node("Mul", []string{"a", m.float("model.stage.factor", 1, 3, 1, 1)}, "y")
		}, []string{"model.stage.factor"}},
		{"a position table", func(m *testModel) {
			m.node("Conv", []string{"x", m.float("w", 3, 3, 1, 1)}, "a")
			m.node("Add", []string{"a", m.float("pos_embed", 1, 3, 8, 8)}, "y")
		}, nil},
		{"the bias of a product of matrices", func(m *testModel) {
			m.node("MatMul", []string{"x", m.float("w7", 8, 5)}, "a")
			m.node("Add", []string{"a", m.float("w8", 5)}, "y")
		}, nil},
		{"an exponent and a summand", func(m *testModel) {
			m.node("Conv", []string{"x", m.float("w", 3, 3, 1, 1)}, "a")
			m.node("Pow", []string{"a", m.scalar("p", 3)}, "b")
			m.node("Add", []string{"b", m.scalar("epsilon", 1e-6)}, "y")
		}, []string{"p", "epsilon"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := chainModel("y")
			if strings.HasPrefix(c.name, "pytorch") {
				m.producer = "pytorch"
			}
			c.build(&m)
			net, info, err := ReadBytes(m.bytes(), ReadOptions{})
			if err != nil {
				t.Fatal(err)
			}
			if got := constantsOf(net); !slices.Equal(got, c.constants) {
				t.Errorf("constants %q, want %q", got, c.constants)
			}
			for _, k := range info.Constants {
				if !slices.Contains(c.constants, k.Name) {
					t.Errorf("Info lists %q", k.Name)
				}
			}
			path := filepath.Join(t.TempDir(), "again.onnx")
			if err := Write(path, net); err != nil {
				t.Fatal(err)
			}
			again, _, err := Read(path, ReadOptions{})
			if err != nil {
				t.Fatal(err)
			}
			for k, p := range again.Params {
				if was := net.Params[k]; p.Name != was.Name || p.Constant != was.Constant {
					t.Errorf("%s, constant %v, becomes %s, constant %v", was.Name, was.Constant, p.Name, p.Constant)
				}
			}
		})
	}
}

// constantsOf lists constants under their names in the file.
func constantsOf(net *engine.Network) (names []string) {
	for _, p := range net.Params {
		if p.Constant {
			names = append(names, p.FileName())
		}
	}
	return names
}
