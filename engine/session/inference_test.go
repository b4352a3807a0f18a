package session

import (
	"slices"
	"strings"
	"testing"

	"regraft/engine/kernel"
	"regraft/engine/plan"
)

// TestInfer: any number of images runs in batches; every row is that of its image alone.
func TestInfer(t *testing.T) {
	net := read(t)
	const images = 5
	size := net.Input.Shape()[1:].TotalSize()
	x := pixels(images * size)
	infer := func(batch int) []Matrix {
		c, err := ForInference(net, batch, true)
		if err != nil {
			t.Fatal(err)
		}
		s, err := c.New(2)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		outputs, err := c.Infer(s, x, images)
		if err != nil {
			t.Fatal(err)
		}
		return outputs
	}
	one, two := infer(1), infer(2)
	for k, m := range two {
		if m.Name != net.Outputs[k].Name || m.Rows != images || m.Cols != net.Outputs[k].Node.Shape()[1] || !slices.Equal(m.Values, one[k].Values) {
			t.Errorf("%s (%d, %d) differs from %s (%d, %d) of single images", m.Name, m.Rows, m.Cols, one[k].Name, one[k].Rows, one[k].Cols)
		}
		if slices.Equal(m.Row(0), m.Row(1)) || len(m.Row(images-1)) != m.Cols {
			t.Errorf("%s: rows %v, %v", m.Name, m.Row(0), m.Row(1))
		}
	}
	for _, c := range []struct {
		values, images int
		fits           bool
	}{{size, 1, true}, {2 * size, 2, true}, {2 * size, 1, false}, {size - 1, 1, false}, {0, 0, false}, {-0, -1, false}} {
		if err := Fits(net, x[:c.values], c.images); (err == nil) != c.fits || err != nil && !strings.Contains(err.Error(), " images of ") {
			t.Errorf("%d values for %d images: %v", c.values, c.images, err)
		}
	}
	for _, batch := range []int{0, -1} {
		if _, err := ForInference(net, batch, true); err == nil {
			t.Errorf("compiled for %d images", batch)
		}
	}
	c, err := ForInference(net, 1, true)
	if err != nil {
		t.Fatal(err)
	}
	if other, err := c.ForBatch(0); err == nil {
		t.Errorf("compiled for no image: %v", other)
	}
	if other, err := ForInference(net, 1, true); err != nil || other.Shares(c) || !c.Shares(c) {
		t.Errorf("programs that were compiled apart share constants, %v", err)
	}
	if c.WithBlocks(kernel.Lanes) != nil {
		t.Error("tiles of 16 blocks")
	}
}

// TestMemory: what a session takes is the program's spaces and scratch for every thread.
func TestMemory(t *testing.T) {
	c := compile(t, files[4], 1, false)
	spaces := 0
	for s := plan.Arena; s <= plan.Stats; s++ {
		spaces += c.Size[s]
	}
	for _, threads := range []int{1, 3} {
		if got, want := c.Memory(threads), int64(spaces+4*c.Scratch*threads); got != want || c.Scratch == 0 {
			t.Errorf("%d threads: %d bytes, want %d", threads, got, want)
		}
	}
	if c.Activations() != int64(c.Size[plan.Arena]) || c.Parameters() != 0 {
		t.Errorf("%d bytes of activations, %d of parameters", c.Activations(), c.Parameters())
	}
}
