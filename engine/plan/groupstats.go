package plan

// groupPasses are the passes over pixels that the steps of one GroupNorm share.
type groupPasses struct {
	stats *value            // of x
	sums  map[*value]*value // by dy
}

// groupKey tells GroupNorms of one value apart, as far as the statistics go that the backward pass wants.
type groupKey struct {
	x       *value
	groups  int
	epsilon float32
}
