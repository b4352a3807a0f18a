package weights

import (
	"fmt"
	"slices"
	"strings"
)

// shapeVit makes of a vision transformer's tensors, which have torchvision's names already, those that the graphs have: one weight for
// queries, keys and values, tables and tokens (1, T, C), one classifier of DeiT's two. What does not have the shape for it stays, and is
// told as unexpected.
func shapeVit(tensors map[string]*Tensor) error {
	for _, name := range []string{classToken, distillationToken, registerTokens, positionTable, "pool.query_token"} {
		if t := tensors[name]; t != nil && len(t.Shape) > 0 && len(t.Shape) < 3 {
			tensors[name] = reshaped(t, append(slices.Repeat([]int{1}, 3-len(t.Shape)), t.Shape...)...)
		}
	}
	for name := range tensors {
		if block, isQuery := strings.CutSuffix(name, ".query.weight"); isQuery {
			joinProjections(tensors, block, block+"."+attentionPart+"in_proj_weight")
		}
	}
	for name := range tensors { // BEiT, whose keys have no bias
		if block, isQuery := strings.CutSuffix(name, ".query.bias"); isQuery {
			joinBiases(tensors, block, block+"."+attentionPart+"in_proj_bias")
		}
	}
	placeClassToken(tensors)
	joinDistilled(tensors)
	return splitPool(tensors)
}

// joinProjections makes one weight, to, of those of a block's queries, keys and values.
func joinProjections(tensors map[string]*Tensor, block, to string) {
	q, k, v := tensors[block+".query.weight"], tensors[block+".key.weight"], tensors[block+".value.weight"]
	if k == nil || v == nil || len(q.Shape) != 2 || !slices.Equal(q.Shape, k.Shape) || !slices.Equal(q.Shape, v.Shape) {
		return
	}
	tensors[to] = stacked(q, k, v)
	for _, part := range []string{".query", ".key", ".value"} {
		delete(tensors, block+part+".weight")
	}
}

// joinBiases does the same for their biases; that of the keys is 0 where there is none.
func joinBiases(tensors map[string]*Tensor, block, to string) {
	q, k, v := tensors[block+".query.bias"], tensors[block+".key.bias"], tensors[block+".value.bias"]
	if k == nil && v != nil {
		k = derived(v.Name, v.Shape, func() ([]float32, error) { return make([]float32, v.Size()), nil })
	}
	if k == nil || v == nil || len(q.Shape) != 1 || !slices.Equal(q.Shape, k.Shape) || !slices.Equal(q.Shape, v.Shape) {
		return
	}
	tensors[to] = stacked(q, k, v)
	for _, part := range []string{".query", ".key", ".value"} {
		delete(tensors, block+part+".bias")
	}
}

// placeClassToken adds the class token's position, the first of the table, to the token itself where there are register tokens, which
// have none: timm stores it so, the paper's own code and transformers do not.
func placeClassToken(tensors map[string]*Tensor) {
	token, table := tensors[classToken], tensors[positionTable]
	if token == nil || table == nil || tensors[registerTokens] == nil || len(table.Shape) != 3 || table.Shape[1] < 2 || prefixTokens(table.Shape[1]) != 1 ||
		!slices.Equal(token.Shape, []int{1, 1, table.Shape[2]}) {
		return
	}
	width := table.Shape[2]
	tensors[classToken] = derived(token.Name, token.Shape, func() ([]float32, error) {
		values, err := allValues(token, table)
		if err != nil {
			return nil, err
		}
		sum := slices.Clone(values[0])
		for i := range sum {
			sum[i] += values[1][i]
		}
		return sum, nil
	})
	tensors[positionTable] = derived(table.Name, []int{1, table.Shape[1] - 1, width}, func() ([]float32, error) {
		values, err := table.Values()
		if err != nil {
			return nil, err
		}
		return values[width:], nil
	})
}

// joinDistilled makes one classifier of those that read DeiT's class token and its distillation token and whose scores are averaged: one
// that reads both.
func joinDistilled(tensors map[string]*Tensor) {
	const first, second = "heads.head", "heads.dist"
	w, w2, b, b2 := tensors[first+".weight"], tensors[second+".weight"], tensors[first+".bias"], tensors[second+".bias"]
	if w == nil || w2 == nil || b == nil || b2 == nil || len(w.Shape) != 2 || len(b.Shape) != 1 || b.Shape[0] != w.Shape[0] ||
		!slices.Equal(w.Shape, w2.Shape) || !slices.Equal(b.Shape, b2.Shape) {
		return
	}
	classes, width := w.Shape[0], w.Shape[1]
	tensors[first+".weight"] = derived(w.Name, []int{classes, 2 * width}, func() ([]float32, error) {
		values, err := allValues(w, w2)
		if err != nil {
			return nil, err
		}
		joined := make([]float32, 0, 2*classes*width)
		for c := range classes {
			for _, v := range values {
				for _, x := range v[c*width:][:width] {
					joined = append(joined, x/2)
				}
			}
		}
		return joined, nil
	})
	tensors[first+".bias"] = derived(b.Name, b.Shape, func() ([]float32, error) {
		values, err := allValues(b, b2)
		if err != nil {
			return nil, err
		}
		mean := make([]float32, classes)
		for c := range mean {
			mean[c] = (values[0][c] + values[1][c]) / 2
		}
		return mean, nil
	})
	delete(tensors, second+".weight")
	delete(tensors, second+".bias")
}

// splitPool cuts the weight of SigLIP's pool into that of the query and that of keys and values, which read other things.
func splitPool(tensors map[string]*Tensor) error {
	for _, role := range []string{".weight", ".bias"} {
		t := tensors["pool.in_proj"+role]
		if t == nil || len(t.Shape) == 0 || t.Shape[0]%3 != 0 {
			continue
		}
		third := t.Shape[0] / 3
		for part, rows := range map[string][2]int{"pool.q": {0, third}, "pool.kv": {third, 3 * third}} {
			if err := addAs(part+role, rowsOf(t, rows[0], rows[1]), tensors); err != nil {
				return err
			}
		}
		delete(tensors, "pool.in_proj"+role)
	}
	return nil
}

// derived is a tensor that is computed from others when its values are asked for; name is one of theirs.
func derived(name string, shape []int, values func() ([]float32, error)) *Tensor {
	return &Tensor{Name: name, Shape: shape, dtype: float32Type, derive: values}
}

// reshaped is a tensor with the same elements.
func reshaped(t *Tensor, shape ...int) *Tensor { return derived(t.Name, shape, t.Values) }

// stacked puts tensors of one shape on top of each other.
func stacked(tensors ...*Tensor) *Tensor {
	shape := slices.Clone(tensors[0].Shape)
	shape[0] *= len(tensors)
	return derived(tensors[0].Name, shape, func() ([]float32, error) {
		values, err := allValues(tensors...)
		return slices.Concat(values...), err
	})
}

// rowsOf is the rows of a tensor from one to before another.
func rowsOf(t *Tensor, from, to int) *Tensor {
	shape := slices.Clone(t.Shape)
	shape[0] = to - from
	row := product(shape[1:])
	return derived(t.Name, shape, func() ([]float32, error) {
		values, err := t.Values()
		if err != nil {
			return nil, err
		}
		return values[from*row : to*row], nil
	})
}

func allValues(tensors ...*Tensor) ([][]float32, error) {
	var list [][]float32
	for _, t := range tensors {
		values, err := t.Values()
		if err != nil {
			return nil, fmt.Errorf("tensor %q: %w", t.Name, err)
		}
		list = append(list, values)
	}
	return list, nil
}
