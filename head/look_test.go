package head

import (
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"

	"regraft/engine"
	"regraft/engine/op"
	"regraft/engine/random"
	"regraft/engine/session"
	"regraft/golden"
	"regraft/onnx"
)

// inferred are the outputs of net for some photos of noise, and the number of steps that it takes.
func inferred(t *testing.T, net *engine.Network) ([]session.Matrix, int) {
	t.Helper()
	c, err := session.ForInference(net, 2, false)
	if err != nil {
		t.Fatal(err)
	}
	s, err := c.New(1)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	x, r := make([]float32, 2*net.Input.Shape()[1:].TotalSize()), random.At(1, "photos")
	for i := range x {
		x[i] = float32(r.Normal())
	}
	outputs, err := c.Infer(s, x, 2)
	if err != nil {
		t.Fatal(err)
	}
	return outputs, len(c.Steps)
}

// looked is what the trunk of an ONNX file computes, and that with how photos look, nil where there is no such thing.
func looked(t *testing.T, path string) (net, trunk, looking *engine.Network, block string) {
	t.Helper()
	net, _, err := onnx.Read(path, onnx.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if trunk, err = Trunk(net); err != nil {
		t.Fatal(err)
	}
	if looking, block, err = WithLook(trunk, trunk.Outputs[0].Node); err != nil {
		t.Fatal(err)
	}
	return net, trunk, looking, block
}

// TestLook: real exports of six families look at the place that is behind two thirds of their blocks. The look is the mean of the map there,
// no bit of other outputs changes, nothing that the planner joins is taken apart for it, and an export in which BatchNorm is folded has the same.
func TestLook(t *testing.T) {
	for name, want := range map[string]string{
		"inception_v3.ts.train.op9": "Mixed_6b", "inception_v3.ts113.eval.op14": "Mixed_6b", "resnet18.ts113.eval.op14": "layer3.0",
		"mobilenet_v2.dyn.eval.op20": "features.11.conv.2", "vgg11_bn.dyn.eval.op20": "features.18", "densenet121.ts113.eval.op14": "features.transition2.conv",
		"squeezenet1_0.ts113.eval.op14": "",
	} {
		net, trunk, looking, block := looked(t, filepath.Join(golden.Dir(t), "fixtures", name+".onnx"))
		if block != want || (looking == nil) != (want == "") {
			t.Errorf("%s: block %q, want %q", name, block, want)
		}
		alone, of, err := Look(trunk)
		if err != nil || of != block || (alone == nil) != (looking == nil) {
			t.Errorf("%s: alone the look is %v of %q, %v", name, alone, of, err)
		}
		if looking == nil {
			continue
		}
		at := looking.Outputs[len(looking.Outputs)-1].Node // pooled, then flattened
		tapped := *looking
		tapped.Outputs = slices.Clone(looking.Outputs)
		end := op.Inputs(op.Inputs(at)[0])[0]
		tapped.Outputs[len(tapped.Outputs)-1].Node = end
		flattened, err := tapped.Extend(tapped.Outputs, func(b *engine.Builder, i int, x *gorgonia.Node) (*gorgonia.Node, error) {
			return flat(b, tapped.Outputs[i].Name, x)
		})
		if err != nil {
			t.Fatal(err)
		}
		before, steps := inferred(t, trunk)
		after, more := inferred(t, looking)
		maps, _ := inferred(t, flattened)
		if more > steps+2 {
			t.Errorf("%s: %d steps with a look, %d without", name, more, steps)
		}
		for i, m := range before {
			if !slices.Equal(m.Values, after[i].Values) {
				t.Errorf("%s: %s changes", name, m.Name)
			}
		}
		look, values := after[len(before)], maps[len(before)]
		if only, _ := inferred(t, alone); len(only) != 1 || !slices.Equal(only[0].Values, look.Values) {
			t.Errorf("%s: alone the look is another", name)
		}
		places := values.Cols / look.Cols
		for i, got := range look.Values {
			mean := 0.0
			for _, v := range values.Values[i*places : (i+1)*places] {
				mean += float64(v) / float64(places)
			}
			if math.Abs(float64(got)-mean) > 1e-5*(1+math.Abs(mean)) {
				t.Fatalf("%s: channel %d has the mean %g, want %g", name, i, got, mean)
			}
		}
		if strings.Contains(name, "train") {
			sameLookWhenExported(t, net, after[len(before)].Values)
		}
	}
}

// sameLookWhenExported: BatchNorm becomes part of the convolutions.
func sameLookWhenExported(t *testing.T, net *engine.Network, want []float32) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "eval.onnx")
	if err := onnx.Export(path, net, onnx.ExportOptions{Opset: 17}); err != nil {
		t.Fatal(err)
	}
	_, _, looking, _ := looked(t, path)
	if looking == nil {
		t.Fatal("an export has no look")
	}
	outputs, _ := inferred(t, looking)
	for i, v := range outputs[len(outputs)-1].Values {
		if math.Abs(float64(v-want[i])) > 1e-4*(1+math.Abs(float64(want[i]))) {
			t.Fatalf("channel %d looks like %g, exported %g", i, want[i], v)
		}
	}
}

// TestNoLook: tokens have none, nor has a network of one block.
func TestNoLook(t *testing.T) {
	s, x := newSketch(t)
	tokens := s.apply(&op.Transpose{Perm: []int{0, 2, 1}}, s.apply(&op.Reshape{Shape: []int{0, 6, 25}}, s.conv("patches", x, 6, 5)))
	for _, name := range []string{"a", "b", "c"} {
		tokens = s.apply(&op.MatMul{}, tokens, s.param(name+".weight", 6, 6))
	}
	features := s.apply(&op.ReduceMean{Axes: []int{1}}, tokens)
	if looking, _, err := WithLook(s.network(s.linear("fc", features, 5)), features); looking != nil || err != nil {
		t.Errorf("tokens look like %v, %v", looking, err)
	}
	s, x = newSketch(t)
	features = s.pooled(s.conv("a", x, 4, 3))
	if looking, _, err := WithLook(s.network(s.linear("fc", features, 5)), features); looking != nil || err != nil {
		t.Errorf("one block looks like %v, %v", looking, err)
	}
}
