package train

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"regraft/engine/solver"
	"regraft/setting"
)

// conditional is a field of Config that not every run reads.
type conditional struct {
	name string // in args.json
	read runs
}

// runs are those with one of these optimizers, where there are any, and in this mode, where there is one.
type runs struct {
	optimizers []Optimizer
	mode       Mode
}

var (
	stepping = runs{optimizers: solver.Names()}
	full     = runs{mode: Full}
)

var conditionals = []conditional{
	{"batch_size", stepping},
	{"lr", stepping},
	{"momentum", runs{optimizers: []Optimizer{SGD, RMSprop, RMSpropTF}}},
	{"nesterov", runs{optimizers: []Optimizer{SGD}}},
	{"micro_batch", full},
	{"ema", full},
	{"layer_decay", full},
	{"drop_path", full},
	{"freeze", full},
	{"unfreeze_after", full},
	{"clip_norm", stepping},
	{"sched", stepping},
	{"warmup_epochs", stepping},
	{"aux_weight", full},
	{"dropout", full},
	{"views", runs{mode: Heads}},
	{"folds", runs{optimizers: []Optimizer{LBFGS}}},
}

// include reports whether c is one of them.
func (r runs) include(c *Config) bool {
	return (r.optimizers == nil || slices.Contains(r.optimizers, c.Optimizer)) && (r.mode == "" || r.mode == c.Mode)
}

// String names them by what makes them, such as "Mode full".
func (r runs) String() string {
	switch {
	case r.mode != "":
		return fmt.Sprintf("%v %s", setting.Mode, r.mode)
	case len(r.optimizers) == len(solver.Names()):
		return fmt.Sprintf("any %v but %s", setting.Optimizer, LBFGS)
	}
	text := setting.List(r.optimizers)
	if comma := strings.LastIndex(text, ", "); comma >= 0 {
		text = text[:comma] + " or" + text[comma+1:]
	}
	return fmt.Sprintf("%v %s", setting.Optimizer, text)
}

// stepwise reports whether the optimizer makes steps on batches.
func stepwise(c *Config) bool { return c.Optimizer != LBFGS }

// Where says which runs read a field of Config that is named as in args.json: "" for all, else such as "Mode full".
func Where(name string) string {
	for _, s := range conditionals {
		if s.name == name {
			return s.read.String()
		}
	}
	return ""
}

// reads reports whether the run takes notice of a field.
func (c *Config) reads(name string) bool {
	for _, s := range conditionals {
		if s.name == name && !s.read.include(c) {
			return false
		}
	}
	return !slices.Contains(c.idle, name)
}

// checkGiven refuses settings that were asked for and that a run with this mode and optimizer does not read.
func (c *Config) checkGiven() error {
	var wrong []string
	for _, s := range conditionals {
		if spelt, given := c.Given[s.name]; given && !s.read.include(c) {
			wrong = append(wrong, fmt.Sprintf("%s does nothing with %v %s %v %s: it belongs to %v",
				spelt, setting.Mode, c.Mode, setting.Optimizer, c.Optimizer, s.read))
		}
	}
	if len(wrong) > 0 {
		return usagef("%s", strings.Join(wrong, "; "))
	}
	return nil
}

// ignore marks a setting that this network or these photos have no use for, and refuses it where it was asked for.
func (c *Config) ignore(name, because string) error {
	if spelt, given := c.Given[name]; given {
		return usagef("%s does nothing: %s", spelt, because)
	}
	c.idle = append(c.idle, name)
	return nil
}

// MarshalJSON writes the fields that the run reads, in their order.
func (c Config) MarshalJSON() ([]byte, error) {
	type plain Config // without this method
	all, err := json.Marshal(plain(c))
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(all))
	d.Token() // {
	var fields []string
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, err
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, err
		}
		if c.reads(name.(string)) {
			fields = append(fields, fmt.Sprintf("%q:%s", name, value))
		}
	}
	return []byte("{" + strings.Join(fields, ",") + "}"), nil
}
