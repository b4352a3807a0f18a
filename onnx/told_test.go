package onnx

import (
	"math"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/tensor"

	"regraft/engine"
	"regraft/engine/op"
	"regraft/photo"
)

// TestAdvice: how faithfully a file of each kind can be trained, and how a better one is made; nothing that does not apply.
func TestAdvice(t *testing.T) {
	all := map[string]string{
		"faithful": "as faithful as training heads", "folded": "the exporter folded BatchNorm", "none": "no BatchNorm was found", "auxiliary": "no auxiliary output",
		"Keras": "the file does not say how photos are prepared", "tf2onnx": "tf2onnx always folds", "moved": "moves BatchNorm's running statistics one step", "all": "for everything (BatchNorm",
		"preserve": "statistics untouched", "ratios": "for Dropout ratios and auxiliary heads",
	}
	for _, c := range []struct {
		info Info
		meta engine.Meta
		two  bool // outputs
		want string
	}{
		{Info{BatchNorm: Trainable, Dialect: TorchScriptTrain}, engine.Meta{}, true, "faithful moved"},
		{Info{BatchNorm: Trainable, Dialect: TorchScriptEval}, engine.Meta{}, false, "auxiliary faithful ratios"},
		{Info{BatchNorm: Trainable, Dialect: TorchScriptEval}, engine.Meta{}, true, "faithful"},
		{Info{BatchNorm: Folded, Dialect: TorchScriptEval}, engine.Meta{}, true, "all folded preserve"},
		{Info{Dialect: TorchScriptTrain}, engine.Meta{}, true, "moved none"},
		{Info{BatchNorm: Folded, Dialect: TF2ONNX, Image: Image{Channels: 3}}, engine.Meta{}, true, "Keras folded tf2onnx"},
		{Info{BatchNorm: Folded, Dialect: TF2ONNX, Image: Image{Channels: 1}}, engine.Meta{}, true, "folded tf2onnx"},
		{Info{BatchNorm: Folded, Dialect: TF2ONNX, Image: Image{Channels: 3}, Transform: &Transform{}}, engine.Meta{}, true, "folded tf2onnx"},
		{Info{Dialect: TF2ONNX, Image: Image{Channels: 3}}, engine.Meta{Preprocess: photo.ImageNet(photo.Square(8))}, true, "none"},
	} {
		net := affine(t, 0, 0)
		if net.Meta = c.meta; c.two {
			net.Outputs = append(net.Outputs, net.Outputs[0])
		}
		c.info.advise(net)
		text := strings.Join(c.info.Advice, "\n")
		var told []string
		for what, words := range all {
			if strings.Contains(text, words) {
				told = append(told, what)
			}
		}
		slices.Sort(told)
		if got := strings.Join(told, " "); got != c.want {
			t.Errorf("%s, BatchNorm %s: %s, want %s", c.info.Dialect, c.info.BatchNorm, got, c.want)
		}
	}
}

// TestFunctionAttributes: a call's attributes go before the defaults of its function, which go where there are none; calls that do not fit are refused.
func TestFunctionAttributes(t *testing.T) {
	function := func(nodes ...[]byte) []byte {
		f := functionProtoOut("f", "F", []string{"a"}, []string{"b"}, nil, nodes...)
		return appendMessage(f, 11, floatAttribute("slope", 0.25))
	}
	body := nodeOut("LeakyRelu", "leak", []string{"a"}, []string{"b"}, refAttribute("alpha", "slope", attributeFloat))
	model := func(functions [][]byte, call []byte) []byte {
		m := chainModel("y")
		m.imports = [][]byte{appendInt(appendText(nil, 1, "f"), 2, 1)}
		m.functions, m.nodes = functions, [][]byte{call}
		return m.bytes()
	}
	call := func(in []string, attributes ...[]byte) []byte {
		return domainNode("f", "F", "call", in, []string{"y"}, attributes...)
	}
	for want, data := range map[float32][]byte{
		0.25: model([][]byte{function(body)}, call([]string{"x"})), 0.5: model([][]byte{function(body)}, call([]string{"x"}, floatAttribute("slope", 0.5))),
	} {
		net, _, err := ReadBytes(data, ReadOptions{})
		if err != nil {
			t.Error(err)
			continue
		}
		if o, is := net.Outputs[0].Node.Op().(*op.LeakyRelu); !is || o.Alpha != want {
			t.Errorf("%v, want a slope of %g", net.Outputs[0].Node.Op(), want)
		}
	}
	for says, data := range map[string][]byte{
		"is defined twice":             model([][]byte{function(body), function(body)}, call([]string{"x"})),
		"more inputs or outputs than":  model([][]byte{function(body)}, call([]string{"x", "x"})),
		"attribute outside a function": model(nil, nodeOut("LeakyRelu", "leak", []string{"x"}, []string{"y"}, refAttribute("alpha", "slope", attributeFloat))),
	} {
		if _, _, err := ReadBytes(data, ReadOptions{}); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, want %q", err, says)
		}
	}
}

// TestMasksRows: a known summand that is minus infinity all along an axis masks what lies along it.
func TestMasksRows(t *testing.T) {
	inf := float32(math.Inf(-1))
	for name, c := range map[string]struct {
		shape  []int
		values []float32
		axis   int
		want   bool
	}{
		"nothing":               {[]int{2, 2}, []float32{0, 0, 0, 0}, -1, false},
		"a half of every row":   {[]int{2, 2}, []float32{0, inf, inf, 0}, -1, false},
		"a row":                 {[]int{2, 2}, []float32{0, 0, inf, inf}, -1, true},
		"a column, for rows":    {[]int{2, 2}, []float32{0, inf, 0, inf}, -1, false},
		"a column, for columns": {[]int{2, 2}, []float32{0, inf, 0, inf}, -2, true},
		"a number":              {[]int{}, []float32{inf}, -1, true},
		"a finite number":       {[]int{}, []float32{-1e30}, -1, false},
		"too few axes":          {[]int{2}, []float32{0, inf}, -2, true},
	} {
		mask := &value{shape: c.shape, constant: &constant{shape: tensor.Shape(c.shape), floats: c.values}}
		sum := &value{step: &step{op: &op.Add{}, in: []*value{{}, mask}}}
		if got := masksRows(sum, c.axis); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
		if masksRows(&value{step: &step{op: &op.Mul{}, in: []*value{{}, mask}}}, c.axis) || masksRows(mask, c.axis) {
			t.Errorf("%s: what is no sum masks", name)
		}
	}
}
