package weights

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"regraft/photo"
)

// Source is a file of weights on the internet that is known to the program.
type Source struct {
	// Name is what the user calls it: the architecture, with a suffix for further weights of it; timm's name for timm's.
	Name string
	// Arch is the architecture's name, as in Families.
	Arch string
	URL  string
	// SHA256 holds the first digits of the file's checksum, in hexadecimal.
	SHA256 string
	// Bytes is the size, at most a thousandth of a MiB off; 0 where it is not known.
	Bytes int64
	// Preprocess is how the weights' own photos were prepared.
	Preprocess photo.Preprocess
	// TransformInput says that the network itself goes from there to the mean and std that its weights want.
	TransformInput bool
}

// File is the name of the file.
func (s *Source) File() string { return path.Base(s.URL) }

// checksum is how file names end: NAME-0cc3c7bd.pth, the first digits of the SHA-256.
var checksum = regexp.MustCompile(`-([0-9a-f]{8})[0-9a-f]*\.pth$`)

const torchvisionURL = "https://download.pytorch.org/models/"

// torchvision makes a Source: size in MiB, crop and the shorter side that photos are resized to before
// it, as torchvision's WeightsEnum says.
func torchvision(name, file string, mebibytes float64, crop, short int) Source {
	arch, _, _ := strings.Cut(name, ".")
	p := photo.ImageNet(photo.Square(crop))
	p.Resize, p.Short = "crop", short
	return Source{
		Name: name, Arch: arch, URL: torchvisionURL + file, SHA256: checksum.FindStringSubmatch(file)[1],
		Bytes: int64(mebibytes * (1 << 20)), Preprocess: *p, TransformInput: transforms(arch),
	}
}

// bicubic changes the filter by which photos were resized.
func bicubic(s Source) Source {
	s.Preprocess.Resample = "bicubic"
	return s
}

// Where timm's weights lie.
const (
	timmURL = "https://github.com/rwightman/pytorch-image-models/releases/download/v0.1-weights/"
	rsbURL  = "https://github.com/rwightman/pytorch-image-models/releases/download/v0.1-rsb-weights/"
)

// timm makes a Source of what timm's default_cfgs say (models/inception_v3.py, resnet.py, densenet.py, efficientnet.py); sizes
// are those of its documentation, where that has them.
func timm(name, arch, url string, bytes int64, p *photo.Preprocess) Source {
	return Source{Name: name, Arch: arch, URL: url, SHA256: checksum.FindStringSubmatch(url)[1], Bytes: bytes, Preprocess: *p}
}

// timmPreprocess is timm's evaluation: the shorter side to size/crop, bicubic, the centre cropped.
func timmPreprocess(size int, crop float64, mean, std [3]float32) *photo.Preprocess {
	p := photo.ImageNet(photo.Square(size))
	p.Mean, p.Std = mean, std
	p.Resize, p.Short, p.Resample = "crop", int(float64(size)/crop), "bicubic"
	return p
}

// Means and standard deviations: ImageNet's of torchvision, and 0.5, which takes pixels from -1 to 1 (Inception).
var (
	imageNetMean = photo.ImageNet(photo.Square(1)).Mean
	imageNetStd  = photo.ImageNet(photo.Square(1)).Std
	half3        = [3]float32{0.5, 0.5, 0.5}
)

