package onnx

import (
	"slices"
	"strings"
	"testing"

	"regraft/engine/op"
)

// TestLabelEncoderNames: the names of classes are those that LabelEncoder gives to the numbers from 0 on, in any order; other maps
// name nothing.
func TestLabelEncoderNames(t *testing.T) {
	ints := func(name string, v ...int) []byte { return intsAttribute(name, v...) }
	for _, c := range []struct {
		what       string
		attributes [][]byte
		want       []string
	}{
		{"in order", [][]byte{ints("keys_int64s", 0, 1, 2), texts("values_strings", "a", "b", "c")}, []string{"a", "b", "c"}},
		{"shuffled", [][]byte{ints("keys_int64s", 2, 0, 1), texts("values_strings", "a", "b", "c")}, []string{"b", "c", "a"}},
		{"version 1", [][]byte{texts("classes_strings", "x", "y", "z")}, []string{"x", "y", "z"}},
		{"gaps", [][]byte{ints("keys_int64s", 0, 1, 5), texts("values_strings", "a", "b", "c")}, nil},
		{"twice", [][]byte{ints("keys_int64s", 0, 1, 1), texts("values_strings", "a", "b", "c")}, nil},
		{"a tensor that is none", [][]byte{ints("keys_tensor", 0), texts("values_strings", "a")}, nil},
		{"too few", [][]byte{ints("keys_int64s", 0), texts("values_strings", "a", "b", "c")}, nil},
	} {
		m := chainModel("name")
		m.imports = [][]byte{appendInt(appendText(nil, 1, "ai.onnx.ml"), 2, 2)}
		m.node("Flatten", []string{"x"}, "f")
		m.node("MatMul", []string{"f", m.float("w", 192, 3)}, "scores")
		m.nodes = append(m.nodes, nodeOut("ArgMax", "best", []string{"scores"}, []string{"k"}, intAttribute("axis", 1)),
			domainNode("ai.onnx.ml", "LabelEncoder", "label", []string{"k"}, []string{"name"}, c.attributes...))
		net, info, err := ReadBytes(m.bytes(), ReadOptions{})
		if err != nil {
			t.Fatalf("%s: %v", c.what, err)
		}
		if !slices.Equal(net.Meta.Labels, c.want) {
			t.Errorf("%s: names %q, want %q", c.what, net.Meta.Labels, c.want)
		}
		if len(net.Outputs) != 1 || net.Outputs[0].Name != "scores" || info.Outputs[0].Scores != "scores" {
			t.Errorf("%s: outputs %v of %+v", c.what, net.Outputs, info.Outputs)
		}
		if _, linear := net.Outputs[0].Node.Op().(*op.Linear); !linear || !strings.Contains(strings.Join(info.Warnings, "\n"), "LabelEncoder of ArgMax") {
			t.Errorf("%s: ends in %v, warnings %q", c.what, net.Outputs[0].Node, info.Warnings)
		}
	}
}

// TestPickedNames: a list of names from which the best score's is picked names the classes.
func TestPickedNames(t *testing.T) {
	const ml = "ai.onnx.ml"
	for _, pick := range []struct{ domain, opType string }{{ml, "ArrayFeatureExtractor"}, {"", "Gather"}} {
		m := chainModel("name")
		m.imports = [][]byte{appendInt(appendText(nil, 1, ml), 2, 2)}
		m.node("Flatten", []string{"x"}, "f")
		m.node("MatMul", []string{"f", m.float("w", 192, 3)}, "scores")
		m.nodes = append(m.nodes, nodeOut("Constant", "list", nil, []string{"names"}, texts("value_strings", "a", "b", "c")),
			nodeOut("ArgMax", "best", []string{"scores"}, []string{"k"}, intAttribute("axis", 1)),
			domainNode(pick.domain, pick.opType, "pick", []string{"names", "k"}, []string{"name"}))
		net, _, err := ReadBytes(m.bytes(), ReadOptions{})
		if err != nil {
			t.Errorf("%s: %v", pick.opType, err)
		} else if want := []string{"a", "b", "c"}; !slices.Equal(net.Meta.Labels, want) || net.Outputs[0].Name != "scores" {
			t.Errorf("%s: names %q of %s", pick.opType, net.Meta.Labels, net.Outputs[0].Name)
		}
	}
}

// TestDecisionInside: ArgMax that more than an output depends on stays, and is refused.
func TestDecisionInside(t *testing.T) {
	m := chainModel("y")
	m.node("Flatten", []string{"x"}, "f")
	m.nodes = append(m.nodes, nodeOut("ArgMax", "best", []string{"f"}, []string{"k"}, intAttribute("axis", 1)))
	m.node("Cast", []string{"k"}, "c", intAttribute("to", int(typeFloat)))
	m.node("Mul", []string{"c", "f"}, "y")
	if _, _, err := ReadBytes(m.bytes(), ReadOptions{}); err == nil || !strings.Contains(err.Error(), "ArgMax") {
		t.Errorf("error %v", err)
	}
}

func texts(name string, values ...string) []byte {
	return attributeOut(name, attributeStrings, func(b []byte) []byte {
		for _, v := range values {
			b = appendText(b, 9, v)
		}
		return b
	})
}
