package onnx

import (
	"fmt"

	"regraft/engine"
)

// contradictions warns where metadata and network do not fit each other.
func (info *Info) contradictions(net *engine.Network) {
	warn := func(format string, args ...any) { info.Warnings = append(info.Warnings, fmt.Sprintf(format, args...)) }
	meta := &net.Meta
	if shape := net.Outputs[0].Node.Shape(); len(meta.Labels) > 0 && len(shape) == 2 && shape[1] != len(meta.Labels) {
		warn("the metadata names %d classes, the network has %d: the names are not used", len(meta.Labels), shape[1])
	}
	p := meta.Preprocess
	if p == nil {
		return
	}
	side := net.Input.Shape()[3]
	if p.Size == 0 { // the metadata leaves it to the network
		p.Size = side
	}
	if p.Size != side {
		warn("the metadata speaks of photos of %d pixels, the network is built for %d", p.Size, side)
	}
	if t := info.Transform; t != nil && len(t.Scale) == 3 && !p.Plain() {
		low, high := inputRange(p, t)
		if center := (low + high) / 2; high-low < 0.9 || high-low > 6 || center < -0.6 || center > 0.6 {
			warn("photos may be normalised twice: the metadata has mean %v and std %v, and the network itself computes %v * x + %v, "+
				"which takes black to %.2g and white to %.2g; if the network does it all, use --mean 0,0,0 --std 1,1,1", p.Mean, p.Std, t.Scale, t.Shift, low, high)
		}
	}
}

// inputRange is what black and white become, as the mean of the channels, on the way through the metadata's
// preprocessing and the network's own. Networks are trained on something like -2 to 2 (ImageNet's mean and std: -2.1 to
// 2.6; 0.5 and 0.5: -1 to 1).
func inputRange(p *engine.Preprocess, t *Transform) (low, high float64) {
	for c := range 3 {
		value := func(pixel float64) float64 {
			v := (float64(pixel*p.Rescale) - float64(p.Mean[c])) / float64(p.Std[c])
			return float64(v*float64(t.Scale[c])) + float64(t.Shift[c])
		}
		low, high = low+value(0)/3, high+value(255)/3
	}
	return low, high
}
