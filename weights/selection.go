package weights

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"regraft/setting"
)

// Which weights to take of a file that holds several networks; any other word is the beginning of their tensors' names.
const (
	// Averaged are weights averaged over training steps (timm's model_ema, torchvision's model_ema, Lightning's callbacks). They are
	// taken by default: training scripts that keep them validate with them, and report their accuracy.
	Averaged = "ema"
	// Raw are those that the optimizer changes.
	Raw = "raw"
)

// selection are the tensors whose names begin with prefix: those of a wrapper (DataParallel's module., torch.compile's _orig_mod.,
// Lightning's model.), of an entry of a checkpoint, of an attribute of the user's own class, or all of a file.
type selection struct {
	prefix  string
	tensors []*Tensor
	// aside are those with which the network does not compute: the tower of texts beside that of images.
	aside []string
}

// words are the parts of the prefix, in small letters.
func (s *selection) words() []string {
	return strings.FieldsFunc(strings.ToLower(s.prefix), func(r rune) bool { return strings.ContainsRune("._-/ ", r) })
}

func (s *selection) averaged() bool {
	return slices.ContainsFunc(s.words(), func(w string) bool {
		return slices.Contains([]string{"ema", "averaged", "average", "avg", "swa", "polyak"}, w)
	})
}

// name is the prefix as messages and Options.Weights have it.
func (s *selection) name() string { return strings.TrimSuffix(s.prefix, ".") }

// Limits of the search: a network of the known families has more tensors than fewest, and a file more than a few candidates only
// where it is none of ours.
const (
	fewestTensors = 8
	mostSelected  = 64
	mostNested    = 8
)

// selections lists the prefixes under which a network could lie, those with most tensors first; the first has all.
func selections(t *Tensors) []selection {
	under := map[string][]*Tensor{}
	for _, tensor := range t.List {
		if !isWeight(tensor) {
			continue
		}
		end := 0
		for range mostNested {
			under[tensor.Name[:end]] = append(under[tensor.Name[:end]], tensor)
			dot := strings.IndexByte(tensor.Name[end:], '.')
			if dot < 0 {
				break
			}
			end += dot + 1
		}
	}
	list := []selection{{tensors: under[""]}}
	for prefix, tensors := range under {
		if prefix != "" && len(tensors) >= fewestTensors {
			list = append(list, selection{prefix: prefix, tensors: tensors})
		}
	}
	slices.SortFunc(list, func(a, b selection) int {
		return cmp.Or(cmp.Compare(len(b.tensors), len(a.tensors)), cmp.Compare(a.prefix, b.prefix))
	})
	return list[:min(len(list), mostSelected)]
}

// isWeight leaves out integers and BatchNorm's num_batches_tracked.
func isWeight(t *Tensor) bool { return t.Float() && !strings.HasSuffix(t.Name, "num_batches_tracked") }

// choose picks the match that is meant of those of all selections, in which the best one comes first.
func choose(matches []*Match, which string) (*Match, error) {
	var alike []*Match
	for _, m := range matches {
		inner := func(o *Match) bool {
			return strings.HasPrefix(o.prefix, m.prefix) || strings.HasPrefix(m.prefix, o.prefix)
		}
		if m.Family == matches[0].Family && m.alike() >= 0.8*matches[0].alike() && !slices.ContainsFunc(alike, inner) {
			alike = append(alike, m)
		}
	}
	if matches[0].alike() < 0.5 { // a network that is not known, with parts that are like one another
		alike = matches[:1]
	}
	wanted := slices.Clone(alike)
	keep := func(f func(m *Match) bool) {
		wanted = slices.DeleteFunc(wanted, func(m *Match) bool { return !f(m) })
	}
	averaged := func(m *Match) bool { return m.averaged() }
	switch which {
	case "":
		if slices.ContainsFunc(wanted, averaged) {
			keep(averaged)
		}
	case Averaged:
		keep(averaged)
	case Raw:
		keep(func(m *Match) bool { return !m.averaged() })
	default:
		keep(func(m *Match) bool { return m.prefix == which || strings.HasPrefix(m.prefix, which+".") })
	}
	switch {
	case len(wanted) == 0 && which == Averaged:
		return nil, fmt.Errorf("no averaged weights are in the file (%v %s): %s", setting.Weights, which, names(alike))
	case len(wanted) == 0:
		return nil, fmt.Errorf("the file has no weights of that kind (%v %s): %s", setting.Weights, which, names(alike))
	case len(wanted) > 1:
		return nil, fmt.Errorf("the file holds several networks: %s; say which one (%v NAME)", names(wanted), setting.Weights)
	}
	wanted[0].others = slices.DeleteFunc(alike, func(m *Match) bool { return m == wanted[0] })
	return wanted[0], nil
}

func names(matches []*Match) string {
	var list []string
	for _, m := range matches {
		name := m.name()
		if name == "" {
			name = "all tensors"
		}
		list = append(list, name)
	}
	return enumerate(list)
}

// notes say what was taken of the file where it holds more.
func (m *Match) notes() (notes []string) {
	if len(m.others) > 0 {
		kind := Raw + " ones, "
		if m.averaged() {
			kind = "averaged ones, "
		}
		notes = append(notes, fmt.Sprintf("the file holds several weights of this network: the %s%s, are taken, not %s (%v %s, %s or NAME)",
			kind, names([]*Match{m}), names(m.others), setting.Weights, Averaged, Raw))
	}
	var beside []string
	for _, t := range m.all {
		taken := func(m *Match) bool { return strings.HasPrefix(t.Name, m.prefix) }
		if isWeight(t) && !taken(m) && !slices.ContainsFunc(m.others, taken) {
			beside = append(beside, t.Name)
		}
	}
	if len(beside) > 0 {
		notes = append(notes, fmt.Sprintf("%d tensors beside %s are left out: %s", len(beside), m.name(), enumerate(beside)))
	}
	if len(m.aside) > 0 {
		notes = append(notes, fmt.Sprintf("%d tensors that the network of images does not compute with are left out: %s", len(m.aside), enumerate(m.aside)))
	}
	for _, r := range m.renamed {
		notes = append(notes, fmt.Sprintf("%s is taken for the classifier %s", r[0], r[1]))
	}
	return notes
}
