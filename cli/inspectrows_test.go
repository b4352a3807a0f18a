package cli

import (
	"bytes"
	"strings"
	"testing"

	"regraft/golden"
	"regraft/head"
	"regraft/onnx"
	"regraft/photo"
	"regraft/train"
)

// everythingInspected has something of all that inspect tells.
func everythingInspected() inspectJSON {
	names := []string{"a", "b", "c", "d", "e", "f", "g"}
	info := &onnx.Info{
		File: "m.onnx", IRVersion: 8, Opset: 17, Producer: "pytorch 2.1", Dialect: onnx.DynamoEval,
		Inputs:    []onnx.ValueInfo{{Name: "x", DType: "float32", Shape: []onnx.Dim{{Name: "N"}, {Size: 1}, {Size: 20}, {Size: 30}}}},
		Outputs:   []onnx.ValueInfo{{Name: "y", DType: "float32", Shape: []onnx.Dim{{Name: "N"}, {Size: 9}}}, {Name: "z", DType: "float16", Shape: []onnx.Dim{{Size: 1}}}},
		Operators: map[string]int{"Relu": 2, "Conv": 3, "Add": 2}, Layout: onnx.NHWC, Image: onnx.Image{Channels: 1, Height: 20, Width: 30}, Half: true,
		Parameters: 1_234_567, BatchNorm: onnx.Folded, Warnings: []string{"one", "two"}, Advice: []string{"three"},
	}
	for _, name := range names {
		info.Constants = append(info.Constants, onnx.Constant{Name: name, Shape: []int{2, 3}})
	}
	reason := "why"
	return inspectJSON{
		Info: info, MACs: 5_678_000_000, Heads: []inspectHead{{"fc", head.Main, 9, 64, "node"}}, Labels: strings.Split("a b c d e f g h i j k l m", " "), Epochs: 3,
		Distance: &train.DistanceSummary{Block: "Mixed_6b", Kept: 0.99, Photos: 100, Bytes: 132 << 10}, Training: inspectTraining{Full: &reason},
		prepare: *photo.ImageNet(photo.Size{H: 20, W: 30}),
		told:    true, means: "softmax", pooled: "means",
	}
}

// TestInspectRows: every row stands where there is something to tell, and no other does (testdata/inspect.txt).
func TestInspectRows(t *testing.T) {
	var out bytes.Buffer
	con := newConsole(nil, &out, &bytes.Buffer{})
	told := func(v inspectJSON) {
		if err := printInspect(con, false, v); err != nil {
			t.Fatal(err)
		}
		con.printf("\n")
		con.out.Flush()
	}
	v := everythingInspected()
	v.prepare.Decode = photo.Fast
	told(v)
	v.Constants, v.Labels, v.told, v.Distance, v.Training, v.Epochs, v.pooled = v.Constants[:2], v.Labels[:2], false, nil, inspectTraining{}, 0, ""
	v.Half, v.Layout, v.Image = false, "", onnx.Image{Channels: 3, Height: 20, Width: 30, DType: "uint8"}
	told(v)
	v.Unsupported = []onnx.Unsupported{{Operator: "X"}}
	told(v)
	golden.Text(t, "testdata/inspect.txt", out.String())
}
