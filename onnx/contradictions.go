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
	if shape := net.Outputs[0].Node.Shape(); len(meta.Labels) > 0 && len(shape) == 2 && shape[1] != len(meta.Labels) {
		warn("the metadata names %d classes, the network has %d: the names are not used", len(meta.Labels), shape[1])
	}
	size := net.ImageSize()
	p := meta.Preprocess
	if p == nil {
		p = photo.ImageNet(size) // which everybody assumes then
	}
	if p.Size == (photo.Size{}) { // the metadata leaves it to the network
		*p = p.Resized(size)
	}
	if p.Size != size {
		warn("the metadata speaks of photos of %v pixels, the network is built for %v", p.Size, size)
	}
	if doubt := info.Doubt(p); doubt != "" && len(meta.History) == 0 { // a network that was trained so wants it so
		warn("%s", doubt)
	}
}

// Doubt says why photos that are prepared by p may not be what the network wants, given what it does itself to its input; ""
// where nothing speaks against it.
func (info *Info) Doubt(p *photo.Preprocess) string {
	t := info.Transform
	if t == nil || len(t.Scale) != 3 {
		return ""
	}
	low, high := inputRange(p, t)
	const least, most, farthest = 0.95, 6, 0.6 // plain pixels have a range of 1 around 0.5, ImageNet's 4.7 around 0.3
	what, help := "twice", "if the network does it all, use --mean 0,0,0 --std 1,1,1"
	switch center := (low + high) / 2; {
	case high-low > most || center < -farthest || center > farthest:
	case high-low < least:
		what, help = "too little", "torchvision's transform_input wants --mean 0.485,0.456,0.406 --std 0.229,0.224,0.225"
	default:
		return ""
	}
	return fmt.Sprintf("photos may be normalised %s: mean %v and std %v come first, then the network itself computes %v * x + %v, which takes black to %.2g and white to %.2g; %s",
		what, p.Mean, p.Std, t.Scale, t.Shift, low, high, help)
}

// inputRange is what black and white become, as the mean of the channels, on the way through the metadata's
// preprocessing and the network's own. Networks are trained on something like -2 to 2 (ImageNet's mean and std: -2.1 to
// 2.6; 0.5 and 0.5: -1 to 1).
func inputRange(p *photo.Preprocess, t *Transform) (low, high float64) {
	for c := range 3 {
		value := func(pixel float64) float64 {
			v := (float64(pixel*p.Rescale) - float64(p.Mean[c])) / float64(p.Std[c])
			return float64(v*float64(t.Scale[c])) + float64(t.Shift[c])
		}
		low, high = low+value(0)/3, high+value(255)/3
	}
	return low, high
}
