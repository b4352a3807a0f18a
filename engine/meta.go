package engine

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// Meta is what travels with the weights: it is stored in the ONNX file's metadata_props and is
// the only source of truth for labels and preprocessing.
type Meta struct {
	// Labels are the class names in output order; nil when the file has none.
	Labels []string
	// Preprocess is nil when the file does not say how its pixels are prepared.
	Preprocess *Preprocess
	// Arch is the architecture, for example inception_v3.
	Arch string
	// History has one entry per finished epoch of every training that made these weights.
	History []Epoch
	// Other holds metadata that regraft does not use, kept for saving.
	Other map[string]string
}

// Preprocess says how a photo becomes the network's input.
type Preprocess struct {
	// Size is the side of the square input in pixels.
	Size int
	// Resize is the rule: squash (to Size x Size), crop (shorter side to Short, centre crop of
	// Size) or letterbox (longer side to Size, rest filled).
	Resize string
	// Short is the length of the shorter side before a centre crop (torchvision: 342 for 299).
	Short int
	// Resample is the filter: bilinear or bicubic (Pillow's), nfnt-bilinear, nfnt-bicubic or nfnt-lanczos3.
	Resample string
	// Rescale multiplies the pixel value (1/255), before Mean is subtracted and Std divides, in RGB order.
	Rescale   float64
	Mean, Std [3]float32
}

// Epoch is one line of the training history.
type Epoch struct {
	Mode      string  `json:"mode"`
	Epoch     int     `json:"epoch"`
	TrainLoss float64 `json:"train_loss"`
	TrainAcc  float64 `json:"train_acc"`
	ValLoss   float64 `json:"val_loss"`
	ValAcc    float64 `json:"val_acc"`
	LR        float64 `json:"lr"`
}

// ImageNet is torchvision's preprocessing of the ImageNet classifiers, the usual guess for a
// file without metadata.
func ImageNet(size int) *Preprocess {
	return &Preprocess{
		Size: size, Resize: "squash", Short: (size*342 + 149) / 299, Resample: "bilinear", Rescale: 1.0 / 255,
		Mean: [3]float32{0.485, 0.456, 0.406}, Std: [3]float32{0.229, 0.224, 0.225},
	}
}

// Keys of metadata_props.
const (
	keySchema     = "regraft.schema"
	keyClasses    = "regraft.classes"
	keyPreprocess = "regraft.preprocess"
	keyArch       = "regraft.arch"
	keyHistory    = "regraft.history"
	keyVersion    = "regraft.version"
	schema        = "1"
)

// Version of the program, written into files; set by the build.
var Version = "dev"

// Props renders the metadata for an ONNX file: regraft's own keys, and beside them the ones that
// Ultralytics' tools read.
func (m Meta) Props() (map[string]string, error) {
	props := map[string]string{}
	for k, v := range m.Other {
		props[k] = v
	}
	props[keySchema], props[keyVersion], props["task"] = schema, Version, "classify"
	if m.Arch != "" {
		props[keyArch] = m.Arch
	}
	put := func(key string, v any) error {
		data, err := json.Marshal(v)
		props[key] = string(data)
		return err
	}
	if m.Labels != nil {
		if err := put(keyClasses, m.Labels); err != nil {
			return nil, err
		}
		props["names"] = pythonNames(m.Labels)
	}
	if m.Preprocess != nil {
		if err := put(keyPreprocess, m.Preprocess); err != nil {
			return nil, err
		}
		props["imgsz"] = fmt.Sprintf("[%d, %d]", m.Preprocess.Size, m.Preprocess.Size)
	}
	if m.History != nil {
		if err := put(keyHistory, m.History); err != nil {
			return nil, err
		}
	}
	return props, nil
}

// ParseMeta reads metadata_props: regraft's own keys and those of other programs (meta_foreign.go); keys that
// it does not use end in Other.
func ParseMeta(props map[string]string) (Meta, error) {
	m := Meta{Other: map[string]string{}}
	for key, value := range props {
		var err error
		switch key {
		case keyClasses:
			err = json.Unmarshal([]byte(value), &m.Labels)
		case keyPreprocess:
			m.Preprocess = &Preprocess{}
			err = json.Unmarshal([]byte(value), m.Preprocess)
		case keyHistory:
			err = json.Unmarshal([]byte(value), &m.History)
		case keyArch:
			m.Arch = value
		case keySchema:
			if value != schema {
				err = fmt.Errorf("schema %q is newer than this program knows (%s)", value, schema)
			}
		case keyVersion, "task", "imgsz":
		case "names":
			if _, own := props[keyClasses]; !own {
				m.Labels, err = parsePythonNames(value)
			}
		default:
			m.Other[key] = value
		}
		if err != nil {
			return m, fmt.Errorf("metadata %s: %w", key, err)
		}
	}
	m.foreign(props)
	return m, nil
}

