package train

import (
	"fmt"
	"image/color"
	"io"
	"math"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
)

var (
	blue   = color.RGBA{R: 0x1f, G: 0x77, B: 0xb4, A: 0xff}
	orange = color.RGBA{R: 0xe6, G: 0x6a, B: 0x0a, A: 0xff}
)

// DrawConfusion draws the confusion matrix as a PNG: rows are true classes, columns answers, a cell's shade is
// its share of the row.
func (r *Report) DrawConfusion(w io.Writer) error {
	p := newPlot()
	p.Title.Text = fmt.Sprintf("%d photos, accuracy %.1f %%", r.Images, 100*r.Accuracy)
	p.X.Label.Text, p.Y.Label.Text = "answer", "true class"
	n := len(r.PerClass)
	var columns, rows []plot.Tick
	for i, c := range r.PerClass {
		columns = append(columns, plot.Tick{Value: float64(i), Label: c.Label})
		rows = append(rows, plot.Tick{Value: float64(n - 1 - i), Label: c.Label})
	}
	p.X.Tick.Marker, p.Y.Tick.Marker = plot.ConstantTicks(columns), plot.ConstantTicks(rows)
	p.X.Tick.Label.Rotation = math.Pi / 4
	p.X.Tick.Label.XAlign, p.X.Tick.Label.YAlign = text.XRight, text.YCenter
	p.X.LineStyle.Width, p.Y.LineStyle.Width = 0, 0
	p.X.Tick.LineStyle.Width, p.Y.Tick.LineStyle.Width = 0, 0 // but their length keeps the labels at a distance
	p.Title.Padding = vg.Points(8)

	p.Add(plotter.NewHeatMap(confusionGrid{r}, shades{}))
	if err := r.addCounts(p); err != nil {
		return err
	}
	cell := 36.0
	if n > 30 {
		cell = 12
	}
	side := vg.Points(float64(n)*cell + 180)
	margin := vg.Points(8)
	return writePNG(w, side, side, func(c draw.Canvas) { p.Draw(draw.Crop(c, margin, -2*margin, margin, -margin)) })
}

// addCounts writes the number into every cell, unless there are too many to be read.
func (r *Report) addCounts(p *plot.Plot) error {
	n := len(r.PerClass)
	if n > 30 {
		return nil
	}
	var labels plotter.XYLabels
	var styles []text.Style
	for i, row := range r.Confusion {
		for k, count := range row {
			if count == 0 {
				continue
			}
			labels.XYs = append(labels.XYs, plotter.XY{X: float64(k), Y: float64(n - 1 - i)})
			labels.Labels = append(labels.Labels, strconv.Itoa(count))
			style := p.X.Tick.Label
			style.Rotation, style.XAlign, style.YAlign = 0, text.XCenter, text.YCenter
			if share(count, r.PerClass[i].N) > 0.5 {
				style.Color = color.White
			}
			styles = append(styles, style)
		}
	}
	l, err := plotter.NewLabels(labels)
	if err != nil {
		return err
	}
	l.TextStyle = styles
	p.Add(l)
	return nil
}

// confusionGrid is the matrix as shares of its rows, the first class at the top.
type confusionGrid struct{ *Report }

func (g confusionGrid) Dims() (c, r int) { return len(g.PerClass), len(g.PerClass) }
func (g confusionGrid) X(c int) float64  { return float64(c) }
func (g confusionGrid) Y(r int) float64  { return float64(r) }
func (g confusionGrid) Min() float64     { return 0 }
func (g confusionGrid) Max() float64     { return 1 }
func (g confusionGrid) Z(c, r int) float64 {
	i := len(g.PerClass) - 1 - r
	return share(g.Confusion[i][c], g.PerClass[i].N)
}

// shades go from white to dark blue.
type shades struct{}

