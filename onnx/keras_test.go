package onnx

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"regraft/engine/op"
)

// TestKeras: what tf2onnx makes of Keras's Inception-v3 is told, and no Transpose is left of its layout.
func TestKeras(t *testing.T) {
	for file, layout := range map[string]Layout{"inception_v3.tf2onnx.eval.op17": "NHWC", "inception_v3_stem.tf2onnx.eval.op9.nchw": "NCHW"} {
		net, info, err := Read(filepath.Join("testdata", file+".onnx"), ReadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if info.Dialect != "tf2onnx" || info.Layout != layout || info.BatchNorm != "folded" {
			t.Errorf("%s: dialect %s, layout %s, BatchNorm %s", file, info.Dialect, info.Layout, info.BatchNorm)
		}
		if told := strings.Contains(strings.Join(info.Warnings, "\n"), "channels-last"); told != (layout == "NHWC") {
			t.Errorf("%s: warnings %q", file, info.Warnings)
		}
		if advice := strings.Join(info.Advice, "\n"); !strings.Contains(advice, "Mean 0.5,0.5,0.5") {
			t.Errorf("%s: the advice is %s", file, advice)
		}
		for _, n := range net.Nodes() {
			if name := n.Op().(op.Op).Name(); name == "Transpose" || name == "Reshape" {
				t.Errorf("%s: a %s is left", file, name)
			}
		}
	}
}

// TestKerasTraining: with training=True the running statistics are lost, and the answer for a photo depends on the others.
func TestKerasTraining(t *testing.T) {
	_, info, err := Read(filepath.Join("testdata", "refused", "keras_training.op17.onnx"), ReadOptions{})
	if !errors.Is(err, ErrUnsupported) || !strings.Contains(err.Error(), "moments/mean") || !strings.Contains(err.Error(), "training=False") {
		t.Errorf("%v", err)
	}
	if info == nil || len(info.Unsupported) != 1 {
		t.Errorf("%+v", info)
	}
}

// TestKerasFeatures: without its top Keras's network ends in maps (N, H, W, C); here they are (N, C, H, W).
func TestKerasFeatures(t *testing.T) {
	for size, last := range map[int]func(m *testModel){
		8: func(m *testModel) { m.node("Transpose", []string{"c"}, "y", intsAttribute("perm", 0, 2, 3, 1)) },
		3: func(m *testModel) { m.node("Reshape", []string{"c", m.ints("s", -1, 1, 1, 4)}, "y") },
	} {
		m := chainModel("y")
		m.inputs = [][]byte{inputProto("x", typeFloat, 2, size, size, 3)}
		m.node("Transpose", []string{"x"}, "t", intsAttribute("perm", 0, 3, 1, 2))
		m.node("Conv", []string{"t", m.float("w", 4, 3, 3, 3)}, "c")
		last(&m)
		net, info, err := ReadBytes(m.bytes(), ReadOptions{Batch: 2})
		if err != nil {
			t.Fatal(err)
		}
		if shape := net.Outputs[0].Node.Shape(); !shape.Eq([]int{2, 4, size - 2, size - 2}) || len(net.Nodes()) != 1 {
			t.Errorf("the output has shape %v after %d nodes", shape, len(net.Nodes()))
		}
		if info.Outputs[0].Layout != "NHWC" || !strings.Contains(strings.Join(info.Warnings, "\n"), `output "y" is channels-last`) {
			t.Errorf("%+v, warnings %q", info.Outputs, info.Warnings)
		}
	}
}
