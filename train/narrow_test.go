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

// sketch builds a network whose parameters are drawn by their names and a seed.
type sketch struct {
	*engine.Builder
	t    testing.TB
	seed uint64
}

func newSketch(t testing.TB, seed uint64) *sketch { return &sketch{engine.NewBuilder(), t, seed} }

func (s *sketch) must(n *gorgonia.Node, err error) *gorgonia.Node {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
	return n
}

func (s *sketch) apply(name string, o op.Op, in ...*gorgonia.Node) *gorgonia.Node {
	s.t.Helper()
	return s.must(s.Apply(name, o, in...))
}

func (s *sketch) param(name string, low, high float64, shape ...int) *gorgonia.Node {
	s.t.Helper()
	p := &engine.Param{Name: name, Shape: shape}
	r := random.At(s.seed, name)
	p.Value = make([]float32, p.Shape.TotalSize())
	for i := range p.Value {
		p.Value[i] = float32(r.Uniform(low, high))
	}
	return s.must(s.Param(p))
}

// conv is a 3x3 convolution with padding.
func (s *sketch) conv(name string, x *gorgonia.Node, out, stride int) *gorgonia.Node {
	s.t.Helper()
	c := &op.Conv{Strides: [2]int{stride, stride}, Dilations: [2]int{1, 1}, Pads: [4]int{1, 1, 1, 1}, Group: 1}
	return s.apply(name, c, x, s.param(name+".weight", -0.3, 0.3, out, x.Shape()[1], 3, 3), s.param(name+".bias", -0.1, 0.1, out))
}

// network has the logits of a linear layer on the means of x.
func (s *sketch) network(x *gorgonia.Node) *engine.Network {
	s.t.Helper()
	x = s.apply("flatten", &op.Flatten{Axis: 1}, s.apply("pool", &op.GlobalAveragePool{}, x))
	x = s.apply("fc", &op.Linear{}, x, s.param("fc.weight", -0.3, 0.3, 3, x.Shape()[1]), s.param("fc.bias", -0.1, 0.1, 3))
	net, err := s.Network(engine.Meta{Labels: []string{"across", "down", "plain"}, Preprocess: narrowInput()}, engine.Output{Name: "logits", Node: x})
	if err != nil {
		s.t.Fatal(err)
	}
	return net
}

func narrowInput() *photo.Preprocess {
	return &photo.Preprocess{Size: photo.Square(side), Resize: "squash", Resample: "bilinear", Rescale: 1.0 / 255, Std: [3]float32{1, 1, 1}}
}

// narrow is a small network of Inception-v3's kind: convolutions with BatchNorm and Relu, an auxiliary classifier
// halfway up, global average pool and Dropout before the main one; five old classes.
func narrow(t testing.TB) *engine.Network {
	t.Helper()
	s := newSketch(t, 1)
	block := func(name string, x *gorgonia.Node, out, kernel, stride int) *gorgonia.Node {
		pad := kernel / 2
		c := &op.Conv{Strides: [2]int{stride, stride}, Dilations: [2]int{1, 1}, Pads: [4]int{pad, pad, pad, pad}, Group: 1}
		bound := 1.5 / float64(x.Shape()[1]*kernel)
		x = s.apply(name+".conv", c, x, s.param(name+".conv.weight", -bound, bound, out, x.Shape()[1], kernel, kernel))
		bn := name + ".bn."
		x = s.apply(name+".bn", &op.BatchNorm{Epsilon: 1e-3, Momentum: 0.9}, x,
			s.param(bn+"weight", 0.8, 1.2, out), s.param(bn+"bias", -0.1, 0.1, out),
			s.param(bn+"running_mean", -0.1, 0.1, out), s.param(bn+"running_var", 0.1, 0.3, out))
		return s.apply(name+".relu", &op.Relu{}, x)
	}
	pooled := func(name string, x *gorgonia.Node) *gorgonia.Node {
		return s.apply(name+".flatten", &op.Flatten{Axis: 1}, s.apply(name+".pool", &op.GlobalAveragePool{}, x))
	}
	linear := func(name string, x *gorgonia.Node) *gorgonia.Node {
		return s.apply(name, &op.Linear{}, x, s.param(name+".weight", -0.1, 0.1, 5, x.Shape()[1]), s.param(name+".bias", 0, 0, 5))
	}
	x := s.must(s.Placeholder("input", 1, 3, side, side))
	x = block("a", x, 8, 3, 2)
	x = block("b", x, 24, 3, 1)
	aux := linear("AuxLogits.fc", pooled("aux", x))
	x = block("c", x, 20, 3, 2)
	x = s.apply("drop", &op.Dropout{Ratio: 0.5, ID: "drop"}, pooled("main", x))
	meta := engine.Meta{Labels: []string{"1", "2", "3", "4", "5"}, Preprocess: narrowInput()}
	net, err := s.Network(meta, engine.Output{Name: "logits", Node: linear("fc", x)}, engine.Output{Name: "aux", Node: aux})
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
