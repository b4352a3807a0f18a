package chart

import (
	"image"
	"image/color"
	"io"
	"slices"
	"strconv"
	"strings"
)

// HeatMap is a square matrix of counts over labelled classes.
type HeatMap struct {
	Title  string
	X, Y   string   // what columns and rows are
	Labels []string // of the columns from the left and of the rows from the top
	Counts [][]int  // rows of as many counts as there are labels
}

// Beyond mostCounts classes the cells are too small for numbers; beyond mostPixels a class has less than a pixel or two,
// and the picture grows no more.
const (
	mostCounts = 30
	mostPixels = 3000
	longest    = 600 // of a label, in pixels
	leastLined = 8   // pixels of a cell; smaller ones have lines around ten of them
)

// Write draws the matrix as a PNG. A cell's shade is its share of the row.
func (m HeatMap) Write(w io.Writer) error {
	face, err := newTypeface(slices.Concat(m.Labels, []string{m.Title})...)
	if err != nil {
		return err
	}
	defer face.close()
	g := m.layout(face)
	title := face.shorten(face.readable(m.Title), titleSize, 2*longest)
	right := max(g.plot.Max.X, face.width(title, titleSize)+margin)
	c := newCanvas(right+margin, g.plot.Max.Y+g.below, face)
	c.text(title, point{float64(c.Bounds().Dx()) / 2, margin + titleSize/2}, across, 0.5, titleSize, black)
	g.lines(c)
	m.shade(c, g)
	if len(m.Labels) <= mostCounts {
		m.write(c, g)
	}
	m.label(c, g)
	return c.write(w)
}

// grid says where the cells are and how the classes are labelled.
type grid struct {
	plot   image.Rectangle
	n      int
	below  int // height of what stands below the cells
	size   int // of the labels' text
	every  int // class that has room for a label
	labels []string
}

func (m HeatMap) layout(face *typeface) grid {
	n := len(m.Labels)
	g := grid{n: n, size: labelSize, every: 1}
	side := max(72*n, 288)
	if n > mostCounts {
		side, g.size = min(24*n, mostPixels), smallSize
		g.every = (24*n + side - 1) / side
	}
	g.labels = m.names(face, g.size)
	room := face.widest(g.labels, g.size)
	left := margin + titleSize + gap + room + gap
	top := margin + titleSize + 2*gap
	g.plot = image.Rect(left, top, left+side, top+side)
	// A label that rises at 45 degrees is as high as it is wide: room / √2, and its letters add their own height.
	g.below = gap + room*71/100 + g.size + gap + titleSize + margin
	return g
}

// names are the labels as they are drawn: cut where they are long, and with the number of the class where several look the same.
func (m HeatMap) names(face *typeface, size int) []string {
	names := make([]string, len(m.Labels))
	first := map[string]int{}
	for i, label := range m.Labels {
		names[i] = face.pinch(face.readable(label), size, longest)
		k, twice := first[names[i]]
		if !twice {
			first[names[i]] = i
			continue
		}
		for _, i := range []int{k, i} {
			number := strconv.Itoa(i+1) + " "
			if !strings.HasPrefix(names[i], number) {
				names[i] = number + names[i]
			}
		}
	}
	return names
}

// edge is the distance of class i's first pixel from the first class.
func (g grid) edge(i int) int { return i * g.plot.Dx() / g.n }

// centre is the middle of a cell.
func (g grid) centre(row, column int) point {
	half := float64(g.plot.Dx()) / float64(2*g.n)
	return point{float64(g.plot.Min.X) + float64(2*column+1)*half, float64(g.plot.Min.Y) + float64(2*row+1)*half}
}

// cell is the area of a cell, at least one pixel.
func (g grid) cell(row, column int) image.Rectangle {
	x, y := g.edge(column), g.edge(row)
	return image.Rect(x, y, max(x+1, g.edge(column+1)), max(y+1, g.edge(row+1))).Add(g.plot.Min)
}

// lines separates the cells, so that the eye finds the label of a cell; of small ones, tens of classes.
func (g grid) lines(c *canvas) {
	for i := 1; i < g.n; i++ {
		ink := faint
		if g.n > mostCounts && i%10 == 0 {
			ink = grey
		}
		if ink == faint && g.plot.Dx() < leastLined*g.n || g.plot.Dx() < 2*g.n {
			continue
		}
		x, y := g.plot.Min.X+g.edge(i)-1, g.plot.Min.Y+g.edge(i)-1 // the last pixel of a cell
		c.rect(image.Rect(x, g.plot.Min.Y, x+1, g.plot.Max.Y), ink)
		c.rect(image.Rect(g.plot.Min.X, y, g.plot.Max.X, y+1), ink)
	}
}

// shade fills the cells; where several share a pixel the darkest is seen.
func (m HeatMap) shade(c *canvas, g grid) {
	for i, row := range m.Counts {
		total := sum(row)
		for k, count := range row {
			if count == 0 {
				continue
			}
			area, ink := g.cell(i, k), shade(share(count, total))
			if ink.R < c.RGBAAt(area.Min.X, area.Min.Y).R {
				c.rect(area, ink)
			}
		}
	}
	frame(c, g.plot)
}

// write puts the counts into their cells, smaller where the number is long.
func (m HeatMap) write(c *canvas, g grid) {
	for i, row := range m.Counts {
		total := sum(row)
		for k, count := range row {
			if count == 0 {
				continue
			}
			ink := black
			if share(count, total) > 0.5 {
				ink = white
			}
			number, size, room := strconv.Itoa(count), labelSize, g.cell(i, k).Dx()-gap
			if width := c.face.width(number, size); width > room {
				size = size * room / width
			}
			c.text(number, g.centre(i, k), across, 0.5, size, ink)
		}
	}
}

// label names the classes and the axes.
func (m HeatMap) label(c *canvas, g grid) {
	left, bottom := float64(g.plot.Min.X), float64(g.plot.Max.Y)
	for i := 0; i < g.n; i += g.every {
		at := g.centre(i, i)
		c.text(g.labels[i], point{left - gap, at.y}, across, 1, g.size, black)
		c.text(g.labels[i], point{at.x, bottom + gap + float64(g.size)/4}, rising, 1, g.size, black)
	}
	half := float64(g.plot.Dx()) / 2
	c.text(m.X, point{left + half, float64(c.Bounds().Dy() - margin - titleSize/2)}, across, 0.5, titleSize, black)
	c.text(m.Y, point{margin + titleSize/2, float64(g.plot.Min.Y) + half}, upward, 0.5, titleSize, black)
}

// frame draws a thin line around an area.
func frame(c *canvas, r image.Rectangle) {
	outer := r.Inset(-1)
	c.rect(image.Rect(outer.Min.X, outer.Min.Y, outer.Max.X, r.Min.Y), grey)
	c.rect(image.Rect(outer.Min.X, r.Max.Y, outer.Max.X, outer.Max.Y), grey)
	c.rect(image.Rect(outer.Min.X, outer.Min.Y, r.Min.X, outer.Max.Y), grey)
	c.rect(image.Rect(r.Max.X, outer.Min.Y, outer.Max.X, outer.Max.Y), grey)
}

// shade goes from white to dark blue.
func shade(t float64) color.RGBA {
	mix := func(to float64) uint8 { return uint8(255 + t*(to-255)) }
	return color.RGBA{mix(8), mix(64), mix(129), 255}
}

func sum(row []int) int {
	total := 0
	for _, count := range row {
		total += count
	}
	return total
}

func share(count, total int) float64 { return float64(count) / float64(total) }
