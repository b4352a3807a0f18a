package weights

import (
	"encoding/json"
	"io"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"

	"regraft/engine"
)

// origin is what a file's name and neighbours tell about its weights.
type origin struct {
	preprocess engine.Preprocess
	// transform says that the network itself takes photos normalised with ImageNet's mean and std to 0.5/0.5, as
	// torchvision's Inception-v3 and GoogLeNet do when they are made with pretrained weights (transform_input).
	transform bool
	// imagenet says that 1000 classes are ImageNet's.
	imagenet bool
	// assumed says why this is only a guess, "" when it is none.
	assumed string
}

// findOrigin goes from what is certain to what is usual.
func findOrigin(path, arch, format string) origin {
	if s := FindSource(filepath.Base(path)); s != nil && s.Arch == arch {
		return origin{preprocess: s.Preprocess, transform: transforms(arch), imagenet: true}
	}
	if p := timmConfig(filepath.Join(filepath.Dir(path), "config.json"), arch); p != nil {
		return origin{preprocess: *p, imagenet: true}
	}
	o := origin{imagenet: true, assumed: "torchvision's pretrained weights"}
	for _, s := range sources {
		if s.Arch == arch {
			o.preprocess = s.Preprocess
			break
		}
	}
	o.transform = transforms(arch)
	if arch == "inception_v3" && (format == "safetensors" || timmName.MatchString(path)) {
		o.transform, o.assumed = false, "timm's weights"
		if !gluonName.MatchString(path) {
			o.preprocess.Mean, o.preprocess.Std = half3, half3
		}
	}
	return o
}

// timm's names of Inception-v3's weights. Those from gluon take ImageNet's mean and std, all others 0.5.
var (
	timmName  = regexp.MustCompile(`(tf|adv|gluon)_inception_v3|inception_v3\.(tf|tv|gluon)_`)
	gluonName = regexp.MustCompile(`gluon_inception_v3|inception_v3\.gluon_`)
	half3     = [3]float32{0.5, 0.5, 0.5}
)

func transforms(arch string) bool { return arch == "inception_v3" || arch == "googlenet" }

// transformInput is torchvision's: what was normalised with ImageNet's mean and std becomes what 0.5 and 0.5
// would have given.
func transformInput(net *engine.Network) (*engine.Network, error) {
	mean, std := [3]float64{0.485, 0.456, 0.406}, [3]float64{0.229, 0.224, 0.225}
	var scale, shift []float32
	for c := range mean {
		scale = append(scale, float32(std[c]/0.5))
		shift = append(shift, float32((mean[c]-0.5)/0.5))
	}
	return net.ScaleInput(scale, shift)
}

// timmConfig reads the preprocessing from the config.json that lies beside timm's weights on Hugging Face;
// nil when there is none for this architecture.
func timmConfig(path, arch string) *engine.Preprocess {
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer f.Close()
	var c struct {
		Architecture string `json:"architecture"`
		Pretrained   struct {
			InputSize []int     `json:"input_size"`
			Mean      []float32 `json:"mean"`
			Std       []float32 `json:"std"`
			CropPct   float64   `json:"crop_pct"`
		} `json:"pretrained_cfg"`
	}
	if json.NewDecoder(io.LimitReader(f, 1<<20)).Decode(&c) != nil {
		return nil
	}
	t := c.Pretrained
	if c.Architecture != arch || len(t.InputSize) != 3 || len(t.Mean) != 3 || len(t.Std) != 3 || slices.Min(t.Std) <= 0 ||
		t.InputSize[1] < 1 || t.InputSize[1] > 1<<12 || !(t.CropPct > 0.1 && t.CropPct <= 1) {
		return nil
	}
	p := engine.ImageNet(t.InputSize[1])
	p.Mean, p.Std = [3]float32(t.Mean), [3]float32(t.Std)
	p.Resize, p.Short = "crop", int(math.Floor(float64(p.Size)/t.CropPct))
	return p
}
