package train

import (
	"crypto/sha256"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"testing"

	"gorgonia.org/gorgonia"

	"regraft/engine"
	"regraft/engine/op"
	"regraft/engine/random"
	"regraft/photo"
)

const side = 20 // pixels of the narrow network's input

// narrow is a small network of Inception-v3's kind: convolutions with BatchNorm and Relu, an auxiliary classifier
// halfway up, global average pool and Dropout before the main one; five old classes.
func narrow(t testing.TB) *engine.Network {
	t.Helper()
	b := engine.NewBuilder()
	must := func(n *gorgonia.Node, err error) *gorgonia.Node {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	param := func(name string, low, high float64, shape ...int) *gorgonia.Node {
		p := &engine.Param{Name: name, Shape: shape}
		r := random.At(1, name)
		p.Value = make([]float32, p.Shape.TotalSize())
		for i := range p.Value {
			p.Value[i] = float32(r.Uniform(low, high))
		}
		return must(b.Param(p))
	}
	block := func(name string, x *gorgonia.Node, out, kernel, stride int) *gorgonia.Node {
		pad := kernel / 2
		c := &op.Conv{Strides: [2]int{stride, stride}, Dilations: [2]int{1, 1}, Pads: [4]int{pad, pad, pad, pad}, Group: 1}
		bound := 1.5 / float64(x.Shape()[1]*kernel)
		x = must(b.Apply(name+".conv", c, x, param(name+".conv.weight", -bound, bound, out, x.Shape()[1], kernel, kernel)))
		bn := name + ".bn."
		x = must(b.Apply(name+".bn", &op.BatchNorm{Epsilon: 1e-3, Momentum: 0.9}, x,
			param(bn+"weight", 0.8, 1.2, out), param(bn+"bias", -0.1, 0.1, out),
			param(bn+"running_mean", -0.1, 0.1, out), param(bn+"running_var", 0.1, 0.3, out)))
		return must(b.Apply(name+".relu", &op.Relu{}, x))
	}
	pooled := func(name string, x *gorgonia.Node) *gorgonia.Node {
		x = must(b.Apply(name+".pool", &op.GlobalAveragePool{}, x))
		return must(b.Apply(name+".flatten", &op.Flatten{Axis: 1}, x))
	}
	linear := func(name string, x *gorgonia.Node) *gorgonia.Node {
		return must(b.Apply(name, &op.Linear{}, x, param(name+".weight", -0.1, 0.1, 5, x.Shape()[1]), param(name+".bias", 0, 0, 5)))
	}
	x := must(b.Placeholder("input", 1, 3, side, side))
	x = block("a", x, 8, 3, 2)
	x = block("b", x, 24, 3, 1)
	aux := linear("AuxLogits.fc", pooled("aux", x))
	x = block("c", x, 20, 3, 2)
	x = must(b.Apply("drop", &op.Dropout{Ratio: 0.5, ID: "drop"}, pooled("main", x)))
	meta := engine.Meta{
		Labels:     []string{"1", "2", "3", "4", "5"},
		Preprocess: &photo.Preprocess{Size: photo.Square(side), Resize: "squash", Resample: "bilinear", Rescale: 1.0 / 255, Std: [3]float32{1, 1, 1}},
	}
	net, err := b.Network(meta, engine.Output{Name: "logits", Node: linear("fc", x)}, engine.Output{Name: "aux", Node: aux})
	if err != nil {
		t.Fatal(err)
	}
	return net
}

// photos writes a folder of three classes of noisy photos: stripes across, stripes down, and none.
func photos(t testing.TB, sets map[string]int) string {
	t.Helper()
	root := t.TempDir()
	for set, n := range sets {
		for class := range 3 {
			dir := filepath.Join(root, set, []string{"across", "down", "plain"}[class])
			if err := os.MkdirAll(dir, 0o777); err != nil {
				t.Fatal(err)
			}
			for i := range n {
				writePhoto(t, filepath.Join(dir, fmt.Sprintf("%03d.png", i)), class, random.At(uint64(i), set+dir[len(dir)-2:]))
			}
		}
	}
	return root
}

func writePhoto(t testing.TB, path string, class int, r *random.Stream) {
	t.Helper()
	m := image.NewRGBA(image.Rect(0, 0, side, side))
	phase := r.IntN(4)
	for y := range side {
		for x := range side {
			v := 90 + 60*r.Float64()
			if at := []int{y, x, 0}[class]; class < 2 && (at+phase)/2%2 == 0 {
				v += 70
			}
			m.Set(x, y, color.Gray{Y: uint8(v)})
		}
	}
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := png.Encode(f, m); err != nil {
		t.Fatal(err)
	}
}

// narrowRun is a short run of the narrow network, without a page and a card.
func narrowRun(t testing.TB, mode Mode, data string) Config {
	t.Helper()
	c := Defaults(mode, "")
	c.Net, c.Data, c.Out = narrow(t), data, filepath.Join(t.TempDir(), "out")
	c.Threads, c.Workers, c.Seed = 2, 2, 7
	c.Epochs, c.NoReport = 4, true
	if mode == Heads {
		c.Views = 1
	}
	if mode == Full {
		c.Batch, c.LearningRate = 8, 5e-3
	}
	return c
}

// sum is the SHA-256 of a file.
func sum(t testing.TB, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%x", sha256.Sum256(data))
}
