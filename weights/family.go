package weights

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"embed"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"

	"regraft/engine"
	"regraft/onnx"
	"regraft/photo"
)

// graphFiles are ONNX graphs without weights, made by scripts/make_graphs.py.
//
//go:embed graphs/*.onnx.gz
var graphFiles embed.FS

const graphEnding = ".onnx.gz"

// Families lists the architectures whose graphs the program has, in alphabetical order.
func Families() []string {
	entries, err := graphFiles.ReadDir("graphs")
	if err != nil {
		panic(err) // the program was built without its files
	}
	var names []string
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), graphEnding))
	}
	return names
}

// family is an architecture: torchvision's graph in training form and its parameters.
type family struct {
	name   string
	graph  []byte
	params []onnx.Placeholder
	known  map[string]bool // the parameters' names
}

// families unpacks all graphs, once.
var families = sync.OnceValue(func() []*family {
	var list []*family
	for _, name := range Families() {
		graph, err := unpack(name)
		f := &family{name: name, graph: graph}
		if err == nil {
			f.params, err = onnx.Placeholders(graph)
		}
		if err != nil {
			panic(fmt.Sprintf("embedded graph %s: %v", name, err)) // the program was built with a damaged file
		}
		f.known = make(map[string]bool, len(f.params))
		for _, p := range f.params {
			f.known[p.Name] = true
		}
		list = append(list, f)
	}
	return list
})

func unpack(name string) ([]byte, error) {
	packed, err := graphFiles.ReadFile("graphs/" + name + graphEnding)
	if err != nil {
		return nil, err
	}
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}

// graphClasses is the number of classes in the stored graphs. No other size of theirs has this value, so a
// tensor that begins with it belongs to a classifier, whose number of classes is that of the weights.
const graphClasses = 1000

// fits compares a tensor's shape with the graph's. A table of positions may be for any square grid.
func fits(p onnx.Placeholder, shape []int) bool {
	if p.Name == positionTable && len(shape) == 3 && shape[0] == 1 && shape[2] == p.Shape[2] {
		return shape[1] > 0 && prefixTokens(shape[1]) == prefixTokens(p.Shape[1])
	}
	if len(shape) == len(p.Shape) && len(shape) > 0 && p.Shape[0] == graphClasses {
		return slices.Equal(shape[1:], p.Shape[1:])
	}
	return slices.Equal(shape, p.Shape)
}

// Match is how the tensors of a file fit a family.
type Match struct {
	// Family is the architecture's name.
	Family string
	// Missing parameters have no tensor, Unexpected tensors no parameter, Misshapen tensors a parameter of
	// another shape (each with both shapes).
	Missing, Unexpected, Misshapen []string

	selection
	family  *family
	tensors map[string]*Tensor
	// renamed are layers that were taken for the classifier, each with its name in the graph.
	renamed [][2]string
	// all are the tensors of the file, others the matches with further weights of the same network in it.
	all    []*Tensor
	others []*Match
}

func (m *Match) faults() int { return len(m.Missing) + len(m.Unexpected) + len(m.Misshapen) }

// fit is the share of all names, the family's and the tensors', that fit.
func (m *Match) fit() float64 {
	right := len(m.family.params) - len(m.Missing) - len(m.Misshapen)
	return float64(right) / float64(right+m.faults())
}

// alike is the share of all names that both have, whatever the shapes.
func (m *Match) alike() float64 {
	shared := len(m.family.params) - len(m.Missing)
	return float64(shared) / float64(shared+len(m.Missing)+len(m.Unexpected))
}

// FindFamily returns the match with the family that the tensors' names and shapes fit best. A name restricts the
// search to one family; which says which weights are meant where the file holds several (Averaged, Raw or the beginning of
// their names). Whether the match is good enough is for the caller to say.
func FindFamily(t *Tensors, name, which string) (*Match, error) {
	var matches []*Match
	for _, s := range selections(t) {
		tensors, err := s.canonical()
		if err != nil {
			return nil, err
		}
		var best *Match
		for _, f := range families() {
			if name != "" && f.name != name {
				continue
			}
			if m := f.match(tensors); best == nil || m.compare(best) < 0 {
				best = m
			}
		}
		if best == nil {
			return nil, fmt.Errorf("architecture %q is not known: choose one of %s", name, strings.Join(Families(), ", "))
		}
		slices.Sort(best.Unexpected)
		best.selection, best.all = s, t.List
		matches = append(matches, best)
	}
	slices.SortStableFunc(matches, (*Match).compare)
	return choose(matches, which)
}

