// Package journal keeps output that takes long to make, so that a run that was killed goes on where it was. The output stands under
// a name of its own until it is complete, with a journal of how far it is; then it gets its name, and a mark beside it says what it
// was made of.
package journal

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Origin is what decides the bytes of an output. A run goes on only where all of it is the same.
type Origin struct {
	Program string `json:"program"`
	// Model is a hash of the model's file, and Network one of what it computes, with weights that are in files beside it.
	Model    string            `json:"model_sha256"`
	Network  string            `json:"network_sha256"`
	Settings map[string]string `json:"settings"`
	// Inputs is the number of inputs, of all shards together, and List a hash of their names in order, or, of OpenEnded inputs, of where
	// they come from.
	Inputs int    `json:"inputs"`
	List   string `json:"inputs_sha256"`
	Shard  string `json:"shard,omitempty"`
}

// OpenEnded is the number of inputs that come as they come: such an output goes on when it is complete, too.
const OpenEnded = -1

// Differs says in what o is not what it was; "" where it is the same.
func (o Origin) Differs(was Origin) string {
	var list []string
	if o.Model != was.Model || o.Network != was.Network {
		list = append(list, "another model")
	}
	for _, name := range slices.Sorted(maps.Keys(merged(o.Settings, was.Settings))) {
		if now, then := settingOf(o, name), settingOf(was, name); now != then {
			list = append(list, fmt.Sprintf("%s %s instead of %s", name, now, then))
		}
	}
	if o.Shard != was.Shard {
		list = append(list, fmt.Sprintf("shard %s instead of %s", orNone(o.Shard), orNone(was.Shard)))
	}
	switch {
	case o.Inputs != was.Inputs:
		list = append(list, fmt.Sprintf("%d inputs instead of %d", o.Inputs, was.Inputs))
	case o.List != was.List && o.Inputs == OpenEnded:
		list = append(list, "another folder, or another spelling of its path")
	case o.List != was.List:
		list = append(list, "other inputs, or in another order")
	}
	if o.Program != was.Program {
		list = append(list, fmt.Sprintf("version %s instead of %s", o.Program, was.Program))
	}
	return strings.Join(list, ", ")
}

func merged(a, b map[string]string) map[string]string {
	all := maps.Clone(a)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, b)
	return all
}

func settingOf(o Origin, name string) string {
	value, set := o.Settings[name]
	if !set {
		return "unset"
	}
	return value
}

func orNone(text string) string {
	if text == "" {
		return "none"
	}
	return text
}

// RefusedError says why an output can be neither started nor continued.
type RefusedError string

func (e RefusedError) Error() string { return string(e) }

func refused(format string, args ...any) error { return RefusedError(fmt.Sprintf(format, args...)) }
