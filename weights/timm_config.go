package weights

import (
	"encoding/json"
	"io"
	"os"
	"regexp"
	"slices"

	"regraft/photo"
)

// timmConfig is the config.json that lies beside timm's weights on Hugging Face, as far as it applies. Its zero value stands for
// none.
type timmConfig struct {
	Architecture string          `json:"architecture"`
	LabelNames   json.RawMessage `json:"label_names"` // a list, or an object of number to name
	Pretrained   struct {
		InputSize     []int     `json:"input_size"`
		Mean          []float32 `json:"mean"`
		Std           []float32 `json:"std"`
		CropPct       float64   `json:"crop_pct"`
		CropMode      string    `json:"crop_mode"`
		Interpolation string    `json:"interpolation"`
	} `json:"pretrained_cfg"`
}

// readTimmConfig returns the zero value where there is no such file or another program's.
func readTimmConfig(path string) timmConfig {
	f, err := os.Open(path)
	if err != nil {
		return timmConfig{}
	}
	defer f.Close()
	return parseTimmConfig(io.LimitReader(f, 1<<20))
}

func parseTimmConfig(r io.Reader) timmConfig {
	var c timmConfig
	if json.NewDecoder(r).Decode(&c) != nil {
		return timmConfig{}
	}
	return c
}

// timmArchs are timm's names of our architectures that differ.
var timmArchs = map[string]string{
	"mobilenetv2_100": "mobilenet_v2", "tf_inception_v3": "inception_v3", "adv_inception_v3": "inception_v3", "gluon_inception_v3": "inception_v3",
}

// arch is our name of the architecture.
func (c timmConfig) arch() string {
	if ours := timmArchs[c.Architecture]; ours != "" {
		return ours
	}
	return c.Architecture
}

// sameNames matches names of timm's models that pad as TensorFlow does, and otherwise have the tensors of ours.
var sameNames = regexp.MustCompile(`tf_efficientnet_b0|tf_mobilenet\w*`)

// otherThan names the architecture that config.json or the file's path tell, where that is not arch.
func (c timmConfig) otherThan(path, arch string) string {
	if c.Architecture != "" && c.arch() != arch {
		return c.Architecture + " by its config.json"
	}
	if name := sameNames.FindString(path); name != "" && c.Architecture == "" {
		return name + " by its name"
	}
	return ""
}

// preprocess is timm's evaluation of the weights; nil where the file does not tell it or regraft cannot do it.
func (c timmConfig) preprocess(arch string) *photo.Preprocess {
	t := c.Pretrained
	if c.arch() != arch || len(t.InputSize) != 3 || len(t.Mean) != 3 || len(t.Std) != 3 || slices.Min(t.Std) <= 0 ||
		t.InputSize[1] < 1 || t.InputSize[1] > 1<<12 || !(t.CropPct >= 0.25 && t.CropPct <= 1) || t.CropMode != "" && t.CropMode != "center" {
		return nil
	}
	p := timmPreprocess(t.InputSize[1], t.CropPct, [3]float32(t.Mean), [3]float32(t.Std))
	if t.Interpolation == "bilinear" {
		p.Resample = t.Interpolation
	}
	return p
}

// labels are the names of the classes, nil where the file has none.
func (c timmConfig) labels() []string {
	var labels []string
	if json.Unmarshal(c.LabelNames, &labels) != nil {
		return nil
	}
	return labels
}
