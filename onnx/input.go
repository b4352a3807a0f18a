package onnx

import (
	"fmt"
	"slices"

	"gorgonia.org/tensor"

	"regraft/engine"
	"regraft/photo"
)

// openBatch stands for the batch of files that leave it open. It is an unlikely number, so that it
// can be recognised in shapes that nodes compute.
const openBatch = 13

// imageInput is the graph's one input with the shape that it is read for.
type imageInput struct {
	value *value
	batch int
	// declared is the file's own size of the image, 0 where it leaves it open.
	declared, size photo.Size
	channelsLast   bool
}

// chooseInput finds the image among the graph's inputs and settles its shape: the file's batch, the
// asked size or else the file's.
func chooseInput(g *graph, info *Info, meta engine.Meta, o ReadOptions) (*imageInput, *Unsupported) {
	if len(g.inputs) != 1 {
		return nil, unsupportedInput(fmt.Sprint(len(g.inputs), " inputs"), "one image is the only input that is supported")
	}
	in := &imageInput{value: g.inputs[0], batch: openBatch}
	v := info.Inputs[slices.IndexFunc(info.Inputs, func(v ValueInfo) bool { return v.Name == in.value.name })]
	if v.DType != typeFloat.String() {
		return nil, unsupportedInput(v.Name, "it is "+v.DType+", only float32 is supported")
	}
	if len(v.Shape) != 4 {
		return nil, unsupportedInput(v.Name, fmt.Sprintf("it has shape %v, want (N, C, H, W)", v.Shape))
	}
	in.channelsLast = channelsLast(g, v.Shape)
	channels, rows, cols := v.Shape[1], v.Shape[2], v.Shape[3]
	if in.channelsLast {
		rows, cols, channels = channels, rows, cols
		info.Layout = "NHWC"
	}
	if v.Shape[0].Size > 0 {
		in.batch = int(v.Shape[0].Size)
	}
	in.declared = photo.Size{H: int(rows.Size), W: int(cols.Size)}
	in.size = in.declared
	if meta.Preprocess != nil && rows.Size <= 0 {
		in.size = meta.Preprocess.Size
	}
	if o.Size != (photo.Size{}) {
		in.size = o.Size
	}
	const most = 1 << 14
	if in.size.H <= 0 || in.size.W <= 0 {
		return nil, unsupportedInput(v.Name, "the file leaves the image size open: say which one (--input-size)")
	}
	if channels.Size < 1 || channels.Size > most || in.size.H > most || in.size.W > most || in.batch > most {
		return nil, unsupportedInput(v.Name, fmt.Sprintf("the shape %v is too large or has no number of channels", v.Shape))
	}
	in.value.shape = tensor.Shape{in.batch, int(channels.Size), in.size.H, in.size.W}
	if in.channelsLast {
		in.value.shape = tensor.Shape{in.batch, in.size.H, in.size.W, int(channels.Size)}
	}
	return in, nil
}

func unsupportedInput(name, reason string) *Unsupported {
	return &Unsupported{Operator: "graph input", Node: name, Reason: reason}
}

// channelsLast tells whether the input is (N, H, W, C): all that reads it is a Transpose to (N, C, H, W).
func channelsLast(g *graph, shape []Dim) bool {
	found := false
	for _, n := range g.nodes {
		for _, v := range n.in {
			if v != g.inputs[0] {
				continue
			}
			perm := []int64(nil)
			for _, a := range n.attributes {
				if a.name == "perm" {
					perm = a.ints
				}
			}
			if n.opType != "Transpose" || !slices.Equal(perm, []int64{0, 3, 1, 2}) {
				return false
			}
			found = true
		}
	}
	return found
}

// explain adds what another image size has to do with problems of shapes.
func (in *imageInput) explain(list []Unsupported) []Unsupported {
	if in.size != in.declared && in.declared.H > 0 {
		list = append(list, Unsupported{"graph input", in.value.name, fmt.Sprintf(
			"the model was exported for images of %v pixels; %v were asked for and may be what does not fit", in.declared, in.size)})
	}
	return list
}

// checkLayout refuses channels-last inputs that could not be turned into (N, C, H, W).
func (in *imageInput) checkLayout(input *value) *Unsupported {
	if in.channelsLast && input == in.value {
		return unsupportedInput(in.value.name, "a channels-last input is only supported where a Transpose to (N, C, H, W) comes first")
	}
	return nil
}
