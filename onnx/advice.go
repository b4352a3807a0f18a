package onnx

import (
	"fmt"

	"regraft/engine"
	"regraft/engine/op"
	"regraft/photo"
	"regraft/setting"
)

// warn lists what surprises people about a file that is read without complaint.
func (info *Info) warn(net *engine.Network) {
	warn := func(format string, args ...any) { info.Warnings = append(info.Warnings, fmt.Sprintf(format, args...)) }
	if info.Layout == NHWC {
		warn("the file's input is channels-last (N, H, W, C); the network is built for (N, C, H, W)")
	}
	if own := info.ownSize; own != (photo.Size{}) && own != net.ImageSize() {
		warn("the network itself resizes its input from %v to %v pixels", net.ImageSize(), own)
	}
	for _, out := range info.Outputs {
		if out.Layout == NHWC {
			warn("output %s is channels-last (N, H, W, C) in the file; the network gives (N, C, H, W)", quoted(out.Name))
		}
	}
	if t := info.Transform; t != nil {
		warn("preprocessing is part of the network: every channel is multiplied by %v, then %v is added", t.Scale, t.Shift)
	}
	if info.ChannelOrder != nil {
		warn("the network itself gives the channels the order %v (from 0)", info.ChannelOrder)
	}
	for _, out := range net.Outputs {
		if o, is := out.Node.Op().(op.Op); is && softmaxAxis(o, out.Node.Dims()) > 0 {
			warn("output %s is probabilities (%s)", quoted(out.Name), o.Name())
		}
	}
	if info.averaged > 0 {
		warn("stochastic depth (%d random factors of an export in training form) is left out: nothing changes at inference, and training takes every block every time", info.averaged)
	}
	if shape := net.Outputs[0].Node.Shape(); len(shape) == 2 && shape[1] == 1001 {
		warn("there are 1001 classes: the first is usually TensorFlow's background class")
	}
}

// Ways to make a file from which more can be trained, as calls in Python.
const (
	exportTraining = `torch.onnx.export(model.train(), images, "model.onnx", dynamo=False, opset_version=17, do_constant_folding=False, training=torch.onnx.TrainingMode.TRAINING)`
	ExportPreserve = `torch.onnx.export(model.eval(), images, "model.onnx", dynamo=False, opset_version=17, do_constant_folding=False, training=torch.onnx.TrainingMode.PRESERVE)`
)

// advise says how faithfully the file can be trained and how a better one is made.
func (info *Info) advise(net *engine.Network) {
	advise := func(format string, args ...any) { info.Advice = append(info.Advice, fmt.Sprintf(format, args...)) }
	size := net.Input.Shape()[2]
	switch info.BatchNorm {
	case Trainable:
		advise("BatchNorm is there with its running statistics: training the whole network is as faithful as training heads")
	case Folded:
		advise("training heads is exact; to train the whole network use a smaller learning rate: the exporter folded BatchNorm into the convolutions, so that it cannot adapt")
	default:
		advise("no BatchNorm was found: to train the whole network a smaller learning rate may be needed")
	}
	if len(net.Outputs) == 1 {
		advise("there is no auxiliary output: training uses the main head alone (to an Inception-v3 %v full attaches a new one)", setting.Mode)
	}
	if info.Dialect == TF2ONNX && net.Meta.Preprocess == nil && info.Transform == nil && info.Image.Channels == 3 {
		advise("the file does not say how photos are prepared: Keras's Inception-v3, MobileNet and ResNetV2 take pixels from -1 to 1 (%v 0.5,0.5,0.5 %v 0.5,0.5,0.5)", setting.Mean, setting.Std)
	}
	switch {
	case info.Dialect == TF2ONNX && info.BatchNorm == Folded:
		advise("tf2onnx always folds BatchNorm; for whole-network training start from PyTorch's weights of the same architecture")
	case info.Dialect == TorchScriptTrain:
		advise("exporting in training mode moves BatchNorm's running statistics one step towards the example images: export with a batch of real photos, not of noise")
	case info.BatchNorm == Folded:
		advise("for everything (BatchNorm, Dropout ratios, auxiliary head) export with: %s  where images is a batch of real photos (N, 3, %d, %d), because the export moves the running statistics one step towards it", exportTraining, size, size)
		advise("for BatchNorm without an auxiliary head, statistics untouched: %s", ExportPreserve)
	case info.Dialect == TorchScriptEval && len(net.Outputs) == 1:
		advise("for Dropout ratios and auxiliary heads, if the model has them, export with: %s", exportTraining)
	}
}
