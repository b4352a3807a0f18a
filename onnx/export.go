package onnx

import (
	"fmt"

	"gorgonia.org/gorgonia"

	"regraft/engine"
	"regraft/engine/op"
)

// Opset versions that Export writes.
const (
	OldestExport = 13
	NewestExport = 20
)

// ExportOptions choose the form of a file for other programs; the zero value is the form for serving:
// BatchNorm folded, no Dropout, the main output alone.
type ExportOptions struct {
	// Training keeps BatchNorm (in inference form), Dropout's ratios and auxiliary outputs.
	Training bool
	// Opset is 13 to 20; 0 is 17.
	Opset int
	// Half stores weights as float16; the graph widens them and computes in float32.
	Half bool
}

// Export stores the network for other programs. Like Write it replaces a file at path as a whole or
// not at all.
func Export(path string, net *engine.Network, o ExportOptions) error {
	f := form{opset: o.Opset, half: o.Half}
	if f.opset == 0 {
		f.opset = writtenOpset
	}
	if f.opset < OldestExport || f.opset > NewestExport {
		return fmt.Errorf("opset %d: only %d to %d are written", f.opset, OldestExport, NewestExport)
	}
	if !o.Training {
		var err error
		if net, err = serving(net); err != nil {
			return err
		}
	}
	d, err := encodeAs(net, f)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return d.save(path)
}

// serving is the main output without what only training needs.
func serving(net *engine.Network) (*engine.Network, error) {
	net, err := net.Subgraph(net.Outputs[0])
	if err != nil {
		return nil, err
	}
	net, err = net.Rewrite(nil, func(_ *engine.Builder, old *gorgonia.Node, in gorgonia.Nodes) (*gorgonia.Node, error) {
		if _, ok := old.Op().(*op.Dropout); ok {
			return in[0], nil
		}
		return nil, nil
	})
	if err != nil {
		return nil, err
	}
	return foldBatchNorm(net)
}

// ir is the version of the file format that came with the opset.
func (f form) ir() int64 {
	if f.opset >= 19 {
		return 9
	}
	return writtenIR
}
