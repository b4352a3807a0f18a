package session

import (
	"fmt"

	"regraft/engine"
)

// Matrix is a row-major result of Rows images.
type Matrix struct {
	Name       string
	Rows, Cols int
	Values     []float32
}

// Row is what belongs to image i.
func (m Matrix) Row(i int) []float32 { return m.Values[i*m.Cols : (i+1)*m.Cols] }

// ForInference compiles net for so many images at a time, for this machine.
func ForInference(net *engine.Network, images int, direct bool) (*Compiled, error) {
	net, err := net.WithBatch(images)
	if err != nil {
		return nil, err
	}
	if net, err = net.InRows(); err != nil {
		return nil, err
	}
	native, err := Native(direct)
	if err != nil {
		return nil, err
	}
	return Compile(net, native)
}

// Infer runs any number of images, x (images, C, H, W), through s, a session of c, and returns all outputs.
func (c *Compiled) Infer(s *Session, x []float32, images int) ([]Matrix, error) {
	outputs := make([]Matrix, len(c.Outputs))
	size := len(x) / images
	for done := 0; done < images; {
		n := min(images-done, c.Batch)
		if err := s.Infer(x[done*size:(done+n)*size], n); err != nil {
			return nil, err
		}
		for i, v := range c.Outputs {
			values := append(outputs[i].Values, s.Output(i)[:n*v.Cols]...)
			outputs[i] = Matrix{v.Name, done + n, v.Cols, values}
		}
		done += n
	}
	return outputs, nil
}

// Fits is an error where x is not so many images for net.
func Fits(net *engine.Network, x []float32, images int) error {
	if shape := net.Input.Shape()[1:]; images < 1 || len(x) != images*shape.TotalSize() {
		return fmt.Errorf("%d values are not %d images of %v", len(x), images, shape)
	}
	return nil
}
