package plan

import (
	"fmt"
	"strings"
	"text/tabwriter"
)

var formNames = [...]string{"blocked", "matrix", "vector", "plain"}

func (f form) String() string { return formNames[f] }

// String lists the instructions: result, operator with what is fused into it, operands, node. Values are numbered in the order
// in which they appear; parameters go by their names.
func (g *graph) String() string {
	p := &printer{numbers: map[*value]int{}}
	w := tabwriter.NewWriter(&p.text, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "result\toperator\toperands\tnode")
	for _, i := range g.instrs {
		var in []string
		for _, v := range i.in {
			in = append(in, p.operand(v))
		}
		title := i.title()
		if i.sumTo != nil {
			in = append(in, "onto "+p.operand(i.sumTo))
		}
		results := p.result(i.out)
		for _, v := range i.also {
			results += ", " + p.result(v)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", results, title, strings.Join(in, ", "), i.node)
	}
	w.Flush()
	return p.text.String()
}

// printer numbers the values of a graph.
type printer struct {
	text    strings.Builder
	numbers map[*value]int
}

func (p *printer) name(v *value) string {
	if p.numbers[v] == 0 {
		p.numbers[v] = len(p.numbers) + 1
	}
	return fmt.Sprintf("%%%d", p.numbers[v])
}

// operand is "%3", "%3 in %1 from channel 16", a parameter's name or a number.
func (p *printer) operand(v *value) string {
	switch {
	case v.number != nil:
		return fmt.Sprint(*v.number)
	case v.param != nil:
		return v.param.Name
	}
	text := p.name(v)
	if root, chan0 := v.base(); root != v {
		text += " in " + p.name(root)
		if chan0 > 0 {
			text += fmt.Sprintf(" from channel %d", chan0)
		}
	}
	return text
}

// result is the value that an instruction writes, with its shape, its form and its halo.
func (p *printer) result(v *value) string {
	if v == nil {
		return "-"
	}
	text := fmt.Sprintf("%s %s %s", p.operand(v), shapeString(v), v.form)
	if v.halo > 0 {
		text += fmt.Sprintf(" halo %d", v.halo)
	}
	return text
}
