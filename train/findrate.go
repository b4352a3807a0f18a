package train

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"time"

	"regraft/engine/kernel"
	"regraft/setting"
	"regraft/train/chart"
)

// RateSearch is what a range test finds: the loss of steps whose learning rate rises from one to the next (Smith, Cyclical Learning Rates,
// 2017).
type RateSearch struct {
	Rates []float64 `json:"rates"`
	// Losses are those of single steps, before the step; Smooth is their moving average.
	Losses []float64 `json:"losses"`
	Smooth []float64 `json:"smooth"`
	// Lowest is the rate at which the average is least, and Suggested a tenth of it, which leaves room before the loss rises again. Both
	// are 0 where no rate lowers the loss clearly.
	Lowest    float64 `json:"lowest"`
	Suggested float64 `json:"suggested"`
}

func (s *RateSearch) String() string {
	if s.Suggested == 0 {
		return fmt.Sprintf("%d steps with rates from %.1e to %.1e: none lowers the loss clearly, so none is suggested", len(s.Rates), s.Rates[0], s.Rates[len(s.Rates)-1])
	}
	return fmt.Sprintf("%d steps with rates from %.1e to %.1e: the loss is least at %.1e; try %v %.1e", len(s.Rates), s.Rates[0], s.Rates[len(s.Rates)-1],
		s.Lowest, setting.LearningRate, s.Suggested)
}

// The range: so many steps from the lowest rate towards the highest, fewer where the loss has risen to a multiple of its least before.
const (
	searchSteps   = 100
	searchLowest  = 1e-7
	searchHighest = 10
	searchRisen   = 4
	searchSmooth  = 0.9 // of the average that a step keeps
	searchClearly = 0.98
)

// FindRate makes a range test of the learning rate with the settings of a run that makes steps. It trains for that on its own; nothing of
// it is kept, and nothing is written but what c.Cache keeps of photos.
func FindRate(ctx context.Context, c Config, events Events) (*RateSearch, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	if !stepwise(&c) {
		return nil, usagef("%v %s needs no learning rate", setting.Optimizer, LBFGS)
	}
	if events == nil {
		events = Silent{}
	}
	r := &training{config: c, events: &oneByOne{events: events}, best: -1, marked: true, began: time.Now(), cache: c.Cache}
	r.config.waits = newWaiter(ctx, r.events)
	r.config.settleViews()
	if err := r.ready(); err != nil {
		return nil, err
	}
	if err := r.inspect(ctx); err != nil {
		return nil, err
	}
	search, rising := &RateSearch{}, &rates{highest: 1}
	var err error
	if r.config.Mode == Heads {
		err = r.beginHeads(ctx, rising)
	} else {
		err = r.beginFull(ctx, rising)
	}
	if err != nil {
		return nil, err
	}
	defer r.learner.close()
	return search, search.run(ctx, r, rising)
}

// ready reads the folders and makes the network.
func (r *training) ready() (err error) {
	if r.sets, err = scan(&r.config); err != nil {
		return err
	}
	if r.grafted, err = graft(&r.config, r.sets.classes, r.events.Warn); err != nil {
		return err
	}
	if r.config.Mode == Full {
		r.freezing, err = newFreezing(r.net, &r.config)
	}
	return err
}

// errSearched ends the steps of a search.
var errSearched = errors.New("the search is complete")

// run makes the steps. A loss that is no number ends them like one that has risen.
func (s *RateSearch) run(ctx context.Context, r *training, rising *rates) error {
	next := func(float64) float64 { return rateOf(len(s.Rates)) }
	rising.curve = next
	least, sum, weight := math.Inf(1), 0.0, 0.0
	for epoch := 1; ; epoch++ {
		p := progress{}
		rising.seen = func(rate, loss float64) error {
			sum, weight = float64(searchSmooth*sum)+float64((1-searchSmooth)*loss), float64(searchSmooth*weight)+1-searchSmooth
			smooth := sum / weight
			s.Rates, s.Losses, s.Smooth = append(s.Rates, rate), append(s.Losses, loss), append(s.Smooth, smooth)
			if smooth < least {
				least, s.Lowest = smooth, rate
			}
			if len(s.Rates) == searchSteps || smooth > searchRisen*least {
				return errSearched
			}
			return nil
		}
		err := r.learner.train(ctx, epoch, &p, r.events, func() error { return nil })
		if diverged := (*DivergedError)(nil); errors.As(err, &diverged) && len(s.Rates) > 0 {
			err = errSearched
		}
		if err != nil && !errors.Is(err, errSearched) {
			return err
		}
		if err != nil {
			s.suggest(least)
			return nil
		}
	}
}

// suggest compares the least of the average with what the first quarter of the steps has, whose rates are too low to change anything.
func (s *RateSearch) suggest(least float64) {
	quarter := s.Smooth[:min(searchSteps/4, len(s.Smooth))]
	if least > searchClearly*slices.Min(quarter) {
		s.Lowest = 0
	}
	s.Suggested = s.Lowest / 10
}

// rateOf is that of a step, from 0.
func rateOf(step int) float64 {
	return searchLowest * kernel.Exp(float64(step)/(searchSteps-1)*kernel.Log(searchHighest/searchLowest))
}

// Draw draws the losses over the rates as a PNG, with the suggestion.
func (s *RateSearch) Draw(w io.Writer) error {
	title := "loss; nothing to suggest"
	if s.Suggested > 0 {
		title = fmt.Sprintf("loss; suggested %.1e", s.Suggested)
	}
	d := chart.Curves{Title: title, Across: "learning rate", Powers: true, Top: 1.5 * s.Smooth[0]}
	marked := make([]float64, len(s.Rates))
	at := 0
	for i, rate := range s.Rates {
		d.X, marked[i] = append(d.X, math.Log10(rate)), math.NaN()
		if math.Abs(math.Log(rate/s.Suggested)) < math.Abs(math.Log(s.Rates[at]/s.Suggested)) {
			at = i
		}
	}
	d.Lines = []chart.Line{{Name: "average", Values: s.Smooth}}
	if s.Suggested > 0 {
		marked[at] = s.Smooth[at]
		d.Lines = append(d.Lines, chart.Line{Name: "suggested", Values: marked})
	}
	return chart.WriteCurves(w, d)
}
