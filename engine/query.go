package engine

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"regraft/engine/op"
)

// learnedQuery is one query that is the same for all images, which reads the tokens of each: the pool of SigLIP (Zhai et al., 2023).
type learnedQuery struct {
	source *gorgonia.Node // (1, heads, 1, size)
	op     op.HeadChannels
	shape  tensor.Shape // (N, 1, heads*size)
	like   *gorgonia.Node
}

// learnedQuery reads queries (1, heads, 1, size), or without the first axis, that do not depend on the image, or a copy of them for every
// image, times a number; nil where they are none.
func (j *joiner) learnedQuery(node *gorgonia.Node, count int) (*learnedQuery, float64) {
	node, factor := j.factors(node)
	if _, copied := node.Op().(*op.BatchTile); copied {
		node = op.Inputs(node)[0]
	}
	s := node.Shape()
	if j.computed[node] || node == j.net.Input || len(s) < 3 || s.TotalSize() != count*s[len(s)-1] || s[len(s)-3] != count {
		return nil, 1
	}
	size := s[len(s)-1]
	return &learnedQuery{
		source: node, op: op.HeadChannels{Step: size, Size: size}, shape: tensor.Shape{j.net.Batch(), 1, count * size}, like: j.net.Input,
	}, factor
}

func (q *learnedQuery) from() *gorgonia.Node { return q.source }

func (q *learnedQuery) tokens() tensor.Shape { return q.shape }

func (q *learnedQuery) heads() op.HeadChannels { return q.op }

// apply makes a token for every image of the query x.
func (q *learnedQuery) apply(b *Builder, name string, x *gorgonia.Node, moved map[*gorgonia.Node]*gorgonia.Node) (*gorgonia.Node, error) {
	token, err := b.Apply(name+" token", &op.Reshape{Shape: []int{1, 1, -1}}, x)
	if err != nil {
		return nil, err
	}
	return b.Apply(fmt.Sprint(name, " tokens"), &op.BatchTile{}, token, moved[q.like])
}
