package plan

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"text/tabwriter"

	"regraft/engine"
	"regraft/engine/kernel"
	"regraft/golden"
)

// listing prints a program without addresses: operands are numbered by place in each space, in the order in which
// steps use them, so that what is aliased, overwritten or shared shows as one number.
func listing(p *Program) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d steps, %d images\n", len(p.Steps), p.Batch)
	for s := Arena; s <= Stats; s++ {
		if p.Size[s] > 0 {
			fmt.Fprintf(&b, "%s %d floats\n", s, p.Size[s]/kernel.F32.Size())
		}
	}
	places := map[Ref]int{}
	count := map[Space]int{}
	place := func(r Ref) string {
		if r.Space == None {
			return "-"
		}
		if places[r] == 0 {
			count[r.Space]++
			places[r] = count[r.Space]
		}
		return fmt.Sprint(r.Space, places[r])
	}
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, s := range p.Steps {
		var operands []string
		for _, r := range s.Refs {
			operands = append(operands, place(r))
		}
		rows := ""
		if s.Images > 0 {
			rows = fmt.Sprintf(" x%d", s.Images)
		}
		if s.Serial {
			rows += " serial"
		}
		fmt.Fprintf(w, "%s\t%s%s\t%s\t%s\t%s\n", s.Op, s.Prim.Name(), rows, s.Shapes, strings.Join(operands, " "), s.Why)
	}
	w.Flush()
	for _, v := range p.Outputs {
		fmt.Fprintf(&b, "%s: %s, %d x %d\n", v.Name, place(v.Ref), v.Rows, v.Cols)
	}
	for i, l := range p.Losses {
		fmt.Fprintf(&b, "loss of %s: %s, weight %g\n", p.Outputs[i].Name, place(l), p.LossWeights[i])
	}
	lines := strings.Split(b.String(), "\n")
	for i, l := range lines {
		lines[i] = strings.TrimRight(l, " ")
	}
	return strings.Join(lines, "\n")
}

// programs compiles a network in all ways that have passes of their own.
func programs(t *testing.T, name string) string {
	t.Helper()
	inference, err := inferenceListing(t, name, inferencePasses)
	if err != nil {
		t.Fatal(err)
	}
	text := "# inference\n" + inference
	for _, images := range trainedBatches {
		training, err := trainingListing(t, name, images, trainingPasses)
		if err != nil {
			t.Fatal(err)
		}
		text += "\n# training\n" + training
	}
	return text
}

// trainedBatches are a small one and one for which activations are made again.
var trainedBatches = []int{4, recomputeAbove + 1}

func inferenceListing(t *testing.T, name string, passes []pass) (string, error) {
	t.Helper()
	p, err := inference(network(t, name, 2), Options{ISA: kernel.Go}, passes)
	if err != nil {
		return "", err
	}
	return listing(p), nil
}

func trainingListing(t *testing.T, name string, images int, passes []pass) (string, error) {
	t.Helper()
	obj, err := engine.NewObjective(network(t, name, 1), engine.ObjectiveOptions{Batch: images, AuxWeight: 0.4})
	if err != nil {
		t.Fatal(err)
	}
	p, err := training(obj, Options{ISA: kernel.Go}, passes)
	if err != nil {
		return "", err
	}
	return listing(p), nil
}

// TestListings compares the programs of small networks with what they were: a pass that no longer does its work, or does it elsewhere,
// changes no number, so that no other test would tell. After a change that is meant: go test ./engine/plan -run Listings -update,
// and read the difference.
func TestListings(t *testing.T) {
	for _, name := range slices.Sorted(maps.Keys(networks)) {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join("testdata", strings.ReplaceAll(name, " ", "_")+".plan")
			golden.Text(t, path, programs(t, name))
		})
	}
}

// TestAddresses: a program's text tells where the operands of its steps lie, and how large each space is.
func TestAddresses(t *testing.T) {
	p, err := Inference(network(t, "residual", 2), Options{ISA: kernel.Go})
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(p.String(), "\n")
	for s := Arena; s <= Stats; s++ {
		line := fmt.Sprintf("%-6s %8.1f MiB", s, float64(p.Size[s])/(1<<20))
		if slices.Contains(lines, line) != (p.Size[s] > 0) {
			t.Errorf("%s takes %d bytes; the text is\n%s", s, p.Size[s], p)
		}
	}
	steps := lines[len(lines)-1-len(p.Steps):]
	for k, s := range p.Steps {
		var want []string
		for _, r := range s.Refs {
			want = append(want, r.Space.String()+"+"+strconv.Itoa(r.Off))
		}
		if line := steps[k]; !strings.HasPrefix(line, strconv.Itoa(k)+" ") || !strings.Contains(line, "  "+strings.Join(want, " ")+"  ") {
			t.Errorf("step %d with operands %q is printed as %q", k, want, line)
		}
	}
}

// TestKernelsAreFound: every step that names an instruction set runs kernels of the one that was asked for; a name is made from the
// function that was found.
func TestKernelsAreFound(t *testing.T) {
	others := []string{"dropout_f32_go", "tanh_f32_go", "tanhgrad_f32_go", "transpose_f32_avx2"} // there is no assembly, and none that is wider
	for _, isa := range kernel.Sets() {
		for name := range networks {
			inference, err := Inference(network(t, name, 2), Options{ISA: isa})
			if err != nil {
				t.Fatal(err)
			}
			obj, err := engine.NewObjective(network(t, name, 1), engine.ObjectiveOptions{Batch: 4, AuxWeight: 0.4})
			if err != nil {
				t.Fatal(err)
			}
			training, err := Training(obj, Options{ISA: isa})
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range slices.Concat(inference.Steps, training.Steps) {
				kernel := s.Prim.Name()
				if strings.Contains(kernel, "_f32_") && !strings.HasSuffix(kernel, "_"+isa.String()) && !slices.Contains(others, strings.TrimPrefix(kernel, "2x_")) {
					t.Errorf("%s for %s: %s runs %s", name, isa, s.Node, kernel)
				}
			}
		}
	}
}
