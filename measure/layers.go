package measure

import (
	"fmt"
	"time"

	"regraft/engine"
	"regraft/engine/kernel"
	"regraft/engine/session"
)

// Layer is a convolution, a linear layer, or one of their gradients, as it was measured.
type Layer struct {
	// Node is the node of the file, Op the operator with what is fused into it.
	Node, Op string
	// Shape is the geometry for one image, Tensors the shapes of operand and result.
	Shape, Tensors string
	// Kernel is what the planner chose, and Why the reason.
	Kernel, Why string
	// Flops is the nominal arithmetic of a run, two operations per multiply-add.
	Flops float64
	// Time is the fastest, with what belongs to the layer: transforms of its weights, say.
	Time time.Duration
	// Others are the fastest times of choices that the planner did not make.
	Others map[string]time.Duration
}

// LayerBench measures a model layer by layer. It is not safe for concurrent use.
type LayerBench struct {
	forms  []*benchForm // the planner's first
	x      []float32
	labels []float32 // nil for inference
	warm   bool
}

// benchForm is a program with some choice made everywhere.
type benchForm struct {
	name    string
	program *session.Compiled
	session *session.Session
	times   []time.Duration // of the last round
	best    []time.Duration
}

// NewLayerBench prepares the measurement of inference on prepared input x (images, C, H, W), or,
// with class ids labels (images), of training steps. With others it measures what the planner
// could have chosen as well: direct convolution in place of Winograd, and every number of output
// blocks in a tile of the direct ones.
func (m *Model) NewLayerBench(x, labels []float32, images int, others bool) (*LayerBench, error) {
	if err := session.Fits(m.net, x, images); err != nil {
		return nil, err
	}
	b := &LayerBench{x: x, labels: labels}
	programs, names, err := m.layerPrograms(images, labels != nil, others)
	if err != nil {
		return nil, err
	}
	for i, p := range programs {
		s, err := p.New(m.Threads)
		if err != nil {
			b.Close()
			return nil, err
		}
		b.forms = append(b.forms, &benchForm{names[i], p, s, s.Times(), make([]time.Duration, len(p.Steps))})
	}
	return b, nil
}

// layerPrograms compiles the planner's program and, with others, those of other choices.
func (m *Model) layerPrograms(images int, train, others bool) (programs []*session.Compiled, names []string, err error) {
	own, err := m.layerProgram(images, train, m.Direct)
	if err != nil || !others {
		return []*session.Compiled{own}, []string{""}, err
	}
	programs, names = append(programs, own), append(names, "")
	if !m.Direct {
		direct, err := m.layerProgram(images, train, true)
		if err != nil {
			return nil, nil, err
		}
		programs, names = append(programs, direct), append(names, "direct")
	}
	last := programs[len(programs)-1] // direct: every blocking of it is measured, of Winograd's layers too
	for k := 1; ; k++ {
		p := last.WithBlocks(k)
		if p == nil {
			return programs, names, nil
		}
		programs, names = append(programs, p), append(names, fmt.Sprintf("direct, tiles of %d output blocks", k))
	}
}

func (m *Model) layerProgram(images int, train, direct bool) (*session.Compiled, error) {
	if train {
		return m.trainer(engine.ObjectiveOptions{Batch: images, AuxWeight: auxWeight}, direct)
	}
	net, err := m.classifier()
	if err != nil {
		return nil, err
	}
	return session.ForInference(net, images, direct)
}

// Round runs every form once and keeps the fastest times. The first round only warms up.
func (b *LayerBench) Round() error {
	for _, f := range b.forms {
		if err := f.run(b.x, b.labels); err != nil {
			return err
		}
		for i, t := range f.times {
			if b.warm && (f.best[i] == 0 || t < f.best[i]) {
				f.best[i] = t
			}
		}
	}
	b.warm = true
	return nil
}

// Forget starts the measurement anew, without warming up.
func (b *LayerBench) Forget() {
	for _, f := range b.forms {
		clear(f.best)
	}
}

func (f *benchForm) run(x, labels []float32) error {
	if labels == nil {
		return f.session.Infer(x, f.program.Batch)
	}
	return f.session.Step(x, labels, 0)
}

// Close releases the memory.
func (b *LayerBench) Close() error {
	var first error
	for _, f := range b.forms {
		if err := f.session.Close(); err != nil && first == nil {
			first = err
		}
	}
	return first
}

// Layers returns what was measured so far, in the order of the program.
func (b *LayerBench) Layers() []Layer {
	var layers []Layer
	own := b.forms[0]
	times := own.byNode()
	for _, s := range own.program.Steps {
		if s.Flops == 0 {
			continue
		}
		l := Layer{Node: s.Node, Op: s.Op, Tensors: s.Shapes, Kernel: s.Prim.Name(), Why: s.Why, Time: times[s.Node], Others: map[string]time.Duration{}}
		if c, ok := s.Prim.(interface{ Shape() kernel.ConvShape }); ok {
			l.Shape = c.Shape().String()
		}
		images := s.Images
		if images == 0 {
			images = own.program.Batch
		}
		l.Flops = s.Flops * float64(images)
		layers = append(layers, l)
	}
	for _, f := range b.forms[1:] {
		f.compare(layers)
	}
	return layers
}

// compare enters the times of a form where it chose another kernel.
func (f *benchForm) compare(layers []Layer) {
	times, kernels := f.byNode(), map[string]string{}
	for _, s := range f.program.Steps {
		if s.Flops > 0 {
			kernels[s.Node] = s.Prim.Name()
		}
	}
	for _, l := range layers {
		if name := kernels[l.Node]; name != "" && name != l.Kernel {
			l.Others[f.name] = times[l.Node]
		}
	}
}

// byNode adds up the steps of each node: a convolution and the transforms of its weights, say.
func (f *benchForm) byNode() map[string]time.Duration {
	times := map[string]time.Duration{}
	for i, s := range f.program.Steps {
		times[s.Node] += f.best[i]
	}
	return times
}
