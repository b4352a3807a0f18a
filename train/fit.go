package train

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"regraft/engine"
	"regraft/engine/op"
	"regraft/featurecache"
	"regraft/head"
	"regraft/photo"
	"regraft/setting"
)

// Fit trains cfg.Net on the photos of cfg.Data and leaves the best model, a checkpoint and reports in
// cfg.Out. The classifiers are replaced by new ones for the data's classes, unless the model's labels
// are these already. When ctx is cancelled the run ends after the current step with a checkpoint and an
// InterruptedError.
//
// The same configuration, network and photos give the same best.onnx to the bit, whatever the number of threads and
// workers, and whether or not the run was interrupted and resumed.
//
// Errors: UsageError, DataError, ModelError, DivergedError, InterruptedError, and those of files.
func Fit(ctx context.Context, cfg Config, events Events) (_ *Result, err error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	if events == nil {
		events = Silent{}
	}
	events = &oneByOne{events: events}
	cfg.Preprocess, cfg.waits = *cfg.Net.Meta.Preprocess, newWaiter(ctx, events)
	out, err := openFolder(cfg.Out, cfg.Resume)
	if err != nil {
		return nil, err
	}
	defer func() { out.close(err != nil) }()
	r, err := prepare(cfg, out, events)
	if r != nil && r.embedded != nil {
		defer r.embedded.Close()
	}
	if err != nil {
		return nil, err
	}
	if err := r.begin(ctx); err != nil {
		return nil, r.interrupted(err)
	}
	defer r.learner.close()
	if err := r.loop(ctx); err != nil {
		return nil, r.interrupted(err)
	}
	result, err := r.finish(ctx)
	if err != nil {
		return nil, r.interrupted(err)
	}
	return result, nil
}

// training is a run of Fit.
type training struct {
	config Config
	out    *folder
	events Events
	sets   *sets
	// embedded are features of photos that are elsewhere; nil where the photos are here.
	embedded *embedded
	*grafted
	learner  learner
	freezing *freezing // full mode
	// network, photos and their contents identify what the run began with.
	network, photos string
	contents        []byte
	skipped         []Skipped
	trunk           string // hash before, heads mode
	hasher          head.Hasher
	// cache holds features, of the photos with these hashes by path; marked says that the run can be resumed that computes them.
	cache   *featurecache.Cache
	hashes  map[string]photo.Hash
	alike   map[string]int // a number for each group of photos that look the same
	marked  bool
	history []engine.Epoch

	// resumed is the checkpoint of the run that goes on, and collected that of one without an epoch; nil where there is none.
	resumed, collected *checkpoint

	// last is the number of epochs, and choice what folds of train chose; nil where they chose nothing.
	last   int
	choice *Choice
	// outOfFold are the answers of heads that were solved without the photo, where folds selected.
	outOfFold *Evaluation
	curve     []CurvePoint // where Folds are asked for
	// calibration is that of the best model; nil where there is none.
	calibration *Calibration
	fitted      *Evaluation // what it was fitted to
	threshold   *Threshold  // of the best model
	// decisions are those of the best model, once they are known: before the first epoch where folds chose, otherwise after the last.
	decisions *Decisions
	// distance is that of the best model; nil where there is none.
	distance *Distance

	began    time.Time
	epochs   []Epoch
	progress progress
	best     int // index in epochs, -1 before there is one
	// bestParams are the values of the best epoch until best.onnx holds them.
	bestParams map[string][]float32
	// answers are those of the best epoch, where it was made in this process.
	answers *Evaluation
	stopped string
	// saved is when the last checkpoint was made, and saving the time that it took.
	saved   time.Time
	saving  time.Duration
	started Start
	logged  bool     // TensorBoard's file was begun by this process
	upright *Upright // where training turns photos upside down
	// assumption is what had to be assumed of the preprocessing, nil where it was told.
	assumption *Assumption
}