// preprocessorConfig is Hugging Face's preprocessor_config.json, as far as it applies.
type preprocessorConfig struct {
	DoResize bool              `json:"do_resize"`
	Size     map[string]int    `json:"size"`
	CropSize map[string]int    `json:"crop_size,omitempty"`
	Crop     bool              `json:"do_center_crop"`
	Pad      bool              `json:"do_pad,omitempty"`
	Resample int               `json:"resample"`
	Rescale  float64           `json:"rescale_factor"`
	Mean     [3]float32        `json:"image_mean"`
	Std      [3]float32        `json:"image_std"`
	Regraft  map[string]string `json:"regraft,omitempty"`
}

// pillowFilters are Pillow's numbers of the filters that are here too.
var pillowFilters = map[string]int{"bilinear": 2, "bicubic": 3}

// MarshalJSON writes the fields of Hugging Face's preprocessor_config.json.
func (p Preprocess) MarshalJSON() ([]byte, error) {
	c := preprocessorConfig{
		DoResize: true, Resample: pillowFilters["bilinear"], Rescale: p.Rescale, Mean: p.Mean, Std: p.Std,
		Size: map[string]int{"height": p.Size, "width": p.Size},
	}
	switch p.Resize {
	case "crop":
		c.Size, c.CropSize, c.Crop = map[string]int{"shortest_edge": p.Short}, c.Size, true
	case "letterbox":
		c.Pad = true
	}
	if n, ok := pillowFilters[p.Resample]; ok {
		c.Resample = n
	} else {
		c.Regraft = map[string]string{"resample": p.Resample}
	}
	return json.Marshal(c)
}

// UnmarshalJSON reads what MarshalJSON writes and Hugging Face's own files of square input.
func (p *Preprocess) UnmarshalJSON(data []byte) error {
	var c preprocessorConfig
	if err := json.Unmarshal(data, &c); err != nil {
		return err
	}
	*p = Preprocess{Resize: "squash", Resample: "bilinear", Rescale: c.Rescale, Mean: c.Mean, Std: c.Std}
	size := c.Size
	if c.Crop && c.CropSize != nil {
		p.Resize, size, p.Short = "crop", c.CropSize, c.Size["shortest_edge"]
	} else if c.Pad {
		p.Resize = "letterbox"
	}
	p.Size = size["height"]
	if c.Resample == pillowFilters["bicubic"] {
		p.Resample = "bicubic"
	}
	if r := c.Regraft["resample"]; r != "" {
		p.Resample = r
	}
	if p.Short == 0 {
		p.Short = (p.Size*342 + 149) / 299
	}
	if p.Size <= 0 || p.Size > 1<<14 || size["width"] != p.Size {
		return fmt.Errorf("input size %dx%d: only square inputs up to %d are supported", p.Size, size["width"], 1<<14)
	}
	for _, s := range p.Std {
		if !(s > 0) {
			return fmt.Errorf("image_std must be positive")
		}
	}
	if !(p.Rescale > 0) {
		return fmt.Errorf("rescale_factor must be positive")
	}
	return nil
}

// pythonNames renders labels as Ultralytics does: a Python dict of index to name.
func pythonNames(labels []string) string {
	parts := make([]string, len(labels))
	for i, l := range labels {
		l = strings.ReplaceAll(strings.ReplaceAll(l, `\`, `\\`), `'`, `\'`)
		parts[i] = fmt.Sprintf("%d: '%s'", i, l)
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// parsePythonNames reads a Python dict of index to name, or a list of names.
func parsePythonNames(s string) ([]string, error) {
	var labels []string
	rest := strings.TrimSpace(s)
	if len(rest) < 2 || !strings.ContainsRune("{[", rune(rest[0])) {
		return nil, fmt.Errorf("names is not a Python dict or list")
	}
	rest = rest[1 : len(rest)-1]
	for rest = strings.TrimSpace(rest); rest != ""; rest = strings.TrimSpace(rest) {
		if i := strings.IndexAny(rest, `:'"`); i >= 0 && rest[i] == ':' {
			if n, err := strconv.Atoi(strings.TrimSpace(rest[:i])); err != nil || n != len(labels) {
				return nil, fmt.Errorf("names must be numbered from 0 without gaps")
			}
			rest = strings.TrimSpace(rest[i+1:])
		}
		name, after, err := pythonString(rest)
		if err != nil {
			return nil, err
		}
		labels = append(labels, name)
		rest = strings.TrimPrefix(strings.TrimSpace(after), ",")
	}
	return labels, nil
}

func pythonString(s string) (value, rest string, err error) {
	if s == "" || !strings.ContainsRune(`'"`, rune(s[0])) {
		return "", "", fmt.Errorf("names: expected a quoted string")
	}
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == s[0]:
			return b.String(), s[i+1:], nil
		case s[i] == '\\' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
		default:
			b.WriteByte(s[i])
		}
	}
	return "", "", fmt.Errorf("names: unterminated string")
}
