package chart

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/image/font/sfnt"
)

// picture decodes what write draws; REGRAFT_FIGURES names a folder to look at it.
func picture(t *testing.T, name string, write func(*bytes.Buffer) error) image.Image {
	t.Helper()
	var b bytes.Buffer
	if err := write(&b); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if dir := os.Getenv("REGRAFT_FIGURES"); dir != "" {
		if err := os.WriteFile(filepath.Join(dir, name+".png"), b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	p, err := png.Decode(&b)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return p
}

func rgba(c color.Color) color.RGBA { return color.RGBAModel.Convert(c).(color.RGBA) }

// near tells whether a pixel within two of the point has the colour.
func near(p image.Image, at point, ink color.RGBA) bool {
	for y := int(at.y) - 2; y <= int(at.y)+2; y++ {
		for x := int(at.x) - 2; x <= int(at.x)+2; x++ {
			if rgba(p.At(x, y)) == ink {
				return true
			}
		}
	}
	return false
}

// matrix has n classes; class i is answered right but for every fifth photo.
func matrix(n, photos int, label string) HeatMap {
	m := HeatMap{Title: fmt.Sprintf("%d photos, accuracy %.1f %%", n*photos, 80.0), X: "answer", Y: "true class"}
	for i := range n {
		m.Labels = append(m.Labels, fmt.Sprintf("%s%d", label, i))
		row := make([]int, n)
		row[i] = photos - photos/5
		row[(i*7+3)%n] += photos / 5
		m.Counts = append(m.Counts, row)
	}
	return m
}

// TestHeatMap draws matrices of every kind of size and compares every cell's corner with its shade.
func TestHeatMap(t *testing.T) {
	face, err := newTypeface()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range []HeatMap{
		matrix(0, 0, ""), matrix(1, 10, "x"), matrix(2, 123456, "class "), matrix(9, 40, "tallbuilding "),
		matrix(30, 5000, "a very long name of a class of photos "), matrix(40, 40, "class "), matrix(1000, 50, "n0144076"),
	} {
		n := len(m.Labels)
		p := picture(t, fmt.Sprintf("heatmap_%d", n), func(b *bytes.Buffer) error { return m.Write(b) })
		g := m.layout(face)
		if !g.plot.In(p.Bounds()) || p.Bounds().Dx() > mostPixels+600 {
			t.Errorf("%d classes: cells in %v, a picture of %v", n, g.plot, p.Bounds())
		}
		if n > 1 && float64(g.every*g.plot.Dx())/float64(n)/math.Sqrt2 < float64(g.size) {
			t.Errorf("%d classes: labels of %d pixels touch each other", n, g.size)
		}
		for i, row := range m.Counts {
			for k, count := range row {
				corner := g.cell(i, k).Min
				if got, want := rgba(p.At(corner.X, corner.Y)), shade(share(count, sum(row))); got != want {
					t.Fatalf("%d classes, row %d, column %d: %v, want %v", n, i, k, got, want)
				}
			}
		}
	}
}

// TestManyClasses holds the picture's size and shows a class that shares its pixel with empty ones.
func TestManyClasses(t *testing.T) {
	n := 3*mostPixels + 1
	m := HeatMap{Labels: slices.Repeat([]string{"x"}, n), Counts: make([][]int, n)}
	row := make([]int, n)
	row[n-1] = 3
	m.Counts[0], m.Counts[n-1] = row, row
	p := picture(t, "heatmap_many", func(b *bytes.Buffer) error { return m.Write(b) })
	face, err := newTypeface()
	if err != nil {
		t.Fatal(err)
	}
	plot := m.layout(face).plot
	if plot.Dx() != mostPixels || rgba(p.At(plot.Max.X-1, plot.Min.Y)) != shade(1) || rgba(p.At(plot.Max.X-1, plot.Max.Y-1)) != shade(1) {
		t.Errorf("%v: the last column is not seen", plot)
	}
}

// TestCurves finds every point of the curves in its colour.
func TestCurves(t *testing.T) {
	face, err := newTypeface()
	if err != nil {
		t.Fatal(err)
	}
	for name, epochs := range map[string]int{"none": 0, "one": 1, "few": 12, "many": 100, "very many": 23456} {
		loss, accuracy := Curves{Title: "loss"}, Curves{Title: "accuracy, %", Top: 100}
		train, val := Line{Name: "train"}, Line{Name: strings.Repeat("validation of ", 10)}
		up, upVal := Line{Name: "train"}, Line{Name: "val"}
		for i := range epochs {
			x := float64(i)
			loss.X, accuracy.X = append(loss.X, float64(i+1)), append(accuracy.X, float64(i+1))
			train.Values, val.Values = append(train.Values, 2.2/(1+x/2)), append(val.Values, 2.2/(1+x/3)+0.1)
			up.Values, upVal.Values = append(up.Values, 100-80/(1+x)), append(upVal.Values, 95-70/(1+x))
		}
		if epochs == 12 {
			val.Values[4], val.Values[5], val.Values[8] = math.NaN(), math.Inf(1), math.NaN()
		}
		loss.Lines, accuracy.Lines = []Line{train, val}, []Line{up, upVal}
		p := picture(t, "curves_"+name, func(b *bytes.Buffer) error { return WriteCurves(b, loss, accuracy) })
		a, _ := loss.axes(face, image.Rect(0, 0, 624, 510).Inset(margin))
		if !a.plot.In(p.Bounds()) {
			t.Errorf("%s: the plot %v is outside of %v", name, a.plot, p.Bounds())
		}
		for i, v := range val.Values {
			at := point{a.x(float64(i + 1)), a.y(v)}
			if finite(v) && !near(p, at, orange) {
				t.Errorf("%s: no point at epoch %d, loss %g", name, i+1, v)
			}
		}
	}
}

func TestTicks(t *testing.T) {
	for _, c := range []struct {
		low, high float64
		most      int
		smallest  float64
		want      string
	}{
		{0, 100, 6, 0, "0 20 40 60 80 100"},
		{0, 2.31, 6, 0, "0 0.5 1 1.5 2"},
		{0, 0.7, 7, 0, "0 0.1 0.2 0.3 0.4 0.5 0.6 0.7"},
		{1, 12, 10, 1, "2 4 6 8 10 12"},
		{1, 3, 10, 1, "1 2 3"},
		{0.5, 1.5, 10, 1, "1"},
		{1, 100, 10, 1, "10 20 30 40 50 60 70 80 90 100"},
		{0, 3e-7, 4, 0, "0 1e-07 2e-07 3e-07"},
		{0, 1.5e300, 4, 0, "0 5e+299 1e+300 1.5e+300"},
		{0, 1e-320, 4, 0, "0"},
		{2, 2, 4, 0, "2"},
	} {
		if got := strings.Join(names(Ticks(c.low, c.high, c.most, c.smallest)), " "); got != c.want {
			t.Errorf("ticks from %g to %g: %s, want %s", c.low, c.high, got, c.want)
		}
	}
}

func TestShorten(t *testing.T) {
	face, err := newTypeface()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{"", "x", "a long name of a class", "Ünïcödé \xff 写真 of all kinds", strings.Repeat("w", 1e6)} {
		for _, width := range []int{30, 100, 10000} {
			got := face.shorten(s, labelSize, width)
			kept, cut := strings.CutSuffix(got, "…")
			if face.width(got, labelSize) > width || !strings.HasPrefix(s, kept) {
				t.Errorf("%.30q in %d pixels: %.30q", s, width, got)
			}
			if fits := len(s) < 1e6 && face.width(s, labelSize) <= width; fits == cut {
				t.Errorf("%.30q in %d pixels: cut is %v", s, width, cut)
			}
		}
	}
	if face.err != nil {
		t.Error(face.err)
	}
}

// TestPaths compares the inked areas with geometry: a disc, and a line with a right angle and round ends.
func TestPaths(t *testing.T) {
	const radius, length, width = 20.0, 50.0, 8.0
	circle := sides * math.Sin(2*math.Pi/sides) / 2 // the polygon's share of the radius' square
	for name, c := range map[string]struct {
		path sfnt.Segments
		area float64
	}{
		"disc": {disc(point{40.3, 40.7}, radius), circle * radius * radius},
		// The square where the legs meet is counted once; of the three discs half, half and a quarter stand out.
		"line": {stroke([]point{{60, 10}, {10, 10}, {10, 60}}, width), 2*length*width - width*width/4 + 1.25*circle*(width-1)*(width-1)/4},
	} {
		// Corners are rounded to a 64th of a pixel, shades to a 256th.
		if got := inked(c.path); math.Abs(got-c.area) > 0.001*c.area {
			t.Errorf("%s: %.2f pixels are inked, want %.2f", name, got, c.area)
		}
	}
}

// inked fills a path on an empty canvas and sums what is black.
func inked(path sfnt.Segments) float64 {
	c := newCanvas(80, 80, nil)
	c.fill(path, black)
	sum := 0.0
	for i := 0; i < len(c.Pix); i += 4 {
		sum += 1 - float64(c.Pix[i])/255
	}
	return sum
}

// TestTextDirection compares where a rising, an upward and a level text lie.
func TestTextDirection(t *testing.T) {
	face, err := newTypeface()
	if err != nil {
		t.Fatal(err)
	}
	long := float64(face.width("HHHHHHHH", labelSize))
	for _, d := range []point{across, rising, upward} {
		c := newCanvas(400, 400, face)
		c.text("HHHHHHHH", point{200, 200}, d, 1, labelSize, black)
		var x, y, ink float64
		for i := 0; i < len(c.Pix); i += 4 {
			dark := 255 - float64(c.Pix[i])
			x, y, ink = x+dark*float64(i/4%400), y+dark*float64(i/4/400), ink+dark
		}
		// The text ends at the point, so its middle is half its length before it.
		want := point{200 - d.x*long/2, 200 - d.y*long/2}
		if got := (point{x / ink, y / ink}); math.Hypot(got.x-want.x, got.y-want.y) > 2 {
			t.Errorf("direction %v: the text's middle is %v, want %v", d, got, want)
		}
	}
}
