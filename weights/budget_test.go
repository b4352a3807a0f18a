package weights

import (
	"bytes"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"

	"regraft/engine"
	"regraft/engine/kernel"
	"regraft/engine/plan"
	"regraft/golden"
	"regraft/photo"
)

// budget counts what a program consists of.
func budget(p *plan.Program) string {
	interpreted, winograd := 0, 0
	for _, s := range p.Steps {
		switch name := s.Prim.Name(); {
		case name == "interpreted":
			interpreted++
		case strings.HasPrefix(name, "winograd"):
			winograd++
		}
	}
	return fmt.Sprintf("%d\t%d\t%d\t%d", len(p.Steps), p.Size[plan.Arena]/4, interpreted, winograd)
}

// TestBudgets holds the programs of all families to their numbers of steps and their memory: what a pass of the planner no longer saves
// shows here. After a change that is meant: go test ./weights -run Budgets -update.
func TestBudgets(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long")
	}
	var b bytes.Buffer
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "family\tprogram\tsteps\tarena, floats\tinterpreted steps\tWinograd steps")
	o := plan.Options{ISA: kernel.Go}
	for _, name := range Families() {
		if slices.ContainsFunc(families(), func(f *family) bool { return f.name == name && (f.isVit() || f.isSwin()) }) {
			continue // they are much alike, and large; what becomes of their blocks is in engine/plan's listings
		}
		m, err := FindFamily(zeros(t, name, 9), name, "")
		if err != nil {
			t.Fatal(err)
		}
		net, _, err := m.network(photo.Size{})
		if err != nil {
			t.Fatal(err)
		}
		main, err := net.Subgraph(net.Outputs[0])
		if err != nil {
			t.Fatal(err)
		}
		inference, err := plan.Inference(main, o)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(w, "%s\tinference of 1\t%s\n", name, budget(inference))
		obj, err := engine.NewObjective(net, engine.ObjectiveOptions{Batch: 8, AuxWeight: 0.4})
		if err != nil {
			t.Fatal(err)
		}
		training, err := plan.Training(obj, o)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(w, "%s\ttraining of 8\t%s\n", name, budget(training))
	}
	w.Flush()
	golden.Text(t, filepath.Join("testdata", "budgets.txt"), b.String())
}
