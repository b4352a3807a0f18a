package measure

import (
	"compress/gzip"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"regraft/onnx"
)

// TestMACs counts the multiply-adds of convolutions, grouped ones too, of linear layers and of attention's products.
func TestMACs(t *testing.T) {
	const (
		pixels, channels, classes = 8 * 8, 8, 5
		first                     = pixels * channels * 3 * 3 * 3
		grouped                   = pixels * channels * channels / 2 * 3 * 3
		projections               = 3 * pixels * channels * channels
		attention                 = 2 * pixels * pixels * channels
	)
	net, _, err := onnx.Read(filepath.Join("..", "onnx", "testdata", "forms", "attention.onnx"), onnx.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	got, err := New(net, Options{}).MACs()
	if want := first + grouped + projections + attention + channels*classes; err != nil || got != want {
		t.Errorf("%d multiply-adds (%v), want %d", got, err, want)
	}
}

// TestLayersOfTokens: where tokens lie before images, (T, N, C), those of an image are what it has alone.
func TestLayersOfTokens(t *testing.T) {
	const images, layer = 5, "/encoder/layers/encoder_layer_0/self_attention/Gather_4"
	file, err := os.Open(filepath.Join("..", "onnx", "testdata", "backbones", "torchvision_vit.ts17.onnx.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	unpacked, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(unpacked)
	if err != nil {
		t.Fatal(err)
	}
	net, _, err := onnx.ReadBytes(data, onnx.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	m := New(net, Options{Batch: 2})
	keys := func(x []float32, images int) LayerOutput {
		layers, err := m.LayerOutputs(x, images, func(node string) bool { return node == layer })
		if err != nil || len(layers) != 1 {
			t.Fatalf("%d layers, %v", len(layers), err)
		}
		return layers[0]
	}
	size := net.Input.Shape()[1:].TotalSize()
	x := make([]float32, images*size)
	for i := range x {
		x[i] = float32(math.Sin(float64(i)))
	}
	all := keys(x, images)
	for image := range images {
		alone := keys(x[image*size:][:size], 1)
		tokens, channels := alone.Shape[0], alone.Shape[2]
		if want := []int{tokens, images, channels}; !slices.Equal(all.Shape, want) {
			t.Fatalf("shape %v, want %v", all.Shape, want)
		}
		for token := range tokens {
			got, want := all.Values[(token*images+image)*channels:][:channels], alone.Values[token*channels:][:channels]
			if !slices.Equal(got, want) {
				t.Fatalf("token %d of image %d: %v, want %v", token, image, got, want)
			}
		}
	}
}
