package weights

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// prefixes that wrappers put before every name: DataParallel, torch.compile, Lightning, timm's averaged models.
var prefixes = []string{"module.", "_orig_mod.", "model.", "net.", "backbone."}

// denseLayer is how torchvision's own DenseNet files name a layer's parts; the model has norm1 for norm.1.
var denseLayer = regexp.MustCompile(`^(.*denselayer\d+\.(?:norm|conv))\.([12]\.\w+)$`)

// canonical gives the tensors torchvision's present names (timm.go has timm's) and leaves out what is no weight: integers, and
// BatchNorm's num_batches_tracked.
func canonical(t *Tensors) (map[string]*Tensor, error) {
	strip := commonPrefix(t)
	named := map[string]*Tensor{}
	for _, tensor := range t.List {
		if !tensor.Float() || strings.HasSuffix(tensor.Name, "num_batches_tracked") {
			continue
		}
		name := strings.TrimPrefix(tensor.Name, strip)
		name = denseLayer.ReplaceAllString(name, "$1$2")
		if err := addAs(name, tensor, named); err != nil {
			return nil, err
		}
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

// commonPrefix is the wrappers' prefixes that all names share.
func commonPrefix(t *Tensors) string {
	found := ""
	for i := 0; i < len(prefixes); i++ {
		longer := found + prefixes[i]
		all := len(t.List) > 0
		for _, tensor := range t.List {
			all = all && strings.HasPrefix(tensor.Name, longer)
		}
		if all {
			found, i = longer, -1
		}
	}
	return found
}