// prepare reads the folders and makes the network to be trained, without any arithmetic.
func prepare(cfg Config, out *folder, events Events) (*training, error) {
	r := &training{config: cfg, out: out, events: events, best: -1, last: cfg.Epochs, began: time.Now()}
	r.config.settleViews()
	r.openCache()
	var err error
	if len(cfg.Features) > 0 {
		r.config.NoReport = true // which shows photos
		r.embedded, r.sets, err = openFeatures(&r.config)
		if err == nil {
			r.config.Net, err = mainOnly(cfg.Net, events.Warn)
		}
	} else {
		r.sets, err = scan(&r.config)
	}
	if err != nil {
		return r, err
	}
	for _, doubt := range r.sets.Doubts {
		events.Warn(doubt)
	}
	for _, p := range engine.Damaged(cfg.Net.Params) {
		if !p.Constant { // masks of attention may be infinite
			return r, &ModelError{fmt.Errorf("the model's parameter %s holds infinite or undefined numbers", p.Name)}
		}
	}
	if s := r.sets; s.relabelled+s.unlabelled > 0 {
		events.Warn(fmt.Sprintf("%v: %s, and %s left out", setting.Labels,
			photo.Count(s.relabelled, "photo has another class than its folder's", "photos have another class than their folder's"), photo.Count(s.unlabelled, "is", "are")))
	}
	r.network = r.hasher.Hash(cfg.Net, nil)
	r.history = cfg.Net.Meta.History
	if r.grafted, err = graft(&r.config, r.sets.classes, events.Warn); err != nil {
		return r, err
	}
	if err := r.dropIdle(); err != nil {
		return r, err
	}
	if r.embedded != nil {
		if err := r.embedded.fits(r); err != nil {
			return r, err
		}
	}
	if out.lock.unsupported != nil {
		events.Warn(fmt.Sprintf("%s cannot be locked (%v): see to it that no other run uses it", cfg.Out, out.lock.unsupported))
	}
	if cfg.Resume && !out.continues {
		events.Warn(fmt.Sprintf("%s holds no checkpoint yet: the run starts afresh", cfg.Out))
	}
	if err := r.takeUp(); err != nil {
		return r, err
	}
	if r.config.Mode == Full {
		if r.freezing, err = newFreezing(r.net, &r.config); err != nil {
			return r, err
		}
		r.freezing.apply(r.net, 0)
	}
	r.started = r.start()
	return r, out.writeJSON(ArgsFile, r.config)
}

// dropIdle takes settings out of the record that only other networks or other photos have a use for.
func (r *training) dropIdle() error {
	full, c, drops := r.config.Mode == Full, &r.config, false
	for _, node := range r.net.Nodes() {
		_, is := node.Op().(*op.Dropout)
		drops = drops || is
	}
	for _, idle := range []struct {
		is            bool
		name, because string
	}{
		{full && len(r.heads) == 1 && head.AuxPlace(c.Net) == nil, "aux_weight", "the network has no auxiliary classifier"},
		{full && !drops, "dropout", "the network has no Dropout"},
		{len(r.sets.Val) > 0 && !r.sets.Split, "val_split", "the data has a folder for validation"},
		{len(r.sets.Val) > 0 && !r.sets.Split, "select_on", "the data has a folder for validation"},
	} {
		if !idle.is {
			continue
		}
		if err := c.ignore(idle.name, idle.because); err != nil {
			return err
		}
	}
	return nil
}

// begin makes the learner: in heads mode this computes the features of all photos.
func (r *training) begin(ctx context.Context) error {
	r.events.Started(r.started)
	if r.embedded == nil {
		if err := r.lookAt(ctx); err != nil {
			return err
		}
	}
	schedule, err := newRates(&r.config, &r.epochs)
	if err != nil {
		return err
	}
	if r.config.Mode == Heads {
		err = r.beginHeads(ctx, schedule)
	} else {
		err = r.beginFull(ctx, schedule)
	}
	if err != nil {
		return err
	}
	if r.resumed != nil {
		if err := r.learner.restore(r.resumed.parts); err != nil {
			return fmt.Errorf("%s: %w", r.out.name(CheckpointFile), err)
		}
		r.resumed.parts = nil
	}
	return nil
}

