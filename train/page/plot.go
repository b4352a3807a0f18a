package page

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"regraft/train/chart"
)

// The drawing of a plot, in the units of its SVG.
const (
	plotWidth, plotHeight = 420., 268.
	plotLeft, plotRight   = 44., 396.
	plotTop, plotBottom   = 18., 224.
)

// plot is a diagram as its SVG draws it.
type plot struct {
	ID, Title, X, Y string
	// Summary says in words what is to be seen.
	Summary        string
	XTicks, YTicks []tick
	Lines          []drawn
	Band           string // the outline of an area
	Dots           []dot
	Diagonal       bool
	// Columns and Rows are the numbers as a table.
	Columns []string
	Rows    [][]string
}

// tick is a line across with a number at its end.
type tick struct {
	At   string
	Text string
}

// drawn is a line; Second ones are told by their dashes too.
type drawn struct {
	Name, Path string
	Second     bool
}

// dot is a circle with a text that appears on it.
type dot struct{ X, Y, R, Text string }

// axis maps values to a side of the plot.
type axis struct{ low, high, from, to float64 }

func (a axis) at(v float64) float64 {
	if a.high == a.low {
		return (a.from + a.to) / 2
	}
	return a.from + (v-a.low)/(a.high-a.low)*(a.to-a.from)
}

func (a axis) ticks(most int, smallest float64, text func(float64) string) []tick {
	var all []tick
	for _, v := range chart.Ticks(a.low, a.high, most, smallest) {
		all = append(all, tick{unit(a.at(v)), text(v)})
	}
	return all
}

// across and up are the axes of a plot.
func across(low, high float64) axis { return axis{low, high, plotLeft, plotRight} }
func up(low, high float64) axis     { return axis{low, high, plotBottom, plotTop} }

// unit writes a length of the drawing.
func unit(v float64) string { return strconv.FormatFloat(v, 'f', 1, 64) }

// short writes a number on an axis.
func short(v float64) string { return strconv.FormatFloat(v, 'g', 6, 64) }

// wholePercent writes a share on an axis.
func wholePercent(v float64) string { return short(100*v) + "\u00a0%" }

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// path goes through points; it is interrupted where one is not finite.
func path(x, y axis, xs, ys []float64) string {
	var b strings.Builder
	command := "M"
	for i := range xs {
		if !finite(ys[i]) {
			command = "M"
			continue
		}
		b.WriteString(command + unit(x.at(xs[i])) + " " + unit(y.at(ys[i])))
		command = "L"
	}
	return b.String()
}

// plot draws a curve over epochs.
func (c Curve) plot(id string) plot {
	top := 0.0
	for _, l := range c.Lines {
		for _, v := range l.Values {
			if finite(v) {
				top = max(top, v)
			}
		}
	}
	text, number := short, func(v float64) string { return fmt.Sprintf("%.4g", v) }
	if c.Share {
		top, text, number = 1, wholePercent, percent
	} else if top = 1.05 * top; top == 0 || !finite(top) {
		top = 1
	}
	var epochs []float64
	for _, e := range c.Epochs {
		epochs = append(epochs, float64(e))
	}
	p := plot{ID: id, Title: c.Title, X: "epoch", Columns: []string{"epoch"}}
	if len(epochs) == 0 {
		return p
	}
	x, y := across(epochs[0], epochs[len(epochs)-1]), up(0, top)
	p.XTicks, p.YTicks = x.ticks(8, 1, short), y.ticks(5, 0, text)
	var ends []string
	for i, l := range c.Lines {
		p.Lines = append(p.Lines, drawn{l.Name, path(x, y, epochs, l.Values), i > 0})
		p.Columns = append(p.Columns, l.Name)
		ends = append(ends, fmt.Sprintf("%s ends at %s", l.Name, number(l.Values[len(epochs)-1])))
	}
	p.Summary = fmt.Sprintf("%s over %s: %s", c.Title, count(len(epochs), "epoch"), strings.Join(ends, ", "))
	for i, e := range c.Epochs {
		row := []string{strconv.Itoa(e)}
		for _, l := range c.Lines {
			row = append(row, number(l.Values[i]))
		}
		p.Rows = append(p.Rows, row)
	}
	return p
}

