package weights

import (
	"fmt"
	"regexp"
	"slices"
)

// Some of torchvision's own files are older than the names of its models.
var (
	// denseLayer is a part of a layer of DenseNet; the model has norm1 for norm.1.
	denseLayer = regexp.MustCompile(`^(.*denselayer\d+\.(?:norm|conv))\.([12]\.\w+)$`)
	// mlpLayer is a layer of VisionTransformer's blocks; the model numbers them 0 and 3.
	mlpLayer = regexp.MustCompile(`^(encoder\.layers\.\w+\.mlp)\.linear_([12])\.(weight|bias)$`)
)

// present is torchvision's name today.
func present(name string) string {
	if m := mlpLayer.FindStringSubmatch(name); m != nil {
		return m[1] + "." + map[string]string{"1": "0", "2": "3"}[m[2]] + "." + m[3]
	}
	return denseLayer.ReplaceAllString(name, "$1$2")
}

// canonical gives the tensors torchvision's present names, without the prefix (timm.go has timm's, vit.go and swin.go those of
// transformers), and notes what it leaves aside.
func (s *selection) canonical() (map[string]*Tensor, error) {
	named := map[string]*Tensor{}
	for _, tensor := range s.tensors {
		name := tensor.Name[len(s.prefix):]
		if err := addAs(present(name), tensor, named); err != nil {
			return nil, err
		}
	}
	if isVit(named) {
		renamed, aside, err := vit(named)
		s.aside = aside
		return renamed, err
	}
	if isSwin(named) {
		renamed, aside, err := swin(named)
		s.aside = aside
		return renamed, err
	}
	return torchvisionNames(named)
}

// addAs enters a tensor under the name that torchvision has for it.
func addAs(name string, t *Tensor, to map[string]*Tensor) error {
	if other := to[name]; other != nil {
		names := []string{other.Name, t.Name}
		slices.Sort(names)
		return fmt.Errorf("tensors %q and %q have the same meaning", names[0], names[1])
	}
	to[name] = t
	return nil
}

// torchvisionNames gives tensors with names of timm, of transformers or of a paper's own code those of torchvision; others stay as
// they are.
func torchvisionNames(tensors map[string]*Tensor) (map[string]*Tensor, error) {
	if b := builderOf(tensors); b != nil {
		return b.translate(tensors)
	}
	if tensors["pre_logits.fc1.weight"] != nil {
		return vgg(tensors)
	}
	for _, s := range spellings {
		if tensors[s.sign] != nil {
			return s.translate(tensors)
		}
	}
	return tensors, nil
}

// spelling is how another library names the layers of a network that torchvision has too.
type spelling struct {
	// sign is a tensor that nobody else calls so.
	sign string
	// layer gives a layer, or a parameter that stands alone, torchvision's name; "" where it knows none.
	layer func(name string) string
	// form gives the tensor that torchvision calls so torchvision's shape; nil where all have it.
	form func(name string, t *Tensor) *Tensor
}

// spellings are tried in their order.
var spellings = slices.Concat(convNeXtSpellings, regNetSpellings, transformersSpellings)

func (s spelling) translate(tensors map[string]*Tensor) (map[string]*Tensor, error) {
	renamed := map[string]*Tensor{}
	for name, t := range tensors {
		if layer, role := cutLast(name); s.layer(layer) != "" {
			name = s.layer(layer) + "." + role
		} else if to := s.layer(name); to != "" {
			name = to
		}
		if s.form != nil {
			t = s.form(name, t)
		}
		if err := addAs(name, t, renamed); err != nil {
			return nil, err
		}
	}
	return renamed, nil
}

// perChannel is a contiguous tensor (C) as (C, 1, 1), which multiplies maps; others stay as they are.
func (t *Tensor) perChannel() *Tensor {
	if len(t.Shape) != 1 || t.strides[0] != 1 {
		return t
	}
	wide := *t
	wide.Shape, wide.strides = []int{t.Shape[0], 1, 1}, []int{1, 1, 1}
	return &wide
}

// vector is a contiguous tensor (1, ..., 1, C) as (C); others stay as they are.
func (t *Tensor) vector() *Tensor {
	last := len(t.Shape) - 1
	if last < 1 || t.Shape[last] != t.Size() || t.strides[last] != 1 {
		return t
	}
	flat := *t
	flat.Shape, flat.strides = t.Shape[last:], []int{1}
	return &flat
}
