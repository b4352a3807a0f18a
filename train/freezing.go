package train

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"regraft/engine"
	"regraft/head"
)

// freezing says which parameters stay as they are, and for how long.
type freezing struct {
	blocks []head.Block
	// frozen are the parameters that begin so, by name; among are the blocks that have some, in order.
	frozen map[string]bool
	among  []int
	after  int // epochs, after each of which one more block trains; 0 for never
}

// newFreezing reads Config.Freeze: the number of first blocks, or names of parameters or of what holds them.
func newFreezing(net *engine.Network, c *Config) (*freezing, error) {
	f := &freezing{blocks: head.Blocks(net), frozen: map[string]bool{}, after: c.UnfreezeAfter}
	if len(c.Freeze) == 0 {
		return f, nil
	}
	if len(f.blocks) < 2 {
		return nil, usagef("the network has no blocks before its classifier that could be frozen")
	}
	trunk := f.blocks[:len(f.blocks)-1]
	for _, what := range c.Freeze {
		n, err := strconv.Atoi(what)
		switch {
		case err == nil && (n < 1 || n > len(trunk)):
			return nil, usagef("%s of the network's %d blocks cannot be frozen; they are %s, and the last one is its classifier", what, len(f.blocks), f.listed())
		case err == nil:
			for _, b := range trunk[:n] {
				f.add(b, "")
			}
		default:
			before := len(f.frozen)
			for _, b := range trunk {
				f.add(b, what)
			}
			if len(f.frozen) == before {
				return nil, usagef("nothing to freeze is called %q; the network's blocks are %s, and the last one is its classifier", what, f.listed())
			}
		}
	}
	for i, b := range trunk {
		if slices.ContainsFunc(b.Params, func(p *engine.Param) bool { return f.frozen[p.Name] }) {
			f.among = append(f.among, i)
		}
	}
	return f, nil
}

// add freezes the parameters of a block of that name, or below it; "" is all.
func (f *freezing) add(b head.Block, name string) {
	for _, p := range b.Params {
		rest, below := strings.CutPrefix(p.Name, name)
		if name == "" || below && (rest == "" || strings.ContainsAny(rest[:1], "./:")) {
			f.frozen[p.Name] = true
		}
	}
}

// listed are the blocks with their numbers.
func (f *freezing) listed() string {
	var names []string
	for i, b := range f.blocks {
		names = append(names, fmt.Sprintf("%d %s", i+1, b.Name))
	}
	return strings.Join(names, ", ")
}

// stage is how many blocks have been thawed in an epoch, counted from 1.
func (f *freezing) stage(epoch int) int {
	if f.after == 0 {
		return 0
	}
	return min((epoch-1)/f.after, len(f.among))
}

// apply marks the parameters of a network that are frozen in a stage, in which the last so many blocks have thawed.
func (f *freezing) apply(net *engine.Network, stage int) {
	thawed := map[string]bool{}
	for _, i := range f.among[len(f.among)-stage:] {
		for _, p := range f.blocks[i].Params {
			thawed[p.Name] = true
		}
	}
	for _, p := range net.Params {
		p.Frozen = f.frozen[p.Name] && !thawed[p.Name]
	}
}

// since is the number of epochs after which a block has thawed, 0 for those that never were frozen.
func (f *freezing) since(block int) int {
	if at := slices.Index(f.among, block); at >= 0 {
		return (len(f.among) - at) * f.after
	}
	return 0
}

// String says what is frozen at first; "" for nothing.
func (f *freezing) String() string {
	if len(f.frozen) == 0 {
		return ""
	}
	text := fmt.Sprintf("%d of %d blocks, up to %s", len(f.among), len(f.blocks), f.blocks[f.among[len(f.among)-1]].Name)
	if f.after > 0 {
		text += fmt.Sprintf("; from there one more trains after every %d epochs", f.after)
	}
	return text
}
