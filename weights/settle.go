package weights

import (
	"cmp"
	"strings"

	"regraft/setting"
)

// settle gives the network what the library of the tensors does otherwise than torchvision, though the tensors do not tell: the constants
// of its norms, and timm's padding in models that come from TensorFlow.
func (i *Imported) settle(m *Match, path string, config modelConfig) error {
	var err error
	switch {
	case m.family.isVit():
		i.Net, err = m.conventions(config).apply(i.Net)
	case strings.HasPrefix(m.Family, "mobilenetv4"): // the graph is timm's
		if config.Architecture == "" && !strings.HasSuffix(m.Family, "_small") {
			i.notef("the tensors are taken for timm's %s; its networks with aa or blur in their names have the same ones, but blur before they stride", m.Family)
		}
	case m.has("conv_stem.weight"): // timm's own builder
		err = i.settleTimm(m, path, config)
	case m.has("convnext.layernorm.weight"), m.has("convnextv2.layernorm.weight"), m.has("layernorm.weight"): // transformers': the last norm alone differs
		epsilon := cmp.Or(config.LayerNormEpsilon, 1e-12)
		i.Net, err = i.Net.WithEpsilon(func(scale string) (float32, bool) { return epsilon, scale == "classifier.0.weight" })
	}
	return err
}

func (i *Imported) settleTimm(m *Match, path string, config modelConfig) error {
	epsilon := float32(1e-5)
	tf := config.tensorFlow(path)
	if tf || strings.HasPrefix(m.Family, "efficientnet_v2") {
		epsilon = 1e-3
	}
	var err error
	if i.Net, err = i.Net.WithEpsilon(func(string) (float32, bool) { return epsilon, true }); err != nil {
		return err
	}
	if !tf {
		if config.Architecture == "" {
			i.notef("the tensors are taken for timm's %s; its networks whose names begin with tf_ have tensors of the same names, but pad as TensorFlow does", m.Family)
		}
		return nil
	}
	size := i.Net.ImageSize()
	i.notef("this is one of timm's networks that pad as TensorFlow does; the padding is that for photos of %v: for others import it again with %v", size, setting.InputSize)
	i.Net, err = i.Net.PadAsTensorFlow()
	return err
}
