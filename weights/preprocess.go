package weights

import (
	"cmp"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"

	"regraft/engine"
	"regraft/photo"
	"regraft/setting"
)

// origin is what a file's name and neighbours tell about its weights.
type origin struct {
	preprocess photo.Preprocess
	// transform says that the network itself takes photos normalised with ImageNet's mean and std to 0.5/0.5, as
	// torchvision's Inception-v3 and GoogLeNet do when they are made with pretrained weights (transform_input).
	transform bool
	// labels are the names of the classes, nil where nothing tells them.
	labels []string
	// assumed says why this is only a guess, "" when it is none.
	assumed string
	// config is what config.json says, preprocessFile the file that told the preprocessing.
	config         modelConfig
	preprocessFile string
}

// notes say what files beside the weights supplied, for so many classes.
func (o *origin) notes(classes int) (notes []string) {
	if o.preprocessFile != "" {
		notes = append(notes, o.preprocessFile+" beside the weights gives their preprocessing")
	}
	switch {
	case classes == 0:
	case len(o.labels) == classes:
		notes = append(notes, "config.json beside the weights gives the names of the classes")
	case o.labels != nil:
		notes = append(notes, fmt.Sprintf("config.json beside the weights names %d classes, which are not taken: the classifier has %d", len(o.labels), classes))
	}
	if o.assumed != "" {
		notes = append(notes, fmt.Sprintf("the preprocessing is that of %s, which is assumed (%v, %v)", o.assumed, setting.Mean, setting.Std))
	}
	return notes
}

// findOrigin goes from what is certain to what is usual. It is an error when the surroundings say that the weights are of an
// architecture that only has the tensors' names in common with arch, unless named says that the user knows better.
func findOrigin(path, arch, format string, named bool) (origin, error) {
	if s := FindSource(filepath.Base(path)); s != nil && s.Arch == arch {
		return origin{preprocess: s.Preprocess, transform: s.TransformInput}, nil
	}
	dir := filepath.Dir(path)
	o := origin{config: readConfig(filepath.Join(dir, "config.json"))}
	if other := cmp.Or(o.config.otherThan(arch), o.config.otherByName(path, arch)); other != "" && !named {
		return origin{}, fmt.Errorf("the tensors have the names of %s, but this is %s, which may compute something else with them: %v %s imports them all the same", arch, other, setting.Arch, arch)
	}
	o.labels = o.config.labels()
	if p := o.config.preprocess(arch); p != nil {
		o.preprocess, o.preprocessFile = *p, "config.json"
		return o, nil
	}
	if p := readProcessor(dir); p != nil {
		o.preprocess, o.preprocessFile = *p, "preprocessor_config.json"
		return o, nil
	}
	if p := timmAlone(arch); p != nil {
		o.preprocess, o.assumed = *p, "timm's weights"
		return o, nil
	}
	o.assumed, o.transform = "torchvision's pretrained weights", transforms(arch)
	for _, s := range sources {
		if s.Arch == arch {
			o.preprocess = s.Preprocess
			break
		}
	}
	if arch == "inception_v3" && (format == "safetensors" || timmName.MatchString(path)) {
		o.transform, o.assumed = false, "timm's weights"
		source := "inception_v3.tf_in1k"
		if gluonName.MatchString(path) {
			source = "inception_v3.gluon_in1k"
		}
		o.preprocess = FindSource(source).Preprocess
	}
	return o, nil
}

// timmAlone is how timm prepares photos for most of its weights of a network that torchvision lacks, nil for others.
func timmAlone(arch string) *photo.Preprocess {
	size, crop := 224, 0.875
	switch {
	case arch == "mobilenetv4_conv_medium":
		size, crop = 256, 0.95
	case arch == "mobilenetv4_conv_large":
		size, crop = 384, 0.95
	case arch != "mobilenetv4_conv_small" && !strings.HasPrefix(arch, "convnextv2_"):
		return nil
	}
	return timmPreprocess(size, crop, imageNetMean, imageNetStd)
}

// timm's names of Inception-v3's weights. Those from gluon take ImageNet's mean and std, all others 0.5.
var (
	timmName  = regexp.MustCompile(`(tf|adv|gluon)_inception_v3|inception_v3\.(tf|tv|gluon)_`)
	gluonName = regexp.MustCompile(`gluon_inception_v3|inception_v3\.gluon_`)
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
