package train

import (
	"math"
	"sync"

	"regraft/head"
)

// Events hears how a run goes. Calls come one at a time, in order.
type Events interface {
	// Started comes once, before any arithmetic.
	Started(Start)
	// Needs tells the memory that a run in full mode will take, before its first step.
	Needs(Memory)
	// Phase begins a stretch of work on so many photos, or other units of the phase, 0 where their number is not known; epoch counts
	// from 1 and is 0 outside epochs. Of folds the number of iterations is a guess: they end when nothing changes any more.
	Phase(phase Phase, epoch, total int)
	// Advanced says that so many more units of the phase are done; loss is that of the step just
	// made, NaN where the phase has none.
	Advanced(photos int, loss float64)
	// Chose tells what folds of the training photos chose, heads mode.
	Chose(Choice)
	// EpochDone comes after the validation of every epoch; best says that it is the best one yet.
	EpochDone(e Epoch, best bool)
	// Warn carries one line that the user should read.
	Warn(message string)
}

// noLoss is what Advanced gets in phases without a loss.
var noLoss = math.NaN()

// Phase names a stretch of work.
type Phase string

// The phases of a run.
const (
	PhaseCheck    Phase = "check"     // every photo is decoded once, full mode
	PhaseFeatures Phase = "features"  // trunk features of all photos, heads mode
	PhaseScalings Phase = "scalings"  // features of a few photos under usual scalings of pixels, where one had to be assumed
	PhaseUpright  Phase = "upright"   // features of a few photos and of these upside down, where training turns photos
	PhaseFolds    Phase = "folds"     // heads are solved on folds of train to choose settings, heads mode
	PhaseMaps     Phase = "heat maps" // of the photos that a page begins with
	PhaseTrain    Phase = "train"
	PhaseVal      Phase = "val"
	PhaseTest     Phase = "test"
	PhasePage     Phase = "report" // small pictures of the photos that the page shows
)

// Unit is what Advanced counts in a phase.
func (p Phase) Unit() string {
	if p == PhaseFolds {
		return "iterations"
	}
	return "photos"
}

// Start is what is known when a run begins.
type Start struct {
	Classes []string `json:"classes"`
	// Train, Val and Test count photos; Test is 0 when the test set serves as Val, and Val is 0 where folds of train choose.
	Train int `json:"train"`
	Val   int `json:"val"`
	Test  int `json:"test"`
	// Selection names the set that chooses the best epoch: val, test, "a split of train" or "folds of train".
	Selection string `json:"selection"`
	// Heads describes the classifiers that are trained, main first.
	Heads []HeadInfo `json:"heads"`
	// HeadsKept says that the model's own classifiers are trained on, because its labels are the data's classes.
	HeadsKept bool `json:"heads_kept"`
	// Parameters counts trainable numbers.
	Parameters int `json:"parameters"`
	// Frozen says which blocks do not train at first; "" for none.
	Frozen string `json:"frozen,omitempty"`
	// Mixes says that photos are mixed with one another, so that the training accuracy counts the class of the larger part, and the training
	// loss is that of both labels.
	Mixes bool `json:"mixes,omitempty"`
	// LeftOut tells which files and folders of the data are not used.
	LeftOut []string `json:"left_out,omitempty"`
	// FirstEpoch is above 1 when a run is resumed.
	FirstEpoch int `json:"first_epoch"`
}

// HeadInfo describes one classifier.
type HeadInfo struct {
	Kind     head.Kind `json:"kind"`
	Name     string    `json:"name"` // the weight's name
	Features int       `json:"features"`
	Classes  int       `json:"classes"`
}

// oneByOne lets several goroutines tell events, one at a time.
type oneByOne struct {
	mu     sync.Mutex
	events Events
}

func (o *oneByOne) tell(f func(Events)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	f(o.events)
}

func (o *oneByOne) Started(s Start) { o.tell(func(e Events) { e.Started(s) }) }
func (o *oneByOne) Needs(m Memory)  { o.tell(func(e Events) { e.Needs(m) }) }
func (o *oneByOne) Phase(p Phase, epoch, total int) {
	o.tell(func(e Events) { e.Phase(p, epoch, total) })
}
func (o *oneByOne) Advanced(photos int, loss float64) {
	o.tell(func(e Events) { e.Advanced(photos, loss) })
}
func (o *oneByOne) Chose(c Choice) { o.tell(func(e Events) { e.Chose(c) }) }
func (o *oneByOne) EpochDone(epoch Epoch, best bool) {
	o.tell(func(e Events) { e.EpochDone(epoch, best) })
}
func (o *oneByOne) Warn(message string) { o.tell(func(e Events) { e.Warn(message) }) }

// Silent ignores all events; embed it to hear only some.
type Silent struct{}

func (Silent) Started(Start)         {}
func (Silent) Needs(Memory)          {}
func (Silent) Phase(Phase, int, int) {}
func (Silent) Advanced(int, float64) {}
func (Silent) Chose(Choice)          {}
func (Silent) EpochDone(Epoch, bool) {}
func (Silent) Warn(string)           {}
