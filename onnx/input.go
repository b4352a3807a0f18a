package onnx

import (
	"fmt"
	"slices"

	"gorgonia.org/tensor"

	"regraft/engine"
	"regraft/photo"
	"regraft/setting"
)

// imageTypes are the types that an image may have.
var imageTypes = []string{typeFloat.String(), typeFloat16.String(), typeBFloat16.String(), typeUint8.String()}

// imageInput is the graph's one input with the shape that it is read for.
type imageInput struct {
	value *value
	info  ValueInfo
	// batch is the number of images that the file was exported for, or N where it leaves that open.
	batch int
	// channels is their number, declared the file's own size of the image, with zeros where it leaves them open.
	channels       int
	declared, size photo.Size
	channelsLast   bool
}

// chooseInput finds the image among the graph's inputs and settles its shape: the file's batch, the asked size or else the
// file's. What no output depends on is dropped from the graph.
func chooseInput(g *graph, info *Info, meta engine.Meta, o ReadOptions) (*imageInput, *Unsupported) {
	g.prune(info)
	if len(g.inputs) != 1 {
		names := make([]string, len(g.inputs))
		for i, v := range g.inputs {
			names[i] = quoted(v.name)
		}
		return nil, unsupportedInput(fmt.Sprint(len(g.inputs), " inputs"), fmt.Sprintf("one image is the only input that is supported, the outputs depend on %v", names))
	}
	v := info.input(g.inputs[0].name)
	in := &imageInput{value: g.inputs[0], info: v, batch: images(1)}
	info.Image.Name, info.Image.DType = v.Name, v.DType
	if !slices.Contains(imageTypes, v.DType) {
		return nil, unsupportedInput(v.Name, "it is "+v.DType+": only float32, float16 (computed in float32) and uint8 (pixels) are supported")
	}
	if len(v.Shape) != 4 {
		return nil, unsupportedInput(v.Name, fmt.Sprintf("it has shape %v, want (N, C, H, W) or (N, H, W, C)", v.Shape))
	}
	in.value.pixels = v.DType == typeUint8.String()
	if v.Shape[0].Size > 0 {
		in.batch = int(v.Shape[0].Size)
	}
	in.settleLayout(g, info)
	info.Image.Channels = in.channels
	in.settleSize(meta, o)
	const most = 1 << 14
	switch {
	case in.channels <= 0:
		return nil, unsupportedInput(v.Name, fmt.Sprintf("the shape %v has no number of channels, and no convolution tells it", v.Shape))
	case in.size.H <= 0 || in.size.W <= 0:
		info.openSize = true
		return nil, unsupportedInput(v.Name, fmt.Sprintf("the file leaves the image size open: say which one (%v)", setting.InputSize))
	case in.channels > most || in.size.H > most || in.size.W > most || in.batch > most:
		return nil, unsupportedInput(v.Name, fmt.Sprintf("the shape %v is too large", v.Shape))
	}
	info.Image.Height, info.Image.Width = in.size.H, in.size.W
	in.value.shape = tensor.Shape{in.batch, in.channels, in.size.H, in.size.W}
	if in.channelsLast {
		in.value.shape = tensor.Shape{in.batch, in.size.H, in.size.W, in.channels}
	}
	return in, nil
}

func unsupportedInput(name, reason string) *Unsupported {
	return &Unsupported{Operator: "graph input", Node: name, Reason: reason}
}

// settleLayout tells (N, H, W, C) from (N, C, H, W) by what reads the input first, or else by which of the two has a
// photo's number of channels.
func (in *imageInput) settleLayout(g *graph, info *Info) {
	shape := in.info.Shape
	axes := traceAxes(g, in.value, shape)
	photos := func(d Dim) bool { return d.Size == 1 || d.Size == 3 || d.Size == 4 }
	switch axes.channel {
	case 0:
		in.channelsLast = photos(shape[3]) && !photos(shape[1])
	case 3:
		in.channelsLast = true
	}
	channels, rows, cols := shape[1], shape[2], shape[3]
	if in.channelsLast {
		rows, cols, channels = channels, rows, cols
		info.Layout = NHWC
	}
	if in.channels = int(channels.Size); in.channels <= 0 {
		in.channels = axes.channels
	}
	in.declared = photo.Size{H: int(max(rows.Size, 0)), W: int(max(cols.Size, 0))}
}

// settleSize takes the size that is asked for, or else the file's, or else its metadata's.
func (in *imageInput) settleSize(meta engine.Meta, o ReadOptions) {
	in.size = in.declared
	if p := meta.Preprocess; p != nil {
		if in.size.H == 0 {
			in.size.H = p.Size.H
		}
		if in.size.W == 0 {
			in.size.W = p.Size.W
		}
	}
	if o.Size != (photo.Size{}) {
		in.size = o.Size
	}
}

// explain adds what another image size has to do with problems of shapes.
func (in *imageInput) explain(list []Unsupported) []Unsupported {
	if in.size != in.declared && in.declared.H > 0 {
		list = append(list, Unsupported{"graph input", in.value.name, fmt.Sprintf(
			"the model was exported for images of %v pixels; %v were asked for and may be what does not fit", in.declared, in.size)})
	}
	return list
}

// input is the description of the input of that name; an empty one for names that stand for an initializer as well.
func (info *Info) input(name string) ValueInfo {
	if i := slices.IndexFunc(info.Inputs, func(v ValueInfo) bool { return v.Name == name }); i >= 0 {
		return info.Inputs[i]
	}
	return ValueInfo{Name: name, DType: "an initializer that is not read"}
}
