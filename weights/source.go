package weights

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"regraft/engine"
)

// Source is a file of weights on the internet that is known to the program.
type Source struct {
	// Name is what the user calls it: the architecture, with a suffix for further weights of it.
	Name string
	// Arch is the architecture's name, as in Families.
	Arch string
	URL  string
	// SHA256 holds the first digits of the file's checksum, in hexadecimal.
	SHA256 string
	// Bytes is the size, rounded to a thousandth of a MiB.
	Bytes int64
	// Preprocess is how the weights' own photos were prepared.
	Preprocess engine.Preprocess
}

// File is the name of the file.
func (s *Source) File() string { return path.Base(s.URL) }

const torchvisionURL = "https://download.pytorch.org/models/"

// checksum is how torchvision's file names end: NAME-XXXXXXXX.pth, the first digits of the SHA-256.
var checksum = regexp.MustCompile(`-([0-9a-f]{8})\.pth$`)

// torchvision makes a Source: size in MiB, crop and the shorter side that photos are resized to before
// it, as torchvision's WeightsEnum says.
func torchvision(name, file string, mebibytes float64, crop, short int) Source {
	arch, _, _ := strings.Cut(name, ".")
	p := engine.ImageNet(crop)
	p.Resize, p.Short = "crop", short
	return Source{
		Name: name, Arch: arch, URL: torchvisionURL + file, SHA256: checksum.FindStringSubmatch(file)[1],
		Bytes: int64(mebibytes * (1 << 20)), Preprocess: *p,
	}
}

// sources are torchvision's weights for the families, trained on ImageNet's 1000 classes.
var sources = []Source{
	torchvision("alexnet", "alexnet-owt-7be5be79.pth", 233.087, 224, 256),
	torchvision("densenet121", "densenet121-a639ec97.pth", 30.845, 224, 256),
	torchvision("efficientnet_b0", "efficientnet_b0_rwightman-7f5810bc.pth", 20.451, 224, 256),
	torchvision("googlenet", "googlenet-1378be20.pth", 49.731, 224, 256),
	torchvision("inception_v3", "inception_v3_google-0cc3c7bd.pth", 103.903, 299, 342),
	torchvision("mobilenet_v2", "mobilenet_v2-b0353104.pth", 13.555, 224, 256),
	torchvision("mobilenet_v2.v2", "mobilenet_v2-7ebf99e0.pth", 13.598, 224, 232),
	torchvision("resnet18", "resnet18-f37072fd.pth", 44.661, 224, 256),
	torchvision("resnet50", "resnet50-0676ba61.pth", 97.781, 224, 256),
	torchvision("resnet50.v2", "resnet50-11ad3fa6.pth", 97.79, 224, 232),
	torchvision("squeezenet1_0", "squeezenet1_0-b66bff10.pth", 4.778, 224, 256),
	torchvision("squeezenet1_1", "squeezenet1_1-b8a52dc0.pth", 4.729, 224, 256),
	torchvision("vgg11_bn", "vgg11_bn-6002323d.pth", 506.881, 224, 256),
	torchvision("vgg16", "vgg16-397923af.pth", 527.796, 224, 256),
}

// Sources lists the known files of weights.
func Sources() []Source { return slices.Clone(sources) }

// FindSource returns the source with the given name or file name, or nil.
func FindSource(name string) *Source {
	i := slices.IndexFunc(sources, func(s Source) bool { return s.Name == name || s.File() == name })
	if i < 0 {
		return nil
	}
	s := sources[i]
	return &s
}
