package onnx

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"regraft/engine"
)

// Files for classical callers end in decisions that are made of the scores: the index or the name of the best class (ArgMax,
// LabelEncoder), the best few (TopK), a map from names to probabilities (ZipMap). The network ends in the scores.

// decisions cuts such outputs back.
type decisions struct {
	producer map[*value]*node
	// labels are the names of the classes that the nodes hold, from says which node.
	labels []string
	from   *node
}

// cutBack replaces the outputs that are decisions by the scores that they are made of, and takes the names of the classes from
// the nodes on the way.
func (g *graph) cutBack(info *Info, meta *engine.Meta) {
	d := &decisions{producer: map[*value]*node{}}
	for _, n := range g.nodes {
		for _, v := range n.out {
			d.producer[v] = n
		}
	}
	var own, behind []*value
	for i, out := range g.outputs {
		scores, made := d.scores(out)
		if scores == nil {
			own = append(own, out)
			continue
		}
		behind = append(behind, scores)
		info.Outputs[i].Scores = scores.name
		info.Warnings = append(info.Warnings, fmt.Sprintf("output %s is made of scores (%s): the network ends in the scores, %s",
			quoted(out.name), strings.Join(made, " of "), quoted(scores.name)))
	}
	if len(behind) == 0 {
		return
	}
	g.outputs = own
	for _, scores := range behind {
		if !slices.Contains(g.outputs, scores) {
			g.outputs = append(g.outputs, scores)
		}
	}
	needed := g.needed()
	g.nodes = slices.DeleteFunc(g.nodes, func(n *node) bool {
		return !slices.ContainsFunc(n.out, func(v *value) bool { return v != nil && needed[v] })
	})
	if meta.Labels == nil && d.labels != nil {
		meta.Labels = d.labels
		info.Warnings = append(info.Warnings, fmt.Sprintf("the names of the classes are those of node %s (%s)", quoted(d.from.label()), d.from.opType))
	}
}

// scores follows an output back to what it is decided from, and names the operators on the way; nil where it is no decision.
func (d *decisions) scores(v *value) (scores *value, made []string) {
	for {
		n := d.producer[v]
		if n == nil || len(n.in) == 0 || n.in[0] == nil {
			return scores, made
		}
		next := n.in[0]
		switch n.qualified() {
		case "ArgMax", "TopK", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "SequenceConstruct":
			scores = next
		case "ai.onnx.ml.ZipMap":
			d.name(n, zipMapLabels(n))
			scores = next
		case "ai.onnx.ml.LabelEncoder":
			d.name(n, encoderLabels(n))
		case "ai.onnx.ml.ArrayFeatureExtractor", "Gather": // the names, and the index of one
			if len(n.in) < 2 || n.in[1] == nil {
				return scores, made
			}
			d.name(n, d.text(next))
			next = n.in[1]
		case "ReduceMax": // how sure the best is, of probabilities
			if p := d.producer[next]; p == nil || p.qualified() != "Softmax" && p.qualified() != "Sigmoid" {
				return scores, made
			}
			scores = next
		case "Cast", "Identity", "Squeeze", "Unsqueeze", "Reshape", "Flatten":
			if scores == nil {
				v = next
				continue
			}
			return scores, made
		default:
			return scores, made
		}
		made = append(made, n.opType)
		v = next
	}
}

// name takes over names that a node holds.
func (d *decisions) name(n *node, labels []string) {
	if d.labels == nil && len(labels) > 0 {
		d.labels, d.from = labels, n
	}
}

// text is a list of strings that the file stores; nil for everything else.
func (d *decisions) text(v *value) []string {
	if n := d.producer[v]; n != nil && n.qualified() == "Constant" {
		for _, a := range n.attributes {
			switch {
			case a.name == "value_strings":
				return a.strings
			case a.name == "value" && a.t != nil:
				return a.t.strings
			}
		}
	}
	return v.text
}

// zipMapLabels are the keys of the map.
func zipMapLabels(n *node) []string {
	for _, a := range n.attributes {
		switch a.name {
		case "classlabels_strings":
			return a.strings
		case "classlabels_int64s":
			return digits(a.ints)
		}
	}
	return nil
}

func digits(numbers []int64) []string {
	labels := make([]string, len(numbers))
	for i, n := range numbers {
		labels[i] = strconv.FormatInt(n, 10)
	}
	return labels
}

// encoderLabels are the names that LabelEncoder gives to the numbers from 0 on; nil where it maps anything else.
func encoderLabels(n *node) []string {
	var keys []int64
	var names []string
	for _, a := range n.attributes {
		switch a.name {
		case "classes_strings": // version 1: the names in order
			return a.strings
		case "keys_int64s":
			keys = a.ints
		case "keys_tensor":
			if a.t == nil {
				return nil
			}
			k, err := a.t.constant()
			if err != nil {
				return nil
			}
			keys = k.ints
		case "values_strings":
			names = a.strings
		case "values_tensor":
			if a.t != nil {
				names = a.t.strings
			}
		}
	}
	labels := make([]string, len(names))
	named := make([]bool, len(names))
	for i, k := range keys {
		if i >= len(names) || k < 0 || k >= int64(len(names)) || named[k] {
			return nil
		}
		labels[k], named[k] = names[i], true
	}
	if len(keys) != len(names) {
		return nil
	}
	return labels
}
