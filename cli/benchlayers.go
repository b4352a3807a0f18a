package cli

import (
	"cmp"
	"fmt"
	"slices"
	"text/tabwriter"
	"time"

	urfave "github.com/urfave/cli/v2"

	"regraft/measure"
	"regraft/photo"
)

func benchLayersCommand(con *console) *urfave.Command {
	return &urfave.Command{
		Name:        "layers",
		Usage:       "time of every convolution and linear layer, and what the planner chose for it",
		ArgsUsage:   "MODEL",
		Description: "regraft bench layers inception_v3.onnx --threads 1 --assert",
		Flags: []urfave.Flag{
			modelFlag(), batchFlag(1), threadsFlag(),
			intFlag("runs", 10, 1, "measured runs, after one that is not; the fastest counts"),
			sizeFlag("the model's"),
			boolFlag("train", "a training step: forward pass and both gradients"),
			boolFlag("assert", "measure other choices too; exit status 6 where one is over 5 % faster"),
			algorithmFlag(), jsonFlag(),
		},
		Action: func(c *urfave.Context) error { return benchLayers(con, c) },
	}
}

type layersJSON struct {
	Schema     string      `json:"schema"`
	Model      string      `json:"model"`
	What       string      `json:"what"`
	Batch      int         `json:"batch"`
	Threads    int         `json:"threads"`
	ISA        string      `json:"isa"`
	PeakGFLOPS float64     `json:"peak_gflops"`
	Layers     []layerJSON `json:"layers"`
	// Better are choices that beat the planner's; null unless they were measured.
	Better []betterJSON `json:"better"`
}

type layerJSON struct {
	Node          string  `json:"node"`
	Op            string  `json:"op"`
	Shape         string  `json:"shape"`
	Tensors       string  `json:"tensors"`
	Kernel        string  `json:"kernel"`
	Reason        string  `json:"reason"`
	Min           float64 `json:"ms_min"`
	GFLOPS        float64 `json:"gflops"`
	PercentOfPeak float64 `json:"percent_of_peak"`
}

// betterJSON is a choice for all layers of one shape; the times are of one layer on average.
type betterJSON struct {
	Op     string  `json:"op"`
	Shape  string  `json:"shape"`
	Layers int     `json:"layers"`
	Kernel string  `json:"kernel"`
	Min    float64 `json:"ms_min"`
	Choice string  `json:"choice"`
	Other  float64 `json:"choice_ms_min"`
}

func benchLayers(con *console, c *urfave.Context) error {
	s, err := benchSubject(c)
	if err != nil {
		return err
	}
	m := s.model
	defer m.Close()
	r := layersJSON{
		Schema: "regraft/bench-layers/1", Model: s.path, What: "infer", Batch: c.Int("batch-size"), Threads: s.threads, ISA: s.isa,
	}
	var labels []float32
	if c.Bool("train") {
		r.What, labels = "train", classIDs(m, r.Batch)
	}
	b, err := s.measured.NewLayerBench(noise(m, r.Batch), labels, r.Batch, c.Bool("assert"))
	if err != nil {
		return fail(statusModel, err)
	}
	defer b.Close()
	if err := r.measure(con, c, b); err != nil {
		return err
	}
	if err := r.print(con, c.Bool("json")); err != nil {
		return err
	}
	if len(r.Better) > 0 {
		return failf(statusParity, "better choices than the planner's exist for %s", counted(len(r.Better), "shape"))
	}
	return nil
}

