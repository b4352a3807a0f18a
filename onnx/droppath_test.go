package onnx

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"regraft/engine"
	"regraft/engine/op"
)

// TestDropPath: residual branches are left out with a share that rises from block to block, where there are such; sums of other kinds, as
// with a bias, a table of positions or in a response norm, are none.
func TestDropPath(t *testing.T) {
	for name, want := range map[string][]string{
		"timm_vit.ts14":         {"0.25", "0.25"},
		"timm_convnextv2.dyn20": {"0", "0.0833", "0.167", "0.25"},
		"timm_swin.dyn23":       {"0", "0", "0.0833", "0.0833", "0.167", "0.167", "0.25", "0.25"},
		"adaptive_pool.dyn20":   nil,
	} {
		t.Run(name, func(t *testing.T) {
			net := readBackbone(t, "testdata/backbones/"+name+".onnx.gz").net
			obj, err := engine.NewObjective(net, engine.ObjectiveOptions{Batch: 2, DropPath: 0.25})
			if want == nil {
				if err == nil || !strings.Contains(err.Error(), "no residual branches") {
					t.Errorf("a network without residual branches: %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var shares []string
			for _, node := range obj.Net.Nodes() {
				if o, ok := node.Op().(*op.DropoutTrain); ok && o.Whole {
					shares = append(shares, fmt.Sprintf("%.3g", o.Ratio))
				}
			}
			want = slices.DeleteFunc(slices.Clone(want), func(s string) bool { return s == "0" })
			if !slices.Equal(shares, want) {
				t.Errorf("shares %q, want %q", shares, want)
			}
		})
	}
}
