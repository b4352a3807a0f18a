package photo

import (
	"fmt"

	"regraft/setting"
)

// Normalisation is a way of scaling pixels.
type Normalisation struct {
	// Name says what the pixels become.
	Name      string
	Mean, Std float32 // of pixels from 0 to 1, equal for all channels; both 0 for ImageNet's
}

// Usual are the normalisations that most published classifiers want, the likeliest first.
var Usual = []Normalisation{
	{"ImageNet's mean and std", 0, 0},
	{"pixels from 0 to 1", 0, 1},
	{"pixels from -1 to 1", 0.5, 0.5},
	{"pixels from 0 to 255", 0, 1.0 / 255},
}

// Apply is p with that normalisation.
func (n Normalisation) Apply(p Preprocess) Preprocess {
	imageNet := ImageNet(p.Size).Reordered(p.Channels)
	p.Rescale, p.Mean, p.Std = imageNet.Rescale, imageNet.Mean, imageNet.Std
	if n.Std != 0 {
		p.Mean, p.Std = [3]float32{n.Mean, n.Mean, n.Mean}, [3]float32{n.Std, n.Std, n.Std}
	}
	return p
}

// Settings are those of a Preprocess that ask for it, for messages.
func (n Normalisation) Settings() string {
	if n.Std == 0 {
		return fmt.Sprintf("%v 0.485,0.456,0.406 %v 0.229,0.224,0.225", setting.Mean, setting.Std)
	}
	return fmt.Sprintf("%v %.3g %v %.7g", setting.Mean, n.Mean, setting.Std, n.Std)
}

// Scaling says what the pixels of p become: the name of a usual normalisation, or mean and std.
func (p Preprocess) Scaling() string {
	for _, n := range Usual {
		if q := n.Apply(p); q.Rescale == p.Rescale && q.Mean == p.Mean && q.Std == p.Std {
			return n.Name
		}
	}
	if p.Plain() && p.Rescale == 1 {
		return "pixels from 0 to 255"
	}
	text := fmt.Sprintf("mean %v and std %v", p.Mean[:p.Depth()], p.Std[:p.Depth()])
	if p.Rescale != 1.0/255 {
		text += fmt.Sprintf(" of pixels from 0 to %.4g", 255*p.Rescale)
	}
	return text
}

// Reordered is the same preprocessing for another order of channels: every colour keeps its mean and standard deviation,
// and grey has the mean of the three.
func (p Preprocess) Reordered(channels ChannelOrder) Preprocess {
	if was, is := order(p.Channels), order(channels); was != is {
		switch {
		case is == Gray:
			p.Mean, p.Std = level(p.Mean), level(p.Std)
		case was != Gray:
			p.Mean[0], p.Mean[2] = p.Mean[2], p.Mean[0]
			p.Std[0], p.Std[2] = p.Std[2], p.Std[0]
		}
	}
	p.Channels = channels
	return p
}

// order is the order of channels that a name stands for.
func order(channels ChannelOrder) ChannelOrder {
	if channels == "" {
		return RGB
	}
	return channels
}

// level is the mean of three numbers, three times.
func level(v [3]float32) [3]float32 {
	mean := (v[0] + v[1] + v[2]) / 3
	return [3]float32{mean, mean, mean}
}

func uniform(v [3]float32) bool { return v[0] == v[1] && v[1] == v[2] }

// Override are settings that replace a model's own; zero values leave them.
type Override struct {
	Channels ChannelOrder
	Resize   ResizeRule
	Resample Resampling
	Decode   Decoding
	// Mean and Std are in the order of the channels, for pixels from 0 to 1; with a number above 2 they can only be meant for pixels
	// from 0 to 255, and then the two belong together. Together they say everything about the scaling of pixels.
	Mean, Std *[3]float32
}

// Of255 tells whether mean and std are meant for pixels from 0 to 255.
func (o Override) Of255() bool {
	const most = 2
	for _, v := range []*[3]float32{o.Mean, o.Std} {
		if v != nil && max(v[0], v[1], v[2]) > most {
			return true
		}
	}
	return false
}

// With is p with what o replaces.
func (p Preprocess) With(o Override) Preprocess {
	if o.Channels != "" {
		p = p.Reordered(o.Channels)
	}
	if o.Resize != "" {
		p.Resize = o.Resize
	}
	if o.Resample != "" {
		p.Resample = o.Resample
	}
	if o.Decode != "" {
		p.Decode = o.Decode
	}
	if o.Mean != nil && o.Std != nil {
		if p.Rescale = 1.0 / 255; o.Of255() {
			p.Rescale = 1
		}
	}
	if o.Mean != nil {
		p.Mean = *o.Mean
	}
	if o.Std != nil {
		p.Std = *o.Std
	}
	return p
}
