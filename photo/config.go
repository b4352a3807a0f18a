package photo

import (
	"encoding/json"
	"fmt"
)

// preprocessorConfig is Hugging Face's preprocessor_config.json, as far as it applies. Two of its flags stand for the order of
// the channels: do_flip_channel_order (MobileViT's processor has it) and do_grayscale (SuperPoint's).
type preprocessorConfig struct {
	DoResize  bool              `json:"do_resize"`
	Size      sides             `json:"size"`
	CropSize  sides             `json:"crop_size,omitempty"`
	Crop      bool              `json:"do_center_crop"`
	Pad       bool              `json:"do_pad,omitempty"`
	Resample  int               `json:"resample"`
	Rescale   float64           `json:"rescale_factor"`
	Flip      bool              `json:"do_flip_channel_order,omitempty"`
	Grayscale bool              `json:"do_grayscale,omitempty"`
	Mean      []float32         `json:"image_mean"`
	Std       []float32         `json:"image_std"`
	Regraft   map[string]string `json:"regraft,omitempty"`
}

// sides are height and width, or shortest_edge.
type sides map[string]int

// UnmarshalJSON reads a single number as well, as older files have it.
func (s *sides) UnmarshalJSON(data []byte) error {
	var side int
	if json.Unmarshal(data, &side) == nil {
		*s = sides{"height": side, "width": side, "shortest_edge": side}
		return nil
	}
	return json.Unmarshal(data, (*map[string]int)(s))
}

// resampleNumbers are Pillow's numbers of the filters that are here too.
var resampleNumbers = map[Resampling]int{Bilinear: 2, Bicubic: 3}

// MarshalJSON writes the fields of Hugging Face's preprocessor_config.json.
func (p Preprocess) MarshalJSON() ([]byte, error) {
	depth := p.Depth()
	c := preprocessorConfig{
		DoResize: true, Resample: resampleNumbers[Bilinear], Rescale: p.Rescale, Mean: p.Mean[:depth], Std: p.Std[:depth],
		Size: sides{"height": p.Size.H, "width": p.Size.W}, Flip: p.Channels == BGR, Grayscale: p.Channels == Gray,
	}
	switch p.Resize {
	case Crop:
		c.Size, c.CropSize, c.Crop = sides{"shortest_edge": p.short()}, c.Size, true
	case Letterbox:
		c.Pad = true
	}
	if n, ok := resampleNumbers[p.resample()]; ok {
		c.Resample = n
	} else {
		c.Regraft = map[string]string{"resample": string(p.Resample)}
	}
	if p.Decode == Fast {
		if c.Regraft == nil {
			c.Regraft = map[string]string{}
		}
		c.Regraft["decode"] = string(Fast)
	}
	return json.Marshal(c)
}

// UnmarshalJSON reads what MarshalJSON writes and Hugging Face's own files of a definite size.
func (p *Preprocess) UnmarshalJSON(data []byte) error {
	var c preprocessorConfig
	if err := json.Unmarshal(data, &c); err != nil {
		return err
	}
	*p = Preprocess{Resize: Squash, Resample: Bilinear, Channels: RGB, Rescale: c.Rescale}
	size := c.Size
	if c.Crop && c.CropSize != nil {
		p.Resize, size, p.Short = Crop, c.CropSize, c.Size["shortest_edge"]
	} else if c.Pad {
		p.Resize = Letterbox
	}
	p.Size = Size{size["height"], size["width"]}
	if c.Resample == resampleNumbers[Bicubic] {
		p.Resample = Bicubic
	}
	if r := c.Regraft["resample"]; r != "" {
		p.Resample = Resampling(r)
	}
	p.Decode = Decoding(c.Regraft["decode"])
	switch {
	case c.Flip && c.Grayscale:
		return fmt.Errorf("do_flip_channel_order and do_grayscale contradict each other")
	case c.Flip:
		p.Channels = BGR
	case c.Grayscale:
		p.Channels = Gray
	}
	if !p.Size.fits() {
		return fmt.Errorf("input size %dx%d: both sides must be between 1 and %d", p.Size.H, p.Size.W, maxSide)
	}
	if p.Short == 0 {
		p.Short = usualShort(p.Size)
	}
	if !(p.Rescale > 0) {
		return fmt.Errorf("rescale_factor must be positive")
	}
	return p.normalise(c.Mean, c.Std)
}

// normalise takes over mean and std of every channel.
func (p *Preprocess) normalise(mean, std []float32) error {
	if len(mean) == 0 {
		mean = make([]float32, p.Depth())
	}
	if len(mean) != p.Depth() || len(std) != p.Depth() {
		return fmt.Errorf("%d numbers in image_mean and %d in image_std for %d channels", len(mean), len(std), p.Depth())
	}
	for c := range p.Mean {
		p.Mean[c], p.Std[c] = mean[c%p.Depth()], std[c%p.Depth()]
	}
	for _, s := range p.Std {
		if !(s > 0) {
			return fmt.Errorf("image_std must be positive")
		}
	}
	return nil
}
