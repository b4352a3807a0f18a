package onnx

import (
	"fmt"

	"regraft/engine"
	"regraft/photo"
)

// contradictions warns where metadata and network do not fit each other.
func (info *Info) contradictions(net *engine.Network) {
	warn := func(format string, args ...any) { info.Warnings = append(info.Warnings, fmt.Sprintf(format, args...)) }
	meta := &net.Meta
	// A single score may be that of one class against its absence, or against another one.
	if shape := net.Outputs[0].Node.Shape(); len(meta.Labels) > 0 && len(shape) == 2 && shape[1] != len(meta.Labels) && (shape[1] > 1 || len(meta.Labels) > 2) {
		warn("the metadata names %d classes, the network has %d: the names are not used", len(meta.Labels), shape[1])
	}
	size := net.ImageSize()
	p := meta.Preprocess
	if p == nil {
		p = info.Assumed()
	}
	if p.Size == (photo.Size{}) { // the metadata leaves it to the network
		*p = p.Resized(size)
	}
	if p.Size != size {
		warn("the metadata speaks of photos of %v pixels, the network is built for %v", p.Size, size)
	}
	if channels := info.Image.Channels; p.Depth() != channels && (channels == 1 || channels == 3) {
		warn("the metadata speaks of photos in %s, the network has %d channels, which decide", p.Channels, channels)
	}
	if meta.Other["Image.ColorSpaceGamma"] == "Linear" {
		warn("the metadata asks for linear light (Image.ColorSpaceGamma); photos go in with the gamma that they have")
	}
	if doubt := info.Doubt(p); doubt != "" && len(meta.History) == 0 { // a network that was trained so wants it so
		warn("%s", doubt)
	}
}
