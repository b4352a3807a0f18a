package cli

import (
	"encoding/json"
	"testing"
	"time"

	"regraft"
	"regraft/measure"
)

// TestBenchLayers: every convolution of the model is there once, a training step has the gradients
// of all of them as well but the photo's, and the nominal arithmetic is the model's.
func TestBenchLayers(t *testing.T) {
	layers := func(args ...string) (r layersJSON) {
		out := must(t, append([]string{"bench", "layers", inception, "--runs", "1", "--json"}, args...)...)
		if err := json.Unmarshal([]byte(out.stdout), &r); err != nil {
			t.Fatal(err)
		}
		return r
	}
	inference := layers()
	if inference.Schema != "regraft/bench-layers/1" || inference.Better != nil {
		t.Errorf("schema %q, better %v without --assert", inference.Schema, inference.Better)
	}
	const convolutions, linear, auxiliary = 94, 1, 3 // the auxiliary head has two convolutions and a linear layer
	if n := len(inference.Layers); n != convolutions+linear {
		t.Errorf("inference has %d layers, want %d", n, convolutions+linear)
	}
	flops := 0.0
	for _, l := range inference.Layers {
		if l.Min <= 0 || l.GFLOPS <= 0 || l.Kernel == "" || l.Shape == "" || l.Node == "" {
			t.Fatalf("incomplete: %+v", l)
		}
		flops += l.GFLOPS * l.Min * 1e6
	}
	m, err := regraft.Open(inception)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	macs, err := measure.New(m.Network(), measure.Options{}).MACs()
	if err != nil {
		t.Fatal(err)
	}
	if ratio := flops / (2 * float64(macs)); ratio < 0.999999 || ratio > 1.000001 {
		t.Errorf("the layers have %g times the model's operations", ratio)
	}
	forward := convolutions + linear + auxiliary
	if n, want := len(layers("--train", "--batch-size", "2").Layers), 3*forward-1; n != want {
		t.Errorf("a training step has %d layers, want %d", n, want)
	}
}

// TestBetterChoices: layers of one shape count together, five per cent are forgiven, and of several
// better choices the fastest is told.
func TestBetterChoices(t *testing.T) {
	ms := func(n float64) time.Duration { return time.Duration(n * 1e6) }
	layer := func(shape string, own, direct, four float64) measure.Layer {
		return measure.Layer{Op: "Conv", Shape: shape, Kernel: "k", Time: ms(own), Others: map[string]time.Duration{"direct": ms(direct), "four": ms(four)}}
	}
	better := fastest(betterChoices([]measure.Layer{
		layer("a", 10, 9, 20), layer("a", 10, 11, 20), // one faster, one slower: equal
		layer("b", 10, 9.6, 9.8), // within the margin
		layer("c", 10, 9, 8), layer("c", 10, 9, 7),
	}))
	if len(better) != 1 || better[0].Shape != "c" || better[0].Choice != "four" || better[0].Layers != 2 || better[0].Other != 7.5 || better[0].Min != 10 {
		t.Errorf("better choices: %+v", better)
	}
}
