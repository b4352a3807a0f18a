package chart

import (
	"math"

	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

// sides of the polygon that stands for a circle.
const sides = 32

// point is a place or a direction in pixels.
type point struct{ x, y float64 }

// Directions of text.
var (
	across = point{1, 0}
	rising = point{math.Sqrt2 / 2, -math.Sqrt2 / 2}
	upward = point{0, -1}
)

func (p point) fixed() fixed.Point26_6 {
	return fixed.Point26_6{X: fixed.Int26_6(math.Round(p.x * 64)), Y: fixed.Int26_6(math.Round(p.y * 64))}
}

// place moves a path by shift, turns it from across into the direction, and moves it to the point at.
func place(path sfnt.Segments, shift, direction, at point) {
	for i := range path {
		for k, p := range path[i].Args {
			x, y := float64(p.X)/64+shift.x, float64(p.Y)/64+shift.y
			path[i].Args[k] = point{at.x + x*direction.x - y*direction.y, at.y + x*direction.y + y*direction.x}.fixed()
		}
	}
}

// disc is the path of a circle, drawn as a polygon: its discs are a few pixels wide.
func disc(at point, radius float64) sfnt.Segments {
	var path sfnt.Segments
	for i := range sides {
		y, x := math.Sincos(2 * math.Pi * float64(i) / sides)
		path = corner(path, point{at.x + radius*x, at.y - radius*y}, i == 0)
	}
	return path
}

// corner adds a corner of a polygon to a path.
func corner(path sfnt.Segments, at point, first bool) sfnt.Segments {
	op := sfnt.SegmentOpLineTo
	if first {
		op = sfnt.SegmentOpMoveTo
	}
	return append(path, sfnt.Segment{Op: op, Args: [3]fixed.Point26_6{at.fixed()}})
}

// stroke is the path of a line through the points with round joints and ends. All its pieces turn the same way, so
// that they add up where they overlap. Half-covered pixels add up too: discs are half a pixel smaller than the line.
func stroke(points []point, width float64) sfnt.Segments {
	var path sfnt.Segments
	for i, b := range points {
		path = append(path, disc(b, (width-1)/2)...)
		if i == 0 || b == points[i-1] {
			continue
		}
		a := points[i-1]
		length := math.Hypot(b.x-a.x, b.y-a.y)
		nx, ny := -(b.y-a.y)/length*width/2, (b.x-a.x)/length*width/2
		for k, at := range []point{{a.x + nx, a.y + ny}, {b.x + nx, b.y + ny}, {b.x - nx, b.y - ny}, {a.x - nx, a.y - ny}} {
			path = corner(path, at, k == 0)
		}
	}
	return path
}
