package weights

import (
	"bytes"
	"compress/gzip"
	"embed"
	"fmt"
	"io"
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

// fits compares a tensor's shape with the graph's.
func fits(p onnx.Placeholder, shape []int) bool {
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

	family  *family
	tensors map[string]*Tensor
}

func (m *Match) faults() int { return len(m.Missing) + len(m.Unexpected) + len(m.Misshapen) }

// fit is the share of all names, the family's and the tensors', that fit.
func (m *Match) fit() float64 {
	right := len(m.family.params) - len(m.Missing) - len(m.Misshapen)
	return float64(right) / float64(right+m.faults())
}

// FindFamily returns the match with the family that the tensors' names and shapes fit best. A name restricts the
// search to one family. Whether the match is good enough is for the caller to say.
func FindFamily(t *Tensors, name string) (*Match, error) {
	tensors, err := canonical(t)
	if err != nil {
		return nil, err
	}
	var best *Match
	for _, f := range families() {
		if name != "" && f.name != name {
			continue
		}
		if m := f.match(tensors); best == nil || m.fit() > best.fit() {
			best = m
		}
	}
	if best == nil {
		return nil, fmt.Errorf("architecture %q is not known: choose one of %s", name, strings.Join(Families(), ", "))
	}
	return best, nil
}

func (f *family) match(tensors map[string]*Tensor) *Match {
	m := &Match{Family: f.name, family: f, tensors: tensors}
	known := map[string]bool{}
	for _, p := range f.params {
		known[p.Name] = true
		t := tensors[p.Name]
		switch {
		case t == nil:
			m.Missing = append(m.Missing, p.Name)
		case !fits(p, t.Shape):
			m.Misshapen = append(m.Misshapen, fmt.Sprintf("%s %v (the graph has %v)", p.Name, t.Shape, p.Shape))
		}
	}
	for name := range tensors {
		if !known[name] {
			m.Unexpected = append(m.Unexpected, name)
		}
	}
	slices.Sort(m.Unexpected)
	return m
}

// network makes the family's network of the tensors. Auxiliary outputs whose tensors are missing are left out;
// it returns how many.
func (m *Match) network(size photo.Size) (net *engine.Network, dropped int, err error) {
	missing := map[string]bool{}
	values := func(name string) ([]int, []float32, error) {
		if t := m.tensors[name]; t != nil {
			v, err := t.Values()
			return t.Shape, v, err
		}
		missing[name] = true
		i := slices.IndexFunc(m.family.params, func(p onnx.Placeholder) bool { return p.Name == name })
		shape := m.family.params[i].Shape
		return shape, make([]float32, product(shape)), nil
	}
	net, _, err = onnx.ReadGraph(m.family.graph, values, onnx.ReadOptions{Size: size})
	if err != nil || len(missing) == 0 {
		return net, 0, err
	}
	var complete []engine.Output
	for i, out := range net.Outputs {
		branch, err := net.Until(out)
		if err != nil {
			return nil, 0, err
		}
		lacks := slices.ContainsFunc(branch.Params, func(p *engine.Param) bool { return missing[p.Name] })
		switch {
		case !lacks:
			complete = append(complete, out)
		case i == 0:
			return nil, 0, fmt.Errorf("%d parameters are missing", len(missing))
		}
	}
	dropped = len(net.Outputs) - len(complete)
	net, err = net.Until(complete...)
	return net, dropped, err
}
