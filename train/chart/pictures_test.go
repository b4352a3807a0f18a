package chart

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"math"
	"testing"

	"regraft/golden"
)

// small is a PNG at a sixth of its size, every pixel the mean of a square.
func small(t *testing.T, data []byte) image.Image {
	t.Helper()
	const by = 6
	m, err := png.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	out := image.NewRGBA(image.Rect(0, 0, (m.Bounds().Dx()+by-1)/by, (m.Bounds().Dy()+by-1)/by))
	for y := range out.Rect.Dy() {
		for x := range out.Rect.Dx() {
			var r, g, b, n uint32
			for j := y * by; j < min((y+1)*by, m.Bounds().Dy()); j++ {
				for i := x * by; i < min((x+1)*by, m.Bounds().Dx()); i++ {
					red, green, blue, _ := m.At(i, j).RGBA()
					r, g, b, n = r+red>>8, g+green>>8, b+blue>>8, n+1
				}
			}
			out.SetRGBA(x, y, color.RGBA{uint8(r / n), uint8(g / n), uint8(b / n), 255})
		}
	}
	return out
}

// TestPictures compares pictures with what they were, apart from single pixels of an edge. After a change that is meant:
// go test ./train/chart -run Pictures -update, and look at them.
func TestPictures(t *testing.T) {
	curves := []Curves{
		{Title: "accuracy", X: []float64{1, 2, 3, 4, 5}, Top: 1, Lines: []Line{
			{"train", []float64{0.2, 0.4, 0.6, 0.7, 0.75}}, {"val", []float64{0.3, math.NaN(), 0.5, math.Inf(1), 0.6}}}},
		{Title: "a title that is much too long for the width of one diagram, so that it ends before this", X: []float64{-3, -2, -1, 0}, Across: "learning rate", Powers: true,
			Lines: []Line{{"loss", []float64{2.5, 1.25, 3.75, 40}}}},
		{X: []float64{7}, Lines: []Line{{"zero", []float64{0}}}},
	}
	many := Curves{Title: "many epochs", Lines: []Line{{"a", nil}, {"b", nil}}}
	for i := range mostPoints + 5 {
		many.X = append(many.X, float64(i))
		many.Lines[0].Values, many.Lines[1].Values = append(many.Lines[0].Values, float64(i*i)), append(many.Lines[1].Values, 900-float64(i))
	}
	few := HeatMap{Title: "test photos", X: "answer", Y: "true class", Labels: []string{"bridge", "a long name of a class, longer than the room for it", "sea"}, Counts: [][]int{{7, 1, 0}, {0, 12, 3}, {0, 0, 0}}}
	all := HeatMap{Title: "of many classes"}
	for i := range mostCounts + 5 {
		all.Labels, all.Counts = append(all.Labels, fmt.Sprint("class ", i)), append(all.Counts, make([]int, mostCounts+5))
		all.Counts[i][i], all.Counts[i][i/2] = 9, 3
	}
	for name, draw := range map[string]func(w io.Writer) error{
		"curves": func(w io.Writer) error { return WriteCurves(w, append(curves, many)...) },
		"few":    few.Write, "many": all.Write,
	} {
		var b bytes.Buffer
		if err := draw(&b); err != nil {
			t.Fatal(err)
		}
		golden.Picture(t, "testdata/"+name+".png", small(t, b.Bytes()), 4)
	}
}
