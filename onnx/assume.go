package onnx

import (
	"cmp"
	"fmt"
	"math"

	"regraft/photo"
	"regraft/setting"
)

// Assumed is the preprocessing that is taken where the file does not tell it: ImageNet's, with greys from 0 to 1 for one channel.
// Where the network itself begins with arithmetic that speaks against that, and for exactly one of the usual
// normalisations, it is that one.
func (info *Info) Assumed() *photo.Preprocess {
	usual := photo.Usual
	p := *photo.ImageNet(photo.Size{H: info.Image.Height, W: info.Image.Width})
	if info.Image.Channels == 1 {
		p = p.Reordered(photo.Gray)
		usual = []photo.Normalisation{usual[1], usual[2], usual[3]}
	}
	first := usual[0].Apply(p)
	var fitting []photo.Preprocess
	for _, n := range usual {
		if q := n.Apply(p); info.rangeDoubt(&q) == "" {
			fitting = append(fitting, q)
		}
	}
	if info.rangeDoubt(&first) != "" && len(fitting) == 1 {
		return &fitting[0]
	}
	return &first
}

// Accept is an error where photos prepared by p do not fit the input. Pixels for a uint8 input go in as they are.
func (info *Info) Accept(p *photo.Preprocess) error {
	depth := info.Image.Channels
	if depth != p.Depth() && (depth == 1 || depth == 3) {
		return fmt.Errorf("the network's photos have %d channels (%v %s): %v %s gives %d",
			depth, setting.Channels, map[int]photo.ChannelOrder{1: photo.Gray, 3: photo.RGB + " or " + photo.BGR}[depth], setting.Channels, cmp.Or(p.Channels, photo.RGB), p.Depth())
	}
	if info.Image.DType == typeUint8.String() {
		if !p.Plain() {
			return fmt.Errorf("the network's input is uint8: the pixels go in as they are, without %v and %v", setting.Mean, setting.Std)
		}
		p.Rescale = 1
	}
	return p.Check()
}

// Doubt says why photos that are prepared by p may not be what the network wants, given what it does itself to its input; ""
// where nothing speaks against it.
func (info *Info) Doubt(p *photo.Preprocess) string {
	about, order := info.rangeDoubt(p), info.orderDoubt(p)
	if about != "" && order != "" {
		return about + "; " + order
	}
	return about + order
}

// rangeDoubt looks at what black and white become. Networks are trained on something like -2 to 2 (ImageNet's mean and std:
// -2.1 to 2.6; 0.5 and 0.5: -1 to 1), or on pixels from 0 to 255 less their mean (Caffe's).
func (info *Info) rangeDoubt(p *photo.Preprocess) string {
	t := info.begins
	if t == nil || len(t.Scale) != p.Depth() {
		return ""
	}
	low, high := inputRange(p, t)
	center, width := (low+high)/2, math.Abs(high-low)
	const least, most, farthest = 0.95, 6, 0.6 // plain pixels have a range of 1 around 0.5, ImageNet's 4.7 around 0.3
	const caffeLeast, caffeMost, caffeFarthest = 200, 300, 60
	what, help := "twice", fmt.Sprintf("if the network does it all, use %v, or %v where it takes pixels from 0 to 255", photo.Usual[1].Settings(), photo.Usual[3].Settings())
	switch {
	case width >= least && width <= most && math.Abs(center) <= farthest:
		return ""
	case width >= caffeLeast && width <= caffeMost && math.Abs(center) <= caffeFarthest:
		return ""
	case width < least && math.Abs(center) <= farthest:
		what, help = "too little", "torchvision's transform_input wants "+photo.Usual[0].Settings()
	}
	return fmt.Sprintf("photos may be normalised %s: %s come first, then the network itself computes %v * x + %v, which takes black to %.2g and white to %.2g; %s",
		what, p.Scaling(), t.Scale, t.Shift, low, high, help)
}

// inputRange is what black and white become, as the mean of the channels, on the way through p and the network's own step.
func inputRange(p *photo.Preprocess, t *Transform) (low, high float64) {
	depth := float64(p.Depth())
	for c := range p.Depth() {
		low, high = low+through(p, t, c, 0)/depth, high+through(p, t, c, 255)/depth
	}
	return low, high
}

// through is what a pixel of channel c becomes.
func through(p *photo.Preprocess, t *Transform, c int, pixel float64) float64 {
	v := (float64(pixel*p.Rescale) - float64(p.Mean[c])) / float64(p.Std[c])
	if t == nil {
		return v
	}
	return float64(v*float64(t.Scale[c])) + float64(t.Shift[c])
}

// orderDoubt looks at the pixel value that becomes zero in every channel: ImageNet's means, about 124 for red, 116 for green
// and 104 for blue, tell the order of the channels, which is blue first for networks of Caffe and of those who followed it.
func (info *Info) orderDoubt(p *photo.Preprocess) string {
	if p.Depth() != 3 || info.begins != nil && len(info.begins.Scale) != 3 {
		return ""
	}
	var zero [3]float64
	for c := range zero {
		black, white := through(p, info.begins, c, 0), through(p, info.begins, c, 255)
		zero[c] = 255 * black / (black - white)
	}
	near := func(r, g, b float64) bool {
		const tolerance = 1.5
		return math.Abs(r-123.7) < tolerance && math.Abs(g-116.5) < tolerance && math.Abs(b-103.8) < tolerance
	}
	switch bgr := p.Channels == photo.BGR; {
	case !bgr && near(zero[2], zero[1], zero[0]):
		return fmt.Sprintf("the means %.4g are Caffe's in the order blue, green, red: the network may want %v %s", zero, setting.Channels, photo.BGR)
	case bgr && near(zero[0], zero[1], zero[2]):
		return fmt.Sprintf("the means %.4g are ImageNet's in the order red, green, blue, but the channels go in as blue, green, red (%v %s)", zero, setting.Channels, photo.BGR)
	}
	return ""
}