// learning draws accuracy over the number of photos, with its interval.
func (r *Report) learning() plot {
	p := plot{ID: "learning", Title: "accuracy by the number of photos", X: "photos to train on", Columns: []string{"photos", "accuracy", "95 % interval"}}
	if len(r.Learning) == 0 {
		return p
	}
	low, high := 1.0, 0.0
	for _, q := range r.Learning {
		low, high = min(low, q.Interval[0]), max(high, q.Interval[1])
	}
	low, high = math.Floor(10*low)/10, math.Ceil(10*high)/10
	x, y := across(0, float64(r.Learning[len(r.Learning)-1].Photos)), up(low, high)
	p.XTicks, p.YTicks = x.ticks(6, 1, short), y.ticks(5, 0, wholePercent)
	var photos, accuracy, band, values []float64
	for _, q := range r.Learning {
		n := float64(q.Photos)
		photos, accuracy = append(photos, n), append(accuracy, q.Accuracy)
		band, values = append(band, n), append(values, q.Interval[1])
		text := fmt.Sprintf("%s (%s to %s)", percent(q.Accuracy), percent(q.Interval[0]), percent(q.Interval[1]))
		p.Dots = append(p.Dots, dot{unit(x.at(n)), unit(y.at(q.Accuracy)), "4", fmt.Sprintf("%d photos: %s", q.Photos, text)})
		p.Rows = append(p.Rows, []string{strconv.Itoa(q.Photos), percent(q.Accuracy), percent(q.Interval[0]) + " to " + percent(q.Interval[1])})
	}
	for i := len(r.Learning) - 1; i >= 0; i-- {
		band, values = append(band, float64(r.Learning[i].Photos)), append(values, r.Learning[i].Interval[0])
	}
	p.Lines = []drawn{{Name: "accuracy on photos that were held out, with its 95 % interval", Path: path(x, y, photos, accuracy)}}
	p.Band = path(x, y, band, values) + "Z"
	last := r.Learning[len(r.Learning)-1]
	p.Summary = fmt.Sprintf("accuracy grows from %s with %d photos to %s with %d", percent(r.Learning[0].Accuracy), r.Learning[0].Photos, percent(last.Accuracy), last.Photos)
	return p
}

// plot draws the share that is right over the probability; a dot's area is the number of photos.
func (b *Reliability) plot() plot {
	p := plot{
		ID: "reliable", Title: "probability and what is right", X: "probability of the answer", Diagonal: true,
		Columns: []string{"photos", "mean probability", "right"},
	}
	x, y := across(0, 1), up(0, 1)
	p.XTicks, p.YTicks = x.ticks(5, 0, wholePercent), y.ticks(5, 0, wholePercent)
	most := 1
	for _, bin := range b.Bins {
		most = max(most, bin.Photos)
	}
	for _, bin := range b.Bins {
		if bin.Photos == 0 {
			continue
		}
		radius := 3 + 11*math.Sqrt(float64(bin.Photos)/float64(most))
		text := fmt.Sprintf("%s of about %s: %s are right", count(bin.Photos, "answer"), percent(bin.Sure), percent(bin.Right))
		p.Dots = append(p.Dots, dot{unit(x.at(bin.Sure)), unit(y.at(bin.Right)), unit(radius), text})
		p.Rows = append(p.Rows, []string{strconv.Itoa(bin.Photos), percent(bin.Sure), percent(bin.Right)})
	}
	p.Summary = fmt.Sprintf("the share of answers that is right by their probability; the expected calibration error is %s", percent(b.Error))
	return p
}

// trade draws precision and coverage over the threshold.
func trade(all []outcome) plot {
	p := plot{ID: "trade", Title: "precision and coverage by the threshold", X: "threshold", Columns: []string{"threshold", "coverage", "precision"}}
	x, y := across(0, 1), up(0, 1)
	p.XTicks, p.YTicks = x.ticks(5, 0, short), y.ticks(5, 0, wholePercent)
	photos := float64(max(all[0].Answered, 1))
	var at, coverage, precision []float64
	for k, o := range all {
		right := math.NaN()
		if o.Answered > 0 {
			right = float64(o.Right) / float64(o.Answered)
		}
		if k%4 == 0 {
			at, coverage, precision = append(at, float64(k)/steps), append(coverage, float64(o.Answered)/photos), append(precision, right)
		}
		if k%100 == 0 || k == 950 || k == 990 {
			row := []string{fmt.Sprintf("%.2f", float64(k)/steps), percent(float64(o.Answered) / photos), "no answers"}
			if o.Answered > 0 {
				row[2] = percent(right)
			}
			p.Rows = append(p.Rows, row)
		}
	}
	p.Lines = []drawn{{"precision: of the answers that count, what is right", path(x, y, at, precision), false},
		{"coverage: photos that have an answer", path(x, y, at, coverage), true}}
	p.Summary = "with a higher threshold fewer photos have an answer, and more of the answers are right; the table below has the figures"
	return p
}
