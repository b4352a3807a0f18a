package train

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// setting is a field of Config that not every run reads.
type setting struct {
	name string // in args.json
	// where says in which runs it is read, as flags.
	where string
	read  func(*Config) bool
}

// settings are those; every other field is read in every run.
var settings = []setting{
	{"batch_size", "any --opt but lbfgs", stepwise},
	{"lr", "any --opt but lbfgs", stepwise},
	{"momentum", "--opt sgd, rmsprop or rmsproptf", by("sgd", "rmsprop", "rmsproptf")},
	{"nesterov", "--opt sgd", by("sgd")},
	{"clip_norm", "any --opt but lbfgs", stepwise},
	{"sched", "any --opt but lbfgs", stepwise},
	{"warmup_epochs", "any --opt but lbfgs", stepwise},
	{"aux_weight", "--mode full", in(Full)},
	{"dropout", "--mode full", in(Full)},
}

func stepwise(c *Config) bool { return c.Optimizer != LBFGS }
func by(optimizers ...string) func(*Config) bool {
	return func(c *Config) bool { return slices.Contains(optimizers, c.Optimizer) }
}
func in(mode string) func(*Config) bool { return func(c *Config) bool { return c.Mode == mode } }

// Where says which runs read a field of Config that is named as in args.json: "" for all, else such as "--mode full".
func Where(name string) string {
	for _, s := range settings {
		if s.name == name {
			return s.where
		}
	}
	return ""
}

// reads reports whether the run takes notice of a field.
func (c *Config) reads(name string) bool {
	for _, s := range settings {
		if s.name == name && !s.read(c) {
			return false
		}
	}
	return !slices.Contains(c.idle, name)
}

// checkGiven refuses settings that were asked for and that a run with this mode and optimizer does not read.
func (c *Config) checkGiven() error {
	var wrong []string
	for _, s := range settings {
		if spelt, given := c.Given[s.name]; given && !s.read(c) {
			wrong = append(wrong, fmt.Sprintf("%s does nothing with --mode %s --opt %s: it belongs to %s", spelt, c.Mode, c.Optimizer, s.where))
		}
	}
	if len(wrong) > 0 {
		return &UsageError{strings.Join(wrong, "; ")}
	}
	return nil
}

// ignore marks a setting that this network or these photos have no use for, and refuses it where it was asked for.
func (c *Config) ignore(name, because string) error {
	if spelt, given := c.Given[name]; given {
		return &UsageError{fmt.Sprintf("%s does nothing: %s", spelt, because)}
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
