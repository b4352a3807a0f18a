package measure

import (
	"path/filepath"
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