func (shades) Colors() []color.Color {
	const steps = 64
	colors := make([]color.Color, steps)
	for i := range colors {
		t := float64(i) / (steps - 1)
		mix := func(to float64) uint8 { return uint8(255 + t*(to-255)) }
		colors[i] = color.RGBA{mix(8), mix(64), mix(129), 255}
	}
	return colors
}

// drawCurves draws loss and accuracy over the epochs as a PNG; selection names the validation set.
func drawCurves(w io.Writer, epochs []Epoch, selection string) error {
	loss, err := curves(epochs, "loss", selection, func(e Epoch) (float64, float64) { return e.TrainLoss, e.ValLoss })
	if err != nil {
		return err
	}
	accuracy, err := curves(epochs, "accuracy, %", selection, func(e Epoch) (float64, float64) { return 100 * e.TrainAcc, 100 * e.ValAcc })
	if err != nil {
		return err
	}
	loss.Y.Min, loss.Legend.Top = 0, true
	accuracy.Y.Min, accuracy.Y.Max = 0, 100
	width, height := 22*vg.Centimeter, 9*vg.Centimeter
	return writePNG(w, width, height, func(c draw.Canvas) {
		tiles := draw.Tiles{Rows: 1, Cols: 2, PadX: vg.Centimeter, PadTop: vg.Millimeter, PadBottom: vg.Millimeter,
			PadLeft: vg.Millimeter, PadRight: 3 * vg.Millimeter}
		loss.Draw(tiles.At(c, 0, 0))
		accuracy.Draw(tiles.At(c, 1, 0))
	})
}

// curves is one quantity of train and validation.
func curves(epochs []Epoch, title, selection string, of func(Epoch) (train, val float64)) (*plot.Plot, error) {
	p := newPlot()
	p.Title.Text, p.X.Label.Text = title, "epoch"
	p.X.Tick.Marker = wholeTicks{}
	p.Add(plotter.NewGrid())
	train, val := make(plotter.XYs, len(epochs)), make(plotter.XYs, len(epochs))
	for i, e := range epochs {
		x := float64(e.Epoch.Epoch)
		train[i].X, val[i].X = x, x
		train[i].Y, val[i].Y = of(e)
	}
	for _, c := range []struct {
		name   string
		points plotter.XYs
		color  color.Color
	}{{"train", train, blue}, {selection, val, orange}} {
		line, points, err := plotter.NewLinePoints(c.points)
		if err != nil {
			return nil, err
		}
		line.Color, line.Width = c.color, vg.Points(1.5)
		p.Add(line)
		p.Legend.Add(c.name, line)
		if len(epochs) <= 30 {
			points.Color, points.Shape, points.Radius = c.color, draw.CircleGlyph{}, vg.Points(2)
			p.Add(points)
		}
	}
	return p, nil
}

// wholeTicks are at most about ten whole numbers.
type wholeTicks struct{}

func (wholeTicks) Ticks(low, high float64) []plot.Tick {
	step := math.Max(1, math.Ceil((high-low)/10))
	var ticks []plot.Tick
	for v := math.Ceil(low/step) * step; v <= high; v += step {
		ticks = append(ticks, plot.Tick{Value: v, Label: strconv.Itoa(int(v))})
	}
	return ticks
}

// newPlot is an empty plot in a typeface without serifs.
func newPlot() *plot.Plot {
	p := plot.New()
	for _, style := range []*text.Style{
		&p.Title.TextStyle, &p.X.Label.TextStyle, &p.Y.Label.TextStyle, &p.X.Tick.Label, &p.Y.Tick.Label, &p.Legend.TextStyle,
	} {
		style.Font.Variant = "Sans"
	}
	return p
}

func writePNG(w io.Writer, width, height font.Length, paint func(draw.Canvas)) error {
	const dpi = 144
	c := vgimg.NewWith(vgimg.UseWH(width, height), vgimg.UseDPI(dpi), vgimg.UseBackgroundColor(color.White))
	paint(draw.New(c))
	_, err := vgimg.PngCanvas{Canvas: c}.WriteTo(w)
	return err
}
