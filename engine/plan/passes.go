package plan

// pass is one rewriting of the graph, by the name under which `inspect --plan=after:NAME` shows the graph behind it.
type pass struct {
	name string
	run  func(*graph) error
}

// inferencePasses prepare a network.
var inferencePasses = []pass{
	{"settleTypes", plainly((*graph).settleTypes)},
	{"settleForms", plainly((*graph).settleForms)},
	{"packInputs", plainly((*graph).packInputs)},
	{"choose", plainly((*graph).choose)},
	{"aliasReshapes", plainly((*graph).aliasReshapes)},
	{"foldBatchNorm", plainly((*graph).foldBatchNorm)},
	{"fuseClamps", plainly((*graph).fuseClamps)},
	{"shareConcats", plainly((*graph).shareConcats)},
	{"shareSlices", plainly((*graph).shareSlices)},
	{"pickChannels", plainly((*graph).pickChannels)},
	{"joinMoves", plainly((*graph).joinMoves)},
	{"accumulate", plainly((*graph).accumulate)},
	{"fuseActivations", plainly((*graph).fuseActivations)},
	{"overwrite", plainly((*graph).overwrite)},
	{"layOut", plainly((*graph).layOut)},
}

// trainingPasses prepare an objective.
var trainingPasses = []pass{
	{"settleTypes", plainly((*graph).settleTypes)},
	{"settleForms", plainly((*graph).settleForms)},
	{"packInputs", plainly((*graph).packInputs)},
	{"groupLosses", (*graph).groupLosses},
	{"groupBatchNorm", (*graph).groupBatchNorm},
	{"groupAttention", plainly((*graph).groupAttention)},
	{"choose", plainly((*graph).choose)},
	{"gradientsFirst", plainly((*graph).gradientsFirst)},
	{"aliasReshapes", plainly((*graph).aliasReshapes)},
	{"fuseClamps", plainly((*graph).fuseClamps)},
	{"maskNormGrads", plainly((*graph).maskNormGrads)},
	{"shareConcats", plainly((*graph).shareConcats)},
	{"shareSlices", plainly((*graph).shareSlices)},
	{"pickChannels", plainly((*graph).pickChannels)},
	{"joinMoves", plainly((*graph).joinMoves)},
	{"recompute", plainly((*graph).recompute)},
	{"placeParams", plainly((*graph).placeParams)},
	{"fuseDots", plainly((*graph).fuseDots)},
	{"accumulate", plainly((*graph).accumulate)},
	{"overwrite", plainly((*graph).overwrite)},
	{"layOut", plainly((*graph).layOut)},
}

// plainly makes a pass of what succeeds on every graph.
func plainly(f func(*graph)) func(*graph) error {
	return func(g *graph) error {
		f(g)
		return nil
	}
}

// rewrite runs passes one after the other.
func (g *graph) rewrite(passes []pass) error {
	for _, p := range passes {
		if err := p.run(g); err != nil {
			return err
		}
	}
	return nil
}
