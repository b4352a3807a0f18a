package cli

import (
	"fmt"
	"slices"

	"regraft/measure"
)

// layerPrefix begins the names of the arrays that hold what the nodes of the model compute.
const layerPrefix = "layer."

// layersParity is how far the layers of a model are from their references.
type layersParity struct {
	// Compared counts the layers that have a reference of the same shape.
	Compared int `json:"compared"`
	// Departs is the first layer whose error is above the tolerance, null when there is none.
	Departs *layerParity `json:"departs"`
}

type layerParity struct {
	Op string `json:"op"`
	outputParity
}

func (l *layersParity) String() string {
	if d := l.Departs; d != nil {
		return fmt.Sprintf("the first layer that departs is %s (%s): max abs error %.2e of %.4g, relative %.2e, worst input %d",
			d.Name, d.Op, d.MaxAbsError, d.MaxAbs, d.Relative, d.WorstInput)
	}
	return fmt.Sprintf("all %d layers agree", l.Compared)
}

// compareLayers goes through the layers in the order in which they are computed, up to the first that departs.
func compareLayers(m *measure.Model, input array, ref *reference, tolerance float64) (*layersParity, error) {
	layers, err := m.LayerOutputs(input.values, input.shape[0], func(node string) bool { return ref.has(layerPrefix + node) })
	if err != nil {
		return nil, fail(statusModel, err)
	}
	result := &layersParity{}
	for _, l := range layers {
		want, err := ref.array(layerPrefix + l.Node)
		if err != nil {
			return nil, fail(statusData, err)
		}
		if !slices.Equal(want.shape, l.Shape) {
			continue // of another memory layout
		}
		result.Compared++
		parity, err := compare(measure.Matrix{Name: l.Node, Rows: l.Shape[0], Cols: len(l.Values) / l.Shape[0], Values: l.Values}, want)
		if err != nil {
			return nil, err
		}
		if parity.Relative > tolerance {
			result.Departs = &layerParity{l.Op, parity}
			return result, nil
		}
	}
	if result.Compared == 0 {
		return nil, failf(statusData, "%s holds no layers of this model: scripts/make_reference.py MODEL REF.npz --layers", ref.path)
	}
	return result, nil
}
