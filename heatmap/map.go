package heatmap

import (
	"image"
	"image/color"
	"math"

	"regraft/photo"
)

// Method says how the map was made.
type Method string

// The methods.
const (
	CAM     Method = "cam"
	GradCAM Method = "grad-cam"
)

// Map says of every place of a photo, as the network sees it, what it adds to the score of a class: more than 0 speaks for the class.
type Map struct {
	Class         int
	Method        Method
	Width, Height int
	// Values are (Height, Width), row by row. Those of CAM sum up to the class's logit less the classifier's bias. Of GradCAM (which
	// in its paper goes without those below 0) they do to the first order: where the logit is no linear function of the map they need not.
	Values []float32
}

// Whole reports whether a map that was read from somewhere has the values that it should.
func (m *Map) Whole() bool {
	const most = 1 << 20 // a side, so that no product overflows
	return m.Width > 0 && m.Height > 0 && m.Width <= most && m.Height <= most && len(m.Values) == m.Width*m.Height
}

// strongest is how opaque the colour is where a map is largest.
const strongest = 0.7

// unseen covers what the network does not see of a photo.
var unseen = color.NRGBA{0, 0, 0, 130}

// Overlay is a picture to be laid over a photo of w x h pixels, of which the network sees what is in the window: opaque where the map is
// large, transparent where it is 0 or less, and grey where the network does not look.
func (m *Map) Overlay(w, h int, seen photo.Window) *image.NRGBA {
	top := m.most()
	columns := m.places(w, seen.Left, seen.Right, m.Width)
	rows := m.places(h, seen.Top, seen.Bottom, m.Height)
	out := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y, row := range rows {
		for x, column := range columns {
			if row.outside || column.outside {
				out.SetNRGBA(x, y, unseen)
				continue
			}
			if share := m.at(row, column) / top; share > 0 { // no number where the map is infinite
				out.SetNRGBA(x, y, colour(share))
			}
		}
	}
	return out
}

func (m *Map) most() float64 {
	top := 0.0
	for _, v := range m.Values {
		top = max(top, float64(v))
	}
	return top
}

// place is where a pixel lies in one direction of the map: between its places first and first+1, so far behind the first.
type place struct {
	first, second int
	behind        float64
	outside       bool
}

// places are those of pixels, of which those from one to another are n places of the map.
func (m *Map) places(pixels int, from, to float64, n int) []place {
	list := make([]place, pixels)
	for i := range list {
		at := (float64(i)+0.5-from)/(to-from)*float64(n) - 0.5 // the middle of the first place is 0
		first := math.Floor(at)
		list[i] = place{
			max(int(first), 0), min(int(first)+1, n-1), at - first, at < -0.5 || at > float64(n)-0.5,
		}
	}
	return list
}

// at is the map between its places, linear in both directions.
func (m *Map) at(row, column place) float64 {
	mix := func(a, b float32, share float64) float64 { return float64(a)*(1-share) + float64(b)*share }
	upper, lower := m.Values[row.first*m.Width:], m.Values[row.second*m.Width:]
	u := mix(upper[column.first], upper[column.second], column.behind)
	l := mix(lower[column.first], lower[column.second], column.behind)
	return u*(1-row.behind) + l*row.behind
}

// heat are the colours from 0 to 1, of growing lightness, so that they can be told apart without hues too.
var heat = [][3]float64{{80, 20, 120}, {190, 50, 90}, {245, 125, 30}, {255, 235, 90}}

// colour is that of a share of the largest value.
func colour(share float64) color.NRGBA {
	at := min(max(share, 0), 1) * float64(len(heat)-1)
	k := min(int(at), len(heat)-2)
	var c [3]uint8
	for i := range c {
		c[i] = uint8(heat[k][i] + (heat[k+1][i]-heat[k][i])*(at-float64(k)) + 0.5)
	}
	return color.NRGBA{c[0], c[1], c[2], uint8(255*strongest*min(max(share, 0), 1) + 0.5)}
}