// sources are torchvision's and timm's weights for the families, trained on ImageNet's 1000 classes. The files of
// TensorFlow's (tf, tf_adv) have 1001: the first is the background, which timm leaves out when it loads them.
var sources = []Source{
	torchvision("alexnet", "alexnet-owt-7be5be79.pth", 233.087, 224, 256),
	torchvision("convnext_base", "convnext_base-6075fbad.pth", 338.064, 224, 232),
	torchvision("convnext_small", "convnext_small-0c510722.pth", 191.703, 224, 230),
	torchvision("convnext_tiny", "convnext_tiny-983f1562.pth", 109.119, 224, 236),
	torchvision("densenet121", "densenet121-a639ec97.pth", 30.845, 224, 256),
	timm("densenet121.ra_in1k", "densenet121", timmURL+"densenet121_ra-50efcf5c.pth", 32376726,
		timmPreprocess(224, 0.875, imageNetMean, imageNetStd)),
	bicubic(torchvision("efficientnet_b0", "efficientnet_b0_rwightman-7f5810bc.pth", 20.451, 224, 256)),
	timm("efficientnet_b0.ra_in1k", "efficientnet_b0", timmURL+"efficientnet_b0_ra-3dd342df.pth", 0,
		timmPreprocess(224, 0.875, imageNetMean, imageNetStd)),
	torchvision("efficientnet_v2_m", "efficientnet_v2_m-dc08266a.pth", 208.01, 480, 480),
	torchvision("efficientnet_v2_s", "efficientnet_v2_s-dd5fe13b.pth", 82.704, 384, 384),
	torchvision("googlenet", "googlenet-1378be20.pth", 49.731, 224, 256),
	torchvision("inception_v3", "inception_v3_google-0cc3c7bd.pth", 103.903, 299, 342),
	timm("inception_v3.tv_in1k", "inception_v3", torchvisionURL+"inception_v3_google-1a9a5a14.pth", 0,
		timmPreprocess(299, 0.875, half3, half3)),
	timm("inception_v3.tf_in1k", "inception_v3", timmURL+"tf_inception_v3-e0069de4.pth", 95549439,
		timmPreprocess(299, 0.875, half3, half3)),
	timm("inception_v3.tf_adv_in1k", "inception_v3", timmURL+"adv_inception_v3-9e27bd63.pth", 95549439,
		timmPreprocess(299, 0.875, half3, half3)),
	timm("inception_v3.gluon_in1k", "inception_v3", timmURL+"gluon_inception_v3-9f746940.pth", 95567055,
		timmPreprocess(299, 0.875, imageNetMean, imageNetStd)),
	torchvision("mnasnet0_5", "mnasnet0.5_top1_67.823-3ffadce67e.pth", 8.591, 224, 256),
	torchvision("mnasnet0_75", "mnasnet0_75-7090bc5f.pth", 12.303, 224, 232),
	torchvision("mnasnet1_0", "mnasnet1.0_top1_73.512-f206786ef8.pth", 16.915, 224, 256),
	torchvision("mnasnet1_3", "mnasnet1_3-a4c69d6f.pth", 24.246, 224, 232),
	torchvision("mobilenet_v2", "mobilenet_v2-b0353104.pth", 13.555, 224, 256),
	torchvision("mobilenet_v2.v2", "mobilenet_v2-7ebf99e0.pth", 13.598, 224, 232),
	timm("mobilenetv2_100.ra_in1k", "mobilenet_v2", timmURL+"mobilenetv2_100_ra-b33bc2c4.pth", 14202571,
		timmPreprocess(224, 0.875, imageNetMean, imageNetStd)),
	torchvision("mobilenet_v3_large", "mobilenet_v3_large-8738ca79.pth", 21.114, 224, 256),
	torchvision("mobilenet_v3_large.v2", "mobilenet_v3_large-5c1a4163.pth", 21.107, 224, 232),
	torchvision("mobilenet_v3_small", "mobilenet_v3_small-047dcff4.pth", 9.829, 224, 256),
	torchvision("regnet_x_16gf", "regnet_x_16gf-2007eb11.pth", 207.627, 224, 256),
	torchvision("regnet_x_16gf.v2", "regnet_x_16gf-ba3796d7.pth", 207.627, 224, 232),
	torchvision("regnet_x_1_6gf", "regnet_x_1_6gf-e3633e7f.pth", 35.339, 224, 256),
	torchvision("regnet_x_1_6gf.v2", "regnet_x_1_6gf-a12f2b72.pth", 35.339, 224, 232),
	torchvision("regnet_x_3_2gf", "regnet_x_3_2gf-f342aeae.pth", 58.756, 224, 256),
	torchvision("regnet_x_3_2gf.v2", "regnet_x_3_2gf-7071aa85.pth", 58.756, 224, 232),
	torchvision("regnet_x_400mf", "regnet_x_400mf-adf1edd5.pth", 21.258, 224, 256),
	torchvision("regnet_x_400mf.v2", "regnet_x_400mf-62229a5f.pth", 21.257, 224, 232),
	torchvision("regnet_x_800mf", "regnet_x_800mf-ad17e45c.pth", 27.945, 224, 256),
	torchvision("regnet_x_800mf.v2", "regnet_x_800mf-94a99ebd.pth", 27.945, 224, 232),
	torchvision("regnet_x_8gf", "regnet_x_8gf-03ceed89.pth", 151.456, 224, 256),
	torchvision("regnet_x_8gf.v2", "regnet_x_8gf-2b70d774.pth", 151.456, 224, 232),
	torchvision("regnet_y_400mf", "regnet_y_400mf-c65dace8.pth", 16.806, 224, 256),
	torchvision("regnet_y_400mf.v2", "regnet_y_400mf-e6988f5f.pth", 16.806, 224, 232),
	torchvision("regnet_y_1_6gf", "regnet_y_1_6gf-b11a554e.pth", 43.152, 224, 256),
	torchvision("regnet_y_1_6gf.v2", "regnet_y_1_6gf-0d7bc02a.pth", 43.152, 224, 232),
	torchvision("regnet_y_3_2gf", "regnet_y_3_2gf-b5a9779c.pth", 74.567, 224, 256),
	torchvision("regnet_y_3_2gf.v2", "regnet_y_3_2gf-9180c971.pth", 74.567, 224, 232),
	torchvision("regnet_y_16gf", "regnet_y_16gf-9e6ed7dd.pth", 319.49, 224, 256),
	torchvision("regnet_y_16gf.v2", "regnet_y_16gf-3e4a00f9.pth", 319.49, 224, 232),
	torchvision("regnet_y_800mf", "regnet_y_800mf-1b27b58c.pth", 24.774, 224, 256),
	torchvision("regnet_y_800mf.v2", "regnet_y_800mf-58fc7688.pth", 24.774, 224, 232),
	torchvision("regnet_y_8gf", "regnet_y_8gf-d0d0e4a8.pth", 150.701, 224, 256),
	torchvision("regnet_y_8gf.v2", "regnet_y_8gf-dc2b1b54.pth", 150.701, 224, 232),
	torchvision("resnet101", "resnet101-63fe2227.pth", 170.511, 224, 256),
	torchvision("resnet101.v2", "resnet101-cd907fc2.pth", 170.53, 224, 232),
	torchvision("resnet152", "resnet152-394f9c45.pth", 230.434, 224, 256),
	torchvision("resnet152.v2", "resnet152-f82ba261.pth", 230.474, 224, 232),
	torchvision("resnet18", "resnet18-f37072fd.pth", 44.661, 224, 256),
	timm("resnet18.a1_in1k", "resnet18", rsbURL+"resnet18_a1_0-d63eafa0.pth", 0, timmPreprocess(224, 0.95, imageNetMean, imageNetStd)),
	torchvision("resnet34", "resnet34-b627a593.pth", 83.275, 224, 256),
	torchvision("resnet50", "resnet50-0676ba61.pth", 97.781, 224, 256),
	torchvision("resnet50.v2", "resnet50-11ad3fa6.pth", 97.79, 224, 232),
	timm("resnet50.a1_in1k", "resnet50", rsbURL+"resnet50_a1_0-14fe96d1.pth", 0, timmPreprocess(224, 0.95, imageNetMean, imageNetStd)),
	torchvision("resnext101_32x8d", "resnext101_32x8d-8ba56ff5.pth", 339.586, 224, 256),
	torchvision("resnext101_32x8d.v2", "resnext101_32x8d-110c445d.pth", 339.673, 224, 232),
	torchvision("resnext101_64x4d", "resnext101_64x4d-173b62eb.pth", 319.318, 224, 232),
	torchvision("resnext50_32x4d", "resnext50_32x4d-7cdf4587.pth", 95.789, 224, 256),
	torchvision("resnext50_32x4d.v2", "resnext50_32x4d-1a0047aa.pth", 95.833, 224, 232),
	torchvision("shufflenet_v2_x0_5", "shufflenetv2_x0.5-f707e7126e.pth", 5.282, 224, 256),
	torchvision("shufflenet_v2_x1_0", "shufflenetv2_x1-5666bf0f80.pth", 8.791, 224, 256),
	torchvision("shufflenet_v2_x1_5", "shufflenetv2_x1_5-3c479a10.pth", 13.557, 224, 232),
	torchvision("shufflenet_v2_x2_0", "shufflenetv2_x2_0-8be3c8ee.pth", 28.433, 224, 232),
	torchvision("squeezenet1_0", "squeezenet1_0-b66bff10.pth", 4.778, 224, 256),
	torchvision("squeezenet1_1", "squeezenet1_1-b8a52dc0.pth", 4.729, 224, 256),
	bicubic(torchvision("swin_b", "swin_b-68c6b09e.pth", 335.364, 224, 238)),
	bicubic(torchvision("swin_s", "swin_s-5e29d889.pth", 189.786, 224, 246)),
	bicubic(torchvision("swin_t", "swin_t-704ceda3.pth", 108.19, 224, 232)),
	bicubic(torchvision("swin_v2_b", "swin_v2_b-781e5279.pth", 336.372, 256, 272)),
	bicubic(torchvision("swin_v2_s", "swin_v2_s-637d8ceb.pth", 190.675, 256, 260)),
	bicubic(torchvision("swin_v2_t", "swin_v2_t-b137f0e2.pth", 108.626, 256, 260)),
	torchvision("vgg11_bn", "vgg11_bn-6002323d.pth", 506.881, 224, 256),
	torchvision("vgg16", "vgg16-397923af.pth", 527.796, 224, 256),
	torchvision("vit_b_16", "vit_b_16-c867db91.pth", 330.285, 224, 256),
	torchvision("vit_b_32", "vit_b_32-d86f8d99.pth", 336.604, 224, 256),
	torchvision("vit_l_16", "vit_l_16-852ce7e3.pth", 1161.023, 224, 242),
	torchvision("wide_resnet101_2", "wide_resnet101_2-32ee1156.pth", 242.896, 224, 256),
	torchvision("wide_resnet101_2.v2", "wide_resnet101_2-d733dc28.pth", 484.747, 224, 232),
	torchvision("wide_resnet50_2", "wide_resnet50_2-95faca4d.pth", 131.82, 224, 256),
	torchvision("wide_resnet50_2.v2", "wide_resnet50_2-9ba9bcbe.pth", 263.124, 224, 232),
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
