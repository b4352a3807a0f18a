// Package session compiles networks and runs them: a Compiled is what all runs have in common, a Session is what one of them needs.
// Who computes with a network uses this package, and those below it only for tests.
package session

import (
	"errors"
	"runtime"
	"runtime/debug"
	"slices"

	"regraft/engine"
	"regraft/engine/kernel"
	"regraft/engine/plan"
	"regraft/engine/run"
)

// Options are what a program is compiled for; Native makes them.
type Options = plan.Options

// Session is memory and workers for one run at a time. Close gives both back.
type Session = run.Machine

// Native are the options of this machine, with the instruction set that it has or that REGRAFT_ISA asks for; direct switches Winograd's
// algorithm off.
func Native(direct bool) (Options, error) {
	isa, err := kernel.Detect()
	return Options{ISA: isa, Direct: direct}, err
}

// Threads is n, or as many threads as Go may use where n is 0.
func Threads(n int) int {
	if n == 0 {
		return runtime.GOMAXPROCS(0)
	}
	return n
}

// Compiled is a program with the constants that its sessions share: packed by the first, read by all, and given back with the last. It is
// safe for concurrent use.
type Compiled struct {
	*plan.Program
	net       *engine.Network
	options   Options
	constants *run.Constants
	dropped   bool // the values of net
}

// Compile prepares net for inference on up to net.Batch() images at a time. Its values must not change while there are sessions.
func Compile(net *engine.Network, o Options) (*Compiled, error) {
	p, err := plan.Inference(net, o)
	if err != nil {
		return nil, err
	}
	return &Compiled{Program: p, net: net, options: o, constants: new(run.Constants)}, nil
}

// largeParameters are so many bytes of parameters that it pays to give back at once what reading the network or letting go of its values
// has left: the collector would wait until there is as much garbage again.
const largeParameters = 64 << 20

// collect gives garbage back to the system where it may be much.
func (c *Compiled) collect() {
	if c.Size[plan.Param] > largeParameters {
		debug.FreeOSMemory()
	}
}

// Trainer prepares steps of training. Every session trains parameters of its own, which begin as those of the objective's network.
func Trainer(objective *engine.Objective, o Options) (*Compiled, error) {
	p, err := plan.Training(objective, o)
	if err != nil {
		return nil, err
	}
	c := &Compiled{Program: p, net: objective.Net, options: o, constants: new(run.Constants)}
	c.collect()
	return c, nil
}

// ForBatch compiles the network for another number of images. The constants are shared where both programs want the same.
func (c *Compiled) ForBatch(images int) (*Compiled, error) {
	net, err := c.net.WithBatch(images)
	if err != nil {
		return nil, err
	}
	other, err := Compile(net, c.options)
	if err == nil && sameConstants(c.Program, other.Program) {
		other.constants = c.constants
	}
	return other, err
}

// sameConstants reports whether two programs of one network, compiled with the same options, have the same constants. How one is packed
// depends on shapes of weights and images, never on their number; which there are, and where, is in the list.
func sameConstants(a, b *plan.Program) bool {
	return a.Size[plan.Const] == b.Size[plan.Const] && slices.EqualFunc(a.Constants, b.Constants, func(x, y plan.Constant) bool {
		return x.Label == y.Label && x.Off == y.Off && x.Len == y.Len
	})
}

// WithBlocks is the program with tiles of k output blocks in all direct convolutions that can have them, nil when none can. The constants
// are shared.
func (c *Compiled) WithBlocks(k int) *Compiled {
	program, any := *c.Program, false
	program.Steps = slices.Clone(c.Steps)
	for i, s := range c.Steps {
		conv, ok := s.Prim.(*kernel.Conv)
		if !ok {
			continue
		}
		if conv = conv.WithBlocks(k); conv != nil {
			program.Steps[i].Prim, any = conv, true
		}
	}
	if !any {
		return nil
	}
	other := *c
	other.Program = &program
	return &other
}

// New makes a session that computes on so many threads, 0 for all. Its error says that there is not enough memory, or which parameter
// has no values.
func (c *Compiled) New(threads int) (*Session, error) {
	return run.NewSharing(c.constants, c.Program, Threads(threads))
}

// Memory is what a session takes on so many threads, in bytes, the constants included.
func (c *Compiled) Memory(threads int) int64 {
	bytes := 4 * int64(c.Scratch) * int64(threads)
	for s := plan.Arena; s <= plan.Stats; s++ {
		bytes += int64(c.Size[s])
	}
	return bytes
}

// Activations is the part of Memory that grows with the batch.
func (c *Compiled) Activations() int64 { return int64(c.Size[plan.Arena]) }

// Parameters is the length in bytes of the trainable parameters of a session.
func (c *Compiled) Parameters() int64 { return int64(c.Size[plan.Param]) }

// Shares reports whether the sessions of two programs share their constants.
func (c *Compiled) Shares(other *Compiled) bool { return c.constants == other.constants }

// DropValues lets go of the values of the network and of what else the constants were packed from. It is for a program that has a session;
// while any is open, new ones of inference go on with the packed constants. There are no new ones of training.
func (c *Compiled) DropValues() {
	for i := range c.Constants {
		c.Constants[i].Fill = func([]float32) error { return errDropped }
	}
	c.net.DropValues()
	c.dropped = true
}

// DropTrained lets go of the values of net, from which the objective of c was made, that a session of c trains; its Store gives them back.
// What c holds of them goes too, and the others are copied, since one of them would hold the whole file that they were read from.
func (c *Compiled) DropTrained(net *engine.Network) {
	trained := map[string]bool{}
	for _, s := range slices.Concat(c.Params, c.Running) {
		trained[s.Param.Name] = true
	}
	for _, p := range net.Params {
		switch {
		case trained[p.Name]:
			p.Value = nil
		case !c.dropped:
			p.Value = slices.Clone(p.Value)
		}
	}
	c.DropValues()
	c.collect()
}

var errDropped = errors.New("the values of the network were let go of, and no session holds them packed")

// Passes names the passes that Compile sends a network through, in their order.
func Passes() []string { return plan.Passes() }

// After prints what Compile has made of net when it is through with the pass of that name.
func After(net *engine.Network, o Options, pass string) (string, error) {
	return plan.After(net, o, pass)
}