// measure fills in layers and, where they were asked for, better choices. The fastest of many
// choices owes something to luck, so what seems better is measured anew, twice: it must be better
// every time.
func (r *layersJSON) measure(con *console, c *urfave.Context, b *measure.LayerBench) error {
	const rounds = 3
	var layers []measure.Layer
	for n := range rounds {
		b.Forget()
		if _, err := repeat(c.Context, con, c.Int("runs"), b.Round); err != nil {
			return err
		}
		peak, err := measure.Peak(r.Threads)
		if err != nil {
			return err
		}
		r.PeakGFLOPS = max(r.PeakGFLOPS, peak)
		measured := b.Layers()
		for i := range layers {
			measured[i].Time = min(measured[i].Time, layers[i].Time)
		}
		layers = measured
		if !c.Bool("assert") {
			break
		}
		better := betterChoices(b.Layers())
		if n > 0 {
			better = slices.DeleteFunc(r.Better, func(j betterJSON) bool {
				return !slices.ContainsFunc(better, j.same)
			})
		}
		if r.Better = better; len(better) == 0 {
			break
		}
		if n+1 < rounds {
			con.notef("%s better: measuring again", photo.Count(len(better), "choice seems", "choices seem"))
		}
	}
	r.Better = fastest(r.Better)
	for _, l := range layers {
		j := layerJSON{Node: l.Node, Op: l.Op, Shape: l.Shape, Tensors: l.Tensors, Kernel: l.Kernel, Reason: l.Why, Min: milliseconds(l.Time)}
		j.GFLOPS = l.Flops / j.Min / 1e6
		if r.PeakGFLOPS > 0 { // plain Go has no loop that measures it
			j.PercentOfPeak = 100 * j.GFLOPS / r.PeakGFLOPS
		}
		r.Layers = append(r.Layers, j)
	}
	return nil
}

// betterChoices are those that take less than 1/1.05 of the planner's time, over all layers of a
// shape.
func betterChoices(layers []measure.Layer) []betterJSON {
	const margin = 1.05
	var all []betterJSON // own and other choices of every shape, as sums
	for _, l := range layers {
		for choice, t := range l.Others {
			j := betterJSON{Op: l.Op, Shape: l.Shape, Kernel: l.Kernel, Choice: choice}
			at := slices.IndexFunc(all, j.same)
			if at < 0 {
				at, all = len(all), append(all, j)
			}
			all[at].Layers++
			all[at].Min += milliseconds(l.Time)
			all[at].Other += milliseconds(t)
		}
	}
	better := []betterJSON{}
	for _, j := range all {
		if j.Other*margin < j.Min {
			j.Min, j.Other = j.Min/float64(j.Layers), j.Other/float64(j.Layers)
			better = append(better, j)
		}
	}
	return better
}

// same tells whether two entries are of one shape and one choice.
func (j betterJSON) same(o betterJSON) bool {
	return j.Op == o.Op && j.Shape == o.Shape && j.Kernel == o.Kernel && j.Choice == o.Choice
}

// fastest keeps the best choice for each shape, those that save most first.
func fastest(choices []betterJSON) []betterJSON {
	if choices == nil {
		return nil
	}
	slices.SortFunc(choices, func(a, b betterJSON) int { return cmp.Compare(a.Other, b.Other) })
	best := []betterJSON{}
	for _, j := range choices {
		if !slices.ContainsFunc(best, func(o betterJSON) bool { o.Choice = j.Choice; return o.same(j) }) {
			best = append(best, j)
		}
	}
	saved := func(j betterJSON) float64 { return (j.Min - j.Other) * float64(j.Layers) }
	slices.SortFunc(best, func(a, b betterJSON) int { return cmp.Compare(saved(b), saved(a)) })
	return best
}

func milliseconds(t time.Duration) float64 { return t.Seconds() * 1e3 }

func (r *layersJSON) print(con *console, asJSON bool) error {
	if asJSON {
		return con.json(r)
	}
	w := tabwriter.NewWriter(con.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "operator\tshape\tkernel\tms\teffective GFLOP/s\t% of peak\tnode\twhy")
	total := 0.0
	for _, l := range r.Layers {
		fmt.Fprintf(w, "%s\t%s\t%s\t%.3f\t%.1f\t%.0f\t%s\t%s\n", l.Op, l.Shape, l.Kernel, l.Min, l.GFLOPS, l.PercentOfPeak, shown(l.Node), l.Reason)
		total += l.Min
	}
	if err := w.Flush(); err != nil {
		return err
	}
	con.printf("\n%s, batch %d, %s, %s: %.1f ms in %s; FMA peak %.1f GFLOP/s, which Winograd's fewer products can seem to exceed\n",
		r.What, r.Batch, counted(r.Threads, "thread"), r.ISA, total, counted(len(r.Layers), "layer"), r.PeakGFLOPS)
	for _, b := range r.Better {
		con.printf("better: %s %s (%s): %.3f ms with %s, %.3f with %s\n", b.Op, b.Shape, counted(b.Layers, "layer"), b.Min, b.Kernel, b.Other, b.Choice)
	}
	if r.Better != nil && len(r.Better) == 0 {
		con.printf("no choice that was measured is more than 5 %% faster than the planner's\n")
	}
	return nil
}
