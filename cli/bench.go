package cli

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"time"

	urfave "github.com/urfave/cli/v2"

	"regraft"
	"regraft/measure"
)

func benchCommand(con *console) *urfave.Command {
	return &urfave.Command{
		Name:        "bench",
		Usage:       "measure the speed of this machine on a model",
		ArgsUsage:   "MODEL",
		Description: "regraft bench infer inception_v3.onnx --batch-size 1 --threads 1",
		Subcommands: []*urfave.Command{
			benchSubcommand(con, "infer", "time of inference", 10, benchInfer),
			benchSubcommand(con, "train", "time of a full training step: forward, backward, update", 3, benchTrain),
			benchLayersCommand(con),
		},
		Action: func(c *urfave.Context) error {
			return usagef("what? regraft bench infer, regraft bench train or regraft bench layers")
		},
	}
}

// workload prepares a computation on so many images.
type workload func(s *subject, images int) (*work, error)

// work is a computation that can be repeated.
type work struct {
	run   func() error
	close func() error
	// passes is how much arithmetic it is, in units of the forward pass.
	passes float64
}

func benchSubcommand(con *console, what, usage string, runs int, w workload) *urfave.Command {
	return &urfave.Command{
		Name:        what,
		Usage:       usage,
		ArgsUsage:   "MODEL",
		Description: "regraft bench " + what + " inception_v3.onnx --batch-size 8 --threads 2",
		Flags: []urfave.Flag{
			modelFlag(), batchFlag(1), threadsFlag(),
			intFlag("runs", runs, 1, "measured runs, after one that is not"),
			sizeFlag("the model's"),
			algorithmFlag(), jsonFlag(),
		},
		Action: func(c *urfave.Context) error { return bench(con, c, what, w) },
	}
}

type benchJSON struct {
	Schema  string  `json:"schema"`
	What    string  `json:"what"`
	Model   string  `json:"model"`
	Batch   int     `json:"batch"`
	Threads int     `json:"threads"`
	ISA     string  `json:"isa"`
	Min     float64 `json:"ms_per_image_min"`
	Median  float64 `json:"ms_per_image_median"`
	// GFLOPS is the effective rate at the minimum: two operations per multiply-add of the model, whatever the algorithm takes.
	// Winograd's takes fewer, so PercentOfPeak can be above 100.
	GFLOPS        float64 `json:"gflops"`
	PercentOfPeak float64 `json:"percent_of_peak"`
	PeakGFLOPS    float64 `json:"peak_gflops"`
	// PeakRSS is 0 where the system does not tell.
	PeakRSS float64 `json:"peak_rss_mib"`
}

// subject is what a benchmark measures.
type subject struct {
	path     string
	model    *regraft.Model
	measured *measure.Model
	threads  int
	isa      string
}

func benchSubject(c *urfave.Context) (s subject, err error) {
	if s.path, _, err = modelArgument(c); err != nil {
		return s, err
	}
	opts, err := modelOptions(c)
	if err != nil {
		return s, err
	}
	if s.threads = c.Int("threads"); s.threads == 0 {
		s.threads = runtime.GOMAXPROCS(0)
	}
	if s.isa, err = measure.ISA(); err != nil {
		return s, usagef("%v", err)
	}
	if s.model, err = regraft.Open(s.path, opts...); err != nil {
		return s, fail(statusModel, err)
	}
	s.measured = measured(c, s.model)
	return s, nil
}

// measured is the network of a model as the flags say that it computes.
func measured(c *urfave.Context, m *regraft.Model) *measure.Model {
	return measure.New(m.Network(), measure.Options{Threads: c.Int("threads"), Batch: c.Int("batch-size"), Direct: c.String("algorithm") == "direct"})
}

func bench(con *console, c *urfave.Context, what string, w workload) error {
	s, err := benchSubject(c)
	if err != nil {
		return err
	}
	b := benchJSON{Schema: "regraft/bench/1", What: what, Model: s.path, Batch: c.Int("batch-size"), Threads: s.threads, ISA: s.isa}
	work, err := w(&s, b.Batch)
	if err != nil {
		return fail(statusModel, err)
	}
	defer work.close()
	times, err := repeat(c.Context, con, c.Int("runs"), work.run)
	if err != nil {
		return err
	}
	macs, err := s.measured.MACs()
	if err != nil {
		return err
	}
	if err := b.fill(times, work.passes*2*float64(macs)); err != nil {
		return err
	}
	return b.print(con, c.Bool("json"))
}

func (b *benchJSON) print(con *console, asJSON bool) error {
	if asJSON {
		return con.json(b)
	}
	con.printf("%s, batch %d, %s, %s: %.1f ms per image at best, %.1f median\n", b.What, b.Batch, counted(b.Threads, "thread"), b.ISA, b.Min, b.Median)
	con.printf("%.1f effective GFLOP/s, %.0f %% of this machine's %.1f; %.0f MiB resident at most\n", b.GFLOPS, b.PercentOfPeak, b.PeakGFLOPS, b.PeakRSS)
	con.notef("effective: two operations for every multiply-add of the network, although Winograd's algorithm takes fewer (--algorithm direct does not use it)")
	return nil
}

// repeat runs once to warm up, then the given number of times.
func repeat(ctx context.Context, con *console, runs int, run func() error) ([]time.Duration, error) {
	bar := con.progress(runs+1, "runs", "measuring")
	defer bar.end()
	var times []time.Duration
	for i := range runs + 1 {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		start := time.Now()
		if err := run(); err != nil {
			return nil, err
		}
		if i > 0 {
			times = append(times, time.Since(start))
		}
		bar.add(1)
	}
	return times, nil
}

// fill computes the figures; flops is the arithmetic of one image.
func (b *benchJSON) fill(times []time.Duration, flops float64) (err error) {
	slices.Sort(times)
	perImage := func(t time.Duration) float64 { return t.Seconds() * 1e3 / float64(b.Batch) }
	b.Min, b.Median = perImage(times[0]), perImage(times[len(times)/2])
	b.PeakRSS = peakRSS()
	if b.PeakGFLOPS, err = measure.Peak(b.Threads); err != nil {
		return err
	}
	b.GFLOPS = flops / b.Min / 1e6
	b.PercentOfPeak = 100 * b.GFLOPS / b.PeakGFLOPS
	return nil
}

func benchInfer(s *subject, images int) (*work, error) {
	x := noise(s.model, images)
	run := func() error {
		_, err := s.model.Infer(context.Background(), x, images)
		return err
	}
	return &work{run, s.model.Close, 1}, nil
}

// benchTrain counts the backward pass as two forward passes: the gradients of inputs and of weights.
func benchTrain(s *subject, images int) (*work, error) {
	stepper, err := s.measured.NewStepper(images)
	if err != nil {
		return nil, err
	}
	x, labels := noise(s.model, images), classIDs(s.model, images)
	run := func() error {
		loss, err := stepper.Step(x, labels)
		if err == nil && loss != loss {
			err = fmt.Errorf("the loss is not a number")
		}
		return err
	}
	return &work{run, stepper.Close, 3}, nil
}

// noise is input between -1 and 1, the same on every machine.
func noise(m *regraft.Model, images int) []float32 {
	x := make([]float32, images*m.Network().Input.Shape()[1:].TotalSize())
	for i := range x {
		x[i] = float32(uint32(i)*2654435761>>8)/(1<<23) - 1
	}
	return x
}

// classIDs are labels for noise: the classes in turn.
func classIDs(m *regraft.Model, images int) []float32 {
	labels := make([]float32, images)
	for i := range labels {
		labels[i] = float32(i % len(m.Labels()))
	}
	return labels
}
