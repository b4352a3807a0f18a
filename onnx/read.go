// Package onnx turns ONNX files into networks and networks into ONNX files.
//
// The way of a file: wire.go walks the bytes, external.go finds weights that lie beside the file,
// functions.go inlines local functions, onnx-go carries the topology (skeleton.go, backend.go), decisions.go cuts outputs back
// to the scores that they are made of, lower.go builds operators by the table in operators.go while fold.go and compute.go compute what is
// known and branch.go, sequence.go and noise.go settle what is no part of a network, batchaxis.go gives values back the batch that they
// lost, batch.go opens a batch that is fixed, normalise.go takes exporters' spellings to one form, names.go names the parameters, and
// build.go makes the network.
package onnx

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	slashpath "path"
	"path/filepath"

	"regraft/engine"
	"regraft/photo"
)

// ReadOptions choose the form of the network; the zero value takes the file's own.
type ReadOptions struct {
	// Batch is the number of images that the graph is built for; 0 is 1. The file's own number does not matter.
	Batch int
	// Size is the height and width of the input in pixels; zero is the file's own.
	Size photo.Size
	// KeepTies leaves a tensor that several layers use one parameter; otherwise each gets its own.
	KeepTies bool
}

// Read imports the ONNX file at path. The network holds its values in memory: the file may change or go afterwards. Info describes
// the file; it is not nil when the file could be parsed, even if the network is not supported (errors.Is ErrUnsupported, an
// *UnsupportedError with the list).
func Read(path string, o ReadOptions) (*engine.Network, *Info, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	root, err := os.OpenRoot(filepath.Dir(path))
	if err != nil {
		return nil, nil, err
	}
	defer root.Close()
	return readFile(path, f, root.FS(), o)
}

// ReadFS is Read for a file of fsys; external data lies in the same folder there.
func ReadFS(fsys fs.FS, name string, o ReadOptions) (*engine.Network, *Info, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	folder, err := fs.Sub(fsys, slashpath.Dir(name))
	if err != nil {
		return nil, nil, err
	}
	return readFile(name, f, folder, o)
}

// readFile imports an open file; name is what messages call it, folder holds its external data.
func readFile(name string, f fs.File, folder fs.FS, o ReadOptions) (*engine.Network, *Info, error) {
	data, err := contents(f, maxModel)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", name, err)
	}
	external := &externalData{folder: folder}
	net, info, err := read(data, external, o)
	if info != nil {
		info.File = name
		info.Warnings = append(info.Warnings, external.doubts()...)
	}
	if errors.Is(err, ErrInvalid) && filepath.Ext(name) == ".data" {
		err = fmt.Errorf("%w; if it holds the weights of an ONNX file, give that file", err)
	}
	if err != nil {
		return nil, info, fmt.Errorf("%s: %w", name, err)
	}
	own(net.Params, data)
	for _, file := range external.files {
		own(net.Params, file.data)
	}
	return net, info, nil
}

// ReadBytes is Read for a model in memory, without external data. Parameters may point into data, which must not change.
func ReadBytes(data []byte, o ReadOptions) (*engine.Network, *Info, error) {
	return read(data, &externalData{}, o)
}