// compare orders the better match first. Names count beside shapes: a network of other widths has none of the shapes, and a part of
// one some by chance.
func (m *Match) compare(o *Match) int {
	return cmp.Compare(o.fit()+o.alike(), m.fit()+m.alike())
}

func (f *family) match(tensors map[string]*Tensor) *Match {
	m := &Match{Family: f.name, family: f, tensors: tensors}
	m.findClassifiers()
	for _, p := range f.params {
		t := m.tensors[p.Name]
		switch {
		case t == nil:
			m.Missing = append(m.Missing, p.Name)
		case !fits(p, t.Shape):
			m.Misshapen = append(m.Misshapen, fmt.Sprintf("%s %v (the graph has %v)", p.Name, t.Shape, p.Shape))
		}
	}
	for name := range m.tensors {
		if !f.known[name] {
			m.Unexpected = append(m.Unexpected, name)
		}
	}
	return m
}

// findClassifiers takes a linear layer that stands in a classifier's place under another name for it: people put it into a Sequential
// (fc.1 for fc, with a Dropout before it) or replace one by it (classifier for classifier.1).
func (m *Match) findClassifiers() {
	for _, p := range m.family.params {
		layer, role := cutLast(p.Name)
		if role != "weight" || len(p.Shape) < 2 || p.Shape[0] != graphClasses || m.tensors[p.Name] != nil {
			continue
		}
		outer, _ := cutLast(layer)
		found := ""
		for name, t := range m.tensors {
			other, role := cutLast(name)
			if role != "weight" || m.family.known[name] || len(t.Shape) != len(p.Shape) || (outer == "" || other != outer) && !strings.HasPrefix(other, layer+".") {
				continue
			}
			if found != "" {
				found = ""
				break // several layers are another architecture
			}
			found = other
		}
		if found == "" {
			continue
		}
		m.tensors = maps.Clone(m.tensors)
		for _, role := range []string{".weight", ".bias"} {
			if t := m.tensors[found+role]; t != nil {
				m.tensors[layer+role] = t
				delete(m.tensors, found+role)
			}
		}
		m.renamed = append(m.renamed, [2]string{found, layer})
	}
}

// has tells whether the file has a tensor of that name where this network's are.
func (m *Match) has(name string) bool {
	return slices.ContainsFunc(m.selection.tensors, func(t *Tensor) bool { return t.Name == m.prefix+name })
}

// network makes the family's network of the tensors. Outputs whose tensors are missing are left out; it returns how many of these are
// auxiliary.
func (m *Match) network(size photo.Size) (net *engine.Network, dropped int, err error) {
	missing := map[string]bool{}
	values := func(name string) ([]int, []float32, error) {
		if t := m.tensors[name]; t != nil {
			v, err := t.Values()
			if name == positionTable && err == nil {
				return m.positions(t.Shape, v, size)
			}
			return t.Shape, v, err
		}
		missing[name] = true
		i := slices.IndexFunc(m.family.params, func(p onnx.Placeholder) bool { return p.Name == name })
		shape := m.family.params[i].Shape
		return shape, make([]float32, product(shape)), nil
	}
	net, _, err = onnx.ReadGraph(m.family.graph, values, onnx.ReadOptions{Size: size})
	if err != nil {
		return nil, 0, err
	}
	features := slices.ContainsFunc(net.Outputs, func(out engine.Output) bool { return out.Name == pooledOutput || out.Name == tokensOutput })
	if len(missing) == 0 && !features {
		return net, 0, nil
	}
	var complete []engine.Output
	for _, out := range net.Outputs {
		branch, err := net.Subgraph(out)
		if err != nil {
			return nil, 0, err
		}
		if !slices.ContainsFunc(branch.Params, func(p *engine.Param) bool { return missing[p.Name] }) {
			complete = append(complete, out)
		}
	}
	switch {
	case features:
		complete = alternatives(complete)
	case len(complete) == 0 || complete[0] != net.Outputs[0]:
		complete = nil
	default:
		dropped = len(net.Outputs) - len(complete)
	}
	if len(complete) == 0 {
		return nil, 0, fmt.Errorf("%d parameters are missing", len(missing))
	}
	net, err = net.Subgraph(complete...)
	return net, dropped, err
}
