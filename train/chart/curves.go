package chart

import (
	"cmp"
	"image"
	"image/color"
	"io"
	"math"
)

// Curves is one diagram: a few lines over the epochs.
type Curves struct {
	Title string
	X     []float64 // in rising order: epochs
	// Across names the x axis where it is not that of epochs. Powers says that X are exponents of ten.
	Across string
	Powers bool
	Lines  []Line
	// Top is the highest value of the y axis, which begins at 0; where it is 0 the highest value of the lines is.
	Top float64
}

// Line is a named curve, one value for each of X. Where the value is not finite the curve has a gap; a value between gaps is a mark.
type Line struct {
	Name   string
	Values []float64
}

// Beyond mostPoints epochs a curve is a line without marks.
const mostPoints = 30

var inks = []color.RGBA{blue, orange}

// WriteCurves draws the diagrams side by side as a PNG, the lines of each in blue and orange.
func WriteCurves(w io.Writer, diagrams ...Curves) error {
	const width, height = 624, 510 // of a diagram
	face, err := newTypeface()
	if err != nil {
		return err
	}
	defer face.close()
	c := newCanvas(width*len(diagrams), height, face)
	for i, d := range diagrams {
		d.draw(c, image.Rect(i*width, 0, (i+1)*width, height))
	}
	return c.write(w)
}

// axes maps values to the pixels of the plot.
type axes struct {
	plot             image.Rectangle
	first, last, top float64
}

func (a axes) x(epoch float64) float64 {
	return float64(a.plot.Min.X) + (epoch-a.first)/(a.last-a.first)*float64(a.plot.Dx())
}

func (a axes) y(value float64) float64 {
	return float64(a.plot.Max.Y) - value/a.top*float64(a.plot.Dy())
}

// draw fills its part of the picture: the title, the names of the lines, and the plot, from top to bottom.
func (d Curves) draw(c *canvas, area image.Rectangle) {
	area = area.Inset(margin)
	middle := float64(area.Min.X+area.Max.X) / 2
	title := c.face.shorten(d.Title, titleSize, area.Dx())
	c.text(title, point{middle, float64(area.Min.Y + titleSize/2)}, across, 0.5, titleSize, black)
	a, values := d.axes(c.face, area)
	d.legend(c, image.Rect(a.plot.Min.X, area.Min.Y+titleSize+gap, a.plot.Max.X, a.plot.Min.Y))
	d.grid(c, a, values)
	c.text(cmp.Or(d.Across, "epoch"), point{a.x((a.first + a.last) / 2), float64(area.Max.Y - titleSize/2)}, across, 0.5, titleSize, black)
	for i, line := range d.Lines {
		d.curve(c, a, line, inks[i%len(inks)])
	}
}

// axes finds the plot's area, its ranges, and the values that have a tick on the y axis.
func (d Curves) axes(face *typeface, area image.Rectangle) (axes, []float64) {
	a := axes{top: d.Top}
	if a.top == 0 {
		a.top = d.highest()
	}
	values := Ticks(0, a.top, 6, 0)
	if n := len(d.X); n > 0 {
		a.first, a.last = d.X[0], d.X[n-1]
	}
	if a.first == a.last {
		a.first, a.last = a.first-0.5, a.last+0.5
	}
	a.plot = image.Rect(area.Min.X+face.widest(names(values), labelSize)+gap, area.Min.Y+titleSize+labelSize+3*gap,
		area.Max.X-gap, area.Max.Y-titleSize-labelSize-2*gap)
	return a, values
}

// highest is a little more than the highest finite value.
func (d Curves) highest() float64 {
	top := 0.0
	for _, line := range d.Lines {
		for _, v := range line.Values {
			if finite(v) {
				top = max(top, v)
			}
		}
	}
	if top == 0 || !finite(1.05*top) {
		return 1
	}
	return 1.05 * top
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// legend names the lines in a row.
func (d Curves) legend(c *canvas, area image.Rectangle) {
	const dash = 36
	if len(d.Lines) == 0 {
		return
	}
	x, y := area.Min.X, float64(area.Min.Y+labelSize/2)
	room := area.Dx()/len(d.Lines) - dash - 3*gap
	for i, line := range d.Lines {
		name := c.face.shorten(line.Name, labelSize, room)
		c.rect(image.Rect(x, int(y)-1, x+dash, int(y)+2), inks[i%len(inks)])
		c.text(name, point{float64(x + dash + gap), y}, across, 0, labelSize, black)
		x += dash + gap + c.face.width(name, labelSize) + 2*gap
	}
}

// grid draws the lines behind the curves and the numbers at their ends.
func (d Curves) grid(c *canvas, a axes, values []float64) {
	for i, name := range names(values) {
		y := a.y(values[i])
		c.rect(image.Rect(a.plot.Min.X, int(y), a.plot.Max.X, int(y)+1), grey)
		c.text(name, point{float64(a.plot.Min.X - gap), y}, across, 1, labelSize, black)
	}
	widest := c.face.widest(names([]float64{math.Floor(a.last)}), labelSize)
	epochs := Ticks(a.first, a.last, min(10, a.plot.Dx()/(widest+3*gap)), 1)
	for i, name := range names(epochs) {
		if d.Powers {
			name = "1e" + name
		}
		x := a.x(epochs[i])
		c.rect(image.Rect(int(x), a.plot.Min.Y, int(x)+1, a.plot.Max.Y), grey)
		c.text(name, point{x, float64(a.plot.Max.Y + gap + labelSize/2)}, across, 0.5, labelSize, black)
	}
	c.rect(image.Rect(a.plot.Min.X, a.plot.Max.Y, a.plot.Max.X, a.plot.Max.Y+1), black)
	c.rect(image.Rect(a.plot.Min.X-1, a.plot.Min.Y, a.plot.Min.X, a.plot.Max.Y+1), black)
}

// curve draws one line, with marks where they do not touch.
func (d Curves) curve(c *canvas, a axes, line Line, ink color.RGBA) {
	var run []point
	for i, v := range line.Values {
		if finite(v) && v >= 0 {
			run = append(run, point{a.x(d.X[i]), a.y(min(v, a.top))})
			lone := len(run) == 1 && (i+1 == len(line.Values) || !finite(line.Values[i+1]))
			if len(d.X) <= mostPoints || lone {
				c.fill(disc(run[len(run)-1], 4), ink)
			}
			continue
		}
		c.fill(stroke(run, 3), ink)
		run = nil
	}
	c.fill(stroke(run, 3), ink)
}