func read(data []byte, external payloads, o ReadOptions) (*engine.Network, *Info, error) {
	if what := recognise(data); what != "" {
		return nil, nil, invalid(errors.New(what))
	}
	m, err := parseModel(data)
	if err == nil {
		err = checkModel(m)
	}
	if err != nil {
		return nil, nil, invalid(err)
	}
	nodes, err := inline(m)
	if err != nil {
		return nil, nil, invalid(err)
	}
	info := describe(m, nodes)
	if problem := checkForm(m); problem != nil {
		list := []Unsupported{*problem}
		return nil, info.refuse(list), &UnsupportedError{list}
	}
	meta, err := engine.ParseMeta(m.metadata)
	if err != nil {
		return nil, info, invalid(err)
	}
	constants, err := m.graph.constants(external)
	if err != nil {
		if unknown := unknownOperators(nodes); unknown != nil {
			return nil, info.refuse(unknown), &UnsupportedError{unknown}
		}
		return nil, info, invalid(err)
	}
	attempt := func(info *Info, o ReadOptions) (*engine.Network, error) {
		g, err := link(m.graph, nodes, constants, nil)
		if err != nil {
			return nil, invalid(err)
		}
		g.external = external
		return convert(g, info, meta, o)
	}
	net, err := attempt(info, o)
	if info.openSize {
		if size := ownSize(func(info *Info, o ReadOptions) { attempt(info, o) }, m, nodes, o); size != (photo.Size{}) {
			info, o.Size = describe(m, nodes), size
			net, err = attempt(info, o)
			info.Warnings = append(info.Warnings, fmt.Sprintf("the network itself resizes its input to %v pixels: photos come at that size", size))
		}
	}
	if net != nil {
		info.warnOfBranches()
	}
	var unsupported *UnsupportedError
	if errors.As(err, &unsupported) {
		info.refuse(unsupported.List)
	}
	return net, info, err
}

// ownSize is the size to which a graph that takes images of every size resizes them, zero where it does not: what it makes
// of two different sizes.
func ownSize(attempt func(*Info, ReadOptions), m *modelProto, nodes []*nodeProto, o ReadOptions) photo.Size {
	var found [2]photo.Size
	for i, size := range []photo.Size{{H: 224, W: 256}, {H: 160, W: 128}} {
		info := describe(m, nodes)
		o.Size = size
		attempt(info, o)
		found[i] = info.ownSize
	}
	if found[0] != found[1] {
		return photo.Size{}
	}
	return found[0]
}

// payloads finds the values of tensors that the model itself does not hold.
type payloads interface {
	// load gives t its payload if it is external.
	load(t *tensorProto) error
}

// constants reads the initializers, external ones included, but for strings.
func (g *graphProto) constants(external payloads) ([]*constant, error) {
	list := make([]*constant, 0, len(g.initializers))
	for _, t := range g.initializers {
		if t.dtype == typeString {
			continue
		}
		if err := external.load(t); err != nil {
			return nil, err
		}
		k, err := t.constant()
		if err != nil {
			return nil, err
		}
		k.stored, k.origin = true, k.name
		list = append(list, k)
	}
	return list, nil
}

// convert makes the network out of the linked graph.
func convert(g *graph, info *Info, meta engine.Meta, o ReadOptions) (*engine.Network, error) {
	g.cutBack(info, &meta)
	in, problem := chooseInput(g, info, meta, o)
	if problem != nil {
		// The shapes stay unknown, but what else is not supported is found all the same.
		return nil, &UnsupportedError{append([]Unsupported{*problem}, lower(g, nil).unsupported...)}
	}
	l := lower(g, in.value)
	info.ownSize = l.ownSize
	if len(l.unsupported) > 0 {
		return nil, &UnsupportedError{in.explain(l.unsupported)}
	}
	info.averaged, info.branches = l.averaged, l.branches
	if in.batch == 1 {
		if list := keepBatch(l.steps); list != nil {
			return nil, &UnsupportedError{list}
		}
	}
	info.Half = l.halves || in.info.half()
	n := newNormaliser(l, g)
	if list := n.free(); list != nil {
		return nil, &UnsupportedError{list}
	}
	n.normalise(in.channelsLast)
	if list := n.mixing(); list != nil {
		return nil, &UnsupportedError{list}
	}
	if p := meta.Preprocess; p != nil && o.Size != (photo.Size{}) {
		resized := p.Resized(in.size)
		meta.Preprocess = &resized
	}
	if in.value.pixels {
		meta.Preprocess = plainPixels(meta.Preprocess, in)
	}
	net, err := build(n, newNamer(l.nodes, n, info.Dialect), meta, o)
	if err != nil {
		return nil, err
	}
	info.learn(n, net)
	return net.JoinAveraged()
}
