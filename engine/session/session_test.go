package session

import (
	"errors"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"regraft/engine"
	"regraft/engine/plan"
	"regraft/onnx"
)

// files are networks of several forms: convolutions by Winograd and directly, grouped, folded BatchNorm, linear layers.
var files = []string{
	"../../onnx/testdata/inception_v3.ts.train.op20.transform.onnx", "../../onnx/testdata/resnet18.ts.train.op17.onnx",
	"../../onnx/testdata/squeezenet1_1.dyn.eval.op20.onnx", "../../onnx/testdata/zoo_form.hand.op9.onnx", "../../demo/regraft-mini.onnx",
}

// compile compiles the first output of the network in a file.
func compile(t *testing.T, file string, images int, direct bool) *Compiled {
	t.Helper()
	c, err := tryCompile(t, file, images, direct)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func tryCompile(t *testing.T, file string, images int, direct bool) (*Compiled, error) {
	t.Helper()
	net, _, err := onnx.Read(file, onnx.ReadOptions{})
	if err == nil {
		net, err = net.Subgraph(net.Outputs[0])
	}
	if err == nil {
		net, err = net.WithBatch(images)
	}
	if err != nil {
		t.Fatal(err)
	}
	o, err := Native(direct)
	if err != nil {
		t.Fatal(err)
	}
	return Compile(net, o)
}

// packed are the constants of a program.
func packed(t *testing.T, p *plan.Program) []float32 {
	t.Helper()
	all := make([]float32, p.Size[plan.Const]/4)
	for _, c := range p.Constants {
		if err := c.Fill(all[c.Off/4:][:c.Len]); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// TestConstantsOfBatches: programs that share constants pack the same ones to the bit, and usually one for a photo shares them with one
// for a batch.
func TestConstantsOfBatches(t *testing.T) {
	for _, file := range files {
		for _, direct := range []bool{false, true} {
			one := compile(t, file, 1, direct)
			many, err := one.ForBatch(8)
			if err != nil {
				t.Fatal(err)
			}
			if many.Batch != 8 || many.constants != one.constants {
				t.Errorf("%s: the program for %d images packs constants of its own", filepath.Base(file), many.Batch)
			}
			if !slices.Equal(packed(t, one.Program), packed(t, many.Program)) {
				t.Errorf("%s: the constants that are shared have other bits", filepath.Base(file))
			}
		}
	}
	for _, file := range files[4:] {
		if sameConstants(compile(t, file, 1, false).Program, compile(t, file, 1, true).Program) {
			t.Errorf("%s: Winograd's weights count as those of direct convolutions", filepath.Base(file))
		}
	}
}

// TestSessions: sessions that run at the same time, for one image or several, on any number of threads, and with other tiles, give
// the bits of one that runs alone; the first packs the constants, and they go with the last.
func TestSessions(t *testing.T) {
	const images = 3
	one := compile(t, files[1], 1, true)
	packings := 0
	first := &one.Constants[0]
	fill := first.Fill
	first.Fill = func(dst []float32) error { packings++; return fill(dst) }
	size := one.Image[0] * one.Image[1] * one.Image[2]
	x := pixels(images * size)
	alone, err := one.New(1)
	if err != nil {
		t.Fatal(err)
	}
	var want []float32
	for k := range images {
		if err := alone.Infer(x[k*size:(k+1)*size], 1); err != nil {
			t.Fatal(err)
		}
		want = append(want, alone.Output(0)...)
	}
	many, err := one.ForBatch(images)
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for threads, c := range []*Compiled{many, many, many.WithBlocks(1), many} {
		all.Go(func() {
			s, err := c.New(threads)
			if err != nil {
				t.Error(err)
				return
			}
			for range 3 {
				if err := s.Infer(x, images); err != nil || !slices.Equal(s.Output(0), want) {
					t.Errorf("%d threads: %v, or other results than alone", threads, err)
				}
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if packings != 1 {
		t.Errorf("the constants were packed %d times", packings)
	}
	if err := alone.Close(); err != nil {
		t.Error(err)
	}
	again, err := one.New(1)
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if err := again.Infer(x[:size], 1); err != nil || packings != 2 || !slices.Equal(again.Output(0), want[:len(want)/images]) {
		t.Errorf("after the last session: %v, packed %d times, or other results", err, packings)
	}
}

// TestMissingValues: a session that cannot pack leaves nothing behind, and the next one can.
func TestMissingValues(t *testing.T) {
	c := compile(t, files[1], 1, false)
	last := &c.Constants[len(c.Constants)-1]
	fill := last.Fill
	last.Fill = func([]float32) error { return errors.New("no values") }
	if s, err := c.New(2); err == nil {
		s.Close()
		t.Error("no error without values")
	}
	last.Fill = fill
	s, err := c.New(2)
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
}

// TestDropValues: what constants were packed from goes at once, sessions go on, and nothing is packed again.
func TestDropValues(t *testing.T) {
	c := compile(t, files[1], 1, false)
	source, gone := new([1 << 20]float32), make(chan bool)
	runtime.AddCleanup(source, func(gone chan bool) { close(gone) }, gone)
	fill := c.Constants[0].Fill
	c.Constants[0].Fill = func(dst []float32) error {
		source[0]++
		return fill(dst)
	}
	x := make([]float32, c.Image[0]*c.Image[1]*c.Image[2])
	first, err := c.New(2)
	if err != nil {
		t.Fatal(err)
	}
	c.DropValues()
	runtime.GC()
	select {
	case <-gone:
	case <-time.After(10 * time.Second):
		t.Error("the source of a constant is still held")
	}
	second, err := c.New(1)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []*Session{first, second} {
		if err := s.Infer(x, 1); err != nil {
			t.Error(err)
		}
	}
	if !slices.Equal(first.Output(0), second.Output(0)) {
		t.Error("the sessions do not agree")
	}
	if err := errors.Join(first.Close(), second.Close()); err != nil {
		t.Error(err)
	}
	if s, err := c.New(1); err == nil {
		s.Close()
		t.Error("constants are packed from nothing")
	}
}

// read reads a narrow ResNet-18.
func read(t *testing.T) *engine.Network {
	t.Helper()
	net, _, err := onnx.Read(files[1], onnx.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return net
}

// pixels are n numbers from -1 to 1.
func pixels(n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(i*7919%1000)/500 - 1
	}
	return x
}

// trainer compiles steps of training on two images, and makes these.
func trainer(t *testing.T, net *engine.Network) (*Compiled, []float32) {
	t.Helper()
	objective, err := engine.NewObjective(net, engine.ObjectiveOptions{Batch: 2})
	if err != nil {
		t.Fatal(err)
	}
	o, err := Native(false)
	if err != nil {
		t.Fatal(err)
	}
	c, err := Trainer(objective, o)
	if err != nil {
		t.Fatal(err)
	}
	return c, pixels(2 * c.Image[0] * c.Image[1] * c.Image[2])
}

// TestTrainer: every session trains parameters of its own.
func TestTrainer(t *testing.T) {
	c, x := trainer(t, read(t))
	var losses []float32
	for range 2 {
		s, err := c.New(0)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		if err := s.Step(x, []float32{0, 1}, 0); err != nil {
			t.Fatal(err)
		}
		losses = append(losses, s.Losses()[0])
		clear(s.Params())
	}
	if losses[0] != losses[1] {
		t.Errorf("losses %v: one session sees the parameters of the other", losses)
	}
}

// TestDropTrained: a session goes on without the values that it began with, resting or not, and gives its own back; no further one begins.
func TestDropTrained(t *testing.T) {
	net := read(t)
	frozen := net.Params[0]
	frozen.Frozen = true
	kept, size := frozen.Value[0], len(net.Params[1].Value)
	c, x := trainer(t, net)
	s, err := c.New(1)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var losses []float32
	var grads [][]float32
	for range 2 {
		if err := s.Step(x, []float32{0, 1}, 0); err != nil {
			t.Fatal(err)
		}
		losses, grads = append(losses, s.Losses()[0]), append(grads, slices.Clone(s.Grads()))
		c.DropTrained(net)
		s.Rest()
	}
	if losses[0] != losses[1] || !slices.Equal(grads[0], grads[1]) {
		t.Errorf("losses %v, or other gradients, after a rest without the network's values", losses)
	}
	if frozen.Value[0] != kept || net.Params[1].Value != nil {
		t.Error("a frozen parameter has lost its values, or one that trains has not")
	}
	if _, err := c.New(1); err == nil {
		t.Error("a session began with parameters that have no values")
	}
	if err := s.Store(net); err != nil || len(net.Params[1].Value) != size {
		t.Errorf("%v, or %d values given back, not %d", err, len(net.Params[1].Value), size)
	}
}
