package plan

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"

	"regraft/engine/kernel"
)

// part is a part of a choice: whether it says anything, and what silences it.
type part struct {
	name    string
	says    func(*choice) bool
	silence func(*choice)
}

// of is a field as a part.
func of[T any](name string, field func(*choice) *T) part {
	return part{
		name,
		func(c *choice) bool { return !reflect.ValueOf(field(c)).Elem().IsZero() },
		func(c *choice) { *field(c) = *new(T) },
	}
}

// overwriting is one operand of those that may be overwritten.
func overwriting(operand int) part {
	return part{
		fmt.Sprint("overwrites ", operand),
		func(c *choice) bool { return slices.Contains(c.overwrites, operand) },
		func(c *choice) {
			c.overwrites = slices.DeleteFunc(slices.Clone(c.overwrites), func(k int) bool { return k == operand })
		},
	}
}

var parts = []part{
	of("clamps", func(c *choice) *int { return &c.clamps }),
	of("activates", func(c *choice) *bool { return &c.activates }),
	of("accumulates", func(c *choice) *bool { return &c.accumulates }),
	of("conv", func(c *choice) **convolution { return &c.conv }),
	of("packing", func(c *choice) **packing { return &c.packing }),
	of("halo", func(c *choice) *[]int { return &c.halo }),
	of("pixels", func(c *choice) *func(kernel.Layout) bool { return &c.pixels }),
	of("result", func(c *choice) **packing { return &c.result }),
	of("gradient", func(c *choice) *bool { return &c.gradient }),
	of("clamp", func(c *choice) *int { return &c.clamp }),
	of("activation", func(c *choice) **kernel.Activation { return &c.activation }),
	of("moves", func(c *choice) *bool { return &c.moves }),
	of("picks", func(c *choice) *picker { return &c.picks }),
	of("remadeFrom", func(c *choice) *int { return &c.remadeFrom }),
	overwriting(0), overwriting(1), overwriting(2), overwriting(3),
}

// TestEveryChoiceShows: whoever takes a part out of what a row chooses changes the listing of one of the networks, or gets none.
func TestEveryChoiceShows(t *testing.T) {
	if fields := reflect.TypeFor[choice]().NumField() + reflect.TypeFor[epilogue]().NumField() + 2; fields != len(parts) {
		t.Errorf("choices have %d parts, of which %d are tested", fields, len(parts))
	}
	type use struct {
		row  reflect.Type
		part int
	}
	type program struct {
		list func() (string, error)
		text string
		uses map[use]bool
	}
	var programs []*program
	for _, name := range slices.Sorted(maps.Keys(networks)) {
		programs = append(programs, &program{list: func() (string, error) { return inferenceListing(t, name, inferencePasses) }})
		for _, images := range trainedBatches {
			programs = append(programs, &program{list: func() (string, error) { return trainingListing(t, name, images, trainingPasses) }})
		}
	}
	rows := maps.Clone(lowerings)
	t.Cleanup(func() { maps.Copy(lowerings, rows) })
	intercept := func(row reflect.Type, change func(*choice)) {
		changed, choose := rows[row], rows[row].choose
		changed.choose = func(g *graph, i *instr) choice {
			c := choose(g, i)
			change(&c)
			return c
		}
		lowerings[row] = changed
	}

	var current *program
	met, uses := map[reflect.Type]bool{}, map[use]bool{}
	for row := range rows {
		intercept(row, func(c *choice) {
			met[row] = true
			for k, p := range parts {
				if p.says(c) {
					current.uses[use{row, k}], uses[use{row, k}] = true, true
				}
			}
		})
	}
	for _, current = range programs {
		current.uses = map[use]bool{}
		text, err := current.list()
		if err != nil {
			t.Fatal(err)
		}
		current.text = text
	}
	maps.Copy(lowerings, rows)

	for row := range rows {
		if !met[row] {
			t.Errorf("%v: no network has it", row)
		}
	}
	for u := range uses {
		intercept(u.row, parts[u.part].silence)
		if !slices.ContainsFunc(programs, func(p *program) bool { return p.uses[u] && differs(p.list, p.text) }) {
			t.Errorf("%v: no listing shows its %s", u.row, parts[u.part].name)
		}
		lowerings[u.row] = rows[u.row]
	}
}

// differs tells whether a listing is another than text, or cannot be made.
func differs(list func() (string, error), text string) (other bool) {
	defer func() {
		if recover() != nil {
			other = true
		}
	}()
	got, err := list()
	return err != nil || got != text
}