// lookAt does what needs the photos, before anything is computed of them for training.
func (r *training) lookAt(ctx context.Context) error {
	if err := r.inspect(ctx); err != nil {
		return err
	}
	if err := r.tryScalings(ctx); err != nil {
		return err
	}
	return r.measureUpright(ctx)
}

func (r *training) beginHeads(ctx context.Context, schedule *rates) error {
	r.trunk = r.hasher.Hash(r.net, r.heads)
	if r.embedded != nil {
		solver, err := r.embedded.solver(ctx, r)
		if err != nil {
			return err
		}
		heads := &headsLearner{config: &r.config, sets: r.sets, rates: schedule, solvers: []*headSolver{solver}}
		if err := r.choose(ctx, heads); err != nil {
			heads.close()
			return err
		}
		r.learner = heads
		return nil
	}
	train, val, err := r.collect(ctx)
	if err != nil {
		return err
	}
	heads, err := newHeads(r.heads, train.sets, val.sets, &r.config, r.sets, schedule)
	if err != nil {
		return err
	}
	r.learner = heads
	if stepwise(&r.config) {
		return nil
	}
	return r.choose(ctx, heads)
}

func (r *training) beginFull(ctx context.Context, schedule *rates) error {
	if r.kept {
		if ratio := head.Temper(r.heads); ratio > 1 {
			r.events.Warn(fmt.Sprintf("the model's classifiers were solved on frozen features: their weights are divided by up to %.0f, "+
				"which changes no answer but keeps their gradients from destroying the trunk", ratio))
		}
	}
	if len(runningStatistics(r.config.Net)) == 0 {
		r.events.Warn(fmt.Sprintf("the network has no BatchNorm, or its export folded it into the convolutions: these train with their biases; "+
			"a lower %v may be needed", setting.LearningRate))
	}
	epoch := len(r.epochs) // of the checkpoint: the next one only where it has begun
	if r.progress.Step > 0 {
		epoch++
	}
	r.hasher = head.Hasher{} // which holds the values that it knows
	full, err := newFull(r.net, &r.config, r.freezing, r.sets, schedule, r.events, max(epoch, 1))
	if err != nil {
		return err
	}
	r.learner = full
	return nil
}

// start is what is known before any arithmetic.
func (r *training) start() Start {
	s := Start{
		Classes: r.sets.classes, Train: len(r.sets.train), Val: len(r.sets.val), Test: len(r.sets.test),
		Selection: r.sets.selection, HeadsKept: r.kept, LeftOut: photo.Summary(r.sets.LeftOut), FirstEpoch: len(r.epochs) + 1,
	}
	if augment, err := r.config.augment(); err == nil {
		s.Mixes = augment.Mixes()
	}
	if r.freezing != nil {
		s.Frozen = r.freezing.String()
	}
	for _, h := range r.heads {
		s.Heads = append(s.Heads, HeadInfo{h.Kind, h.Name(), h.Features, h.Classes})
	}
	running := runningStatistics(r.net)
	for _, p := range r.net.Params {
		if p.Trainable() && !running[p] {
			s.Parameters += p.Shape.TotalSize()
		}
	}
	return s
}

// runningStatistics are BatchNorm's, the fourth and fifth operand.
func runningStatistics(net *engine.Network) map[*engine.Param]bool {
	running := map[*engine.Param]bool{}
	for _, node := range net.Nodes() {
		if _, is := node.Op().(*op.BatchNorm); is {
			for _, in := range op.Inputs(node)[3:] {
				running[net.ParamOf(in)] = true
			}
		}
	}
	return running
}

// interrupted turns the error of a cancelled context into one that tells how to go on.
func (r *training) interrupted(err error) error {
	if !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	if r.out.resumable() {
		return &InterruptedError{r.config.Out, err}
	}
	return &InterruptedError{"", err}
}

func broken(v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) }
