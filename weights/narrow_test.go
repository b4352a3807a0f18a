package weights_test

import (
	"math"
	"slices"
	"testing"

	"regraft/head"
	"regraft/weights"
)

// TestNarrow: all families whose channels can be divided are built narrower, with their structure kept.
func TestNarrow(t *testing.T) {
	labels := []string{"a", "b", "c"}
	for arch, want := range map[string]struct{ divisor, size, heads, features int }{
		"inception_v3": {8, 107, 2, 256},
		"resnet18":     {4, 64, 1, 128},
		"vgg11_bn":     {8, 224, 1, 512},
	} {
		if testing.Short() && arch == "vgg11_bn" {
			continue // millions of random numbers
		}
		net, err := weights.Narrow(arch, want.divisor, want.size, labels, 1)
		if err != nil {
			t.Errorf("%s: %v", arch, err)
			continue
		}
		heads, err := head.Find(net)
		if err != nil {
			t.Fatal(err)
		}
		if len(heads) != want.heads || heads[0].Features != want.features || heads[0].Classes != len(labels) {
			t.Errorf("%s: %d heads, the main one with %d features and %d classes", arch, len(heads), heads[0].Features, heads[0].Classes)
		}
		if shape := net.Input.Shape(); !slices.Equal(shape, []int{1, 3, want.size, want.size}) {
			t.Errorf("%s: input %v", arch, shape)
		}
		again, err := weights.Narrow(arch, want.divisor, want.size, labels, 1)
		if err != nil {
			t.Fatal(err)
		}
		for i, p := range net.Params {
			if len(p.Value) != p.Shape.TotalSize() {
				t.Errorf("%s: %s has %d values for %v", arch, p.Name, len(p.Value), p.Shape)
			}
			if n := len(p.Value); len(p.Shape) > 1 && n >= 1000 {
				// He's initialisation: the variance is 2 by the operands of an output; four standard errors.
				variance, want := 0.0, 2*float64(p.Shape[0])/float64(n)
				for _, v := range p.Value {
					variance += float64(v) * float64(v) / float64(n)
				}
				if math.Abs(variance/want-1) > 4*math.Sqrt(2/float64(n)) {
					t.Errorf("%s: %s has the variance %g, want %g", arch, p.Name, variance, want)
				}
			}
			if !slices.Equal(p.Value, again.Params[i].Value) {
				t.Errorf("%s: %s differs although the seed is the same", arch, p.Name)
			}
		}
	}
	for arch, divisor := range map[string]int{"inception_v3": 7, "lenet": 2, "mobilenet_v2": 8} {
		if _, err := weights.Narrow(arch, divisor, 107, labels, 1); err == nil {
			t.Errorf("%s can be divided by %d", arch, divisor)
		}
	}
}
