package weights

import (
	"fmt"
	"math"

	"regraft/photo"
)

// A table of positions has a row for every patch of a square grid, row by row, behind rows for special tokens. For photos of another
// size it is resampled by bicubic interpolation, each library in its own way.

// interpolation is how a library resamples a table.
type interpolation struct {
	// corners puts the outermost patches of both grids onto each other (PyTorch's align_corners), not the edges of the grids.
	corners bool
	// antialias widens the filter where the grid becomes smaller, and takes its coefficient to be -0.5, not -0.75.
	antialias bool
	// offset is added to the new grid's side for the step between its patches alone, as DINOv2's own code does.
	offset float64
}

// gridSide is the side of the square grid of a table with so many rows.
func gridSide(rows int) int { return int(math.Sqrt(float64(rows))) }

// prefixTokens is the number of rows of a table that stand before a square grid.
func prefixTokens(rows int) int { return rows - gridSide(rows)*gridSide(rows) }

// resize is the table (rows, width) for a grid of another size.
func (p interpolation) resize(table []float32, rows, width int, grid photo.Size) []float32 {
	prefix, side := prefixTokens(rows), gridSide(rows)
	result := append([]float32(nil), table[:prefix*width]...)
	vertical, horizontal := p.taps(side, grid.H), p.taps(side, grid.W)
	wide := make([]float64, side*grid.W*width) // resampled along rows
	for y := range side {
		for x, taps := range horizontal {
			row := wide[(y*grid.W+x)*width:][:width]
			for _, t := range taps {
				for c, v := range table[(prefix+y*side+t.at)*width:][:width] {
					row[c] += t.weight * float64(v)
				}
			}
		}
	}
	row := make([]float64, width)
	for _, taps := range vertical {
		for x := range grid.W {
			clear(row)
			for _, t := range taps {
				for c, v := range wide[(t.at*grid.W+x)*width:][:width] {
					row[c] += t.weight * v
				}
			}
			for _, v := range row {
				result = append(result, float32(v))
			}
		}
	}
	return result
}

// tap is a weighted patch of the old grid.
type tap struct {
	at     int
	weight float64
}

// taps lists for every patch along a side of the new grid what it is the sum of.
func (p interpolation) taps(from, to int) [][]tap {
	list := make([][]tap, to)
	scale := float64(from) / (float64(to) + p.offset)
	for i := range list {
		centre := (float64(i)+0.5)*scale - 0.5
		if p.corners {
			centre = 0
			if to > 1 {
				centre = float64(i) * float64(from-1) / float64(to-1)
			}
		}
		if p.antialias {
			list[i] = smoothTaps(centre, max(scale, 1), from)
			continue
		}
		base := int(math.Floor(centre))
		for k := base - 1; k <= base+2; k++ { // beyond the edge its patch is repeated
			list[i] = append(list[i], tap{min(max(k, 0), from-1), cubic(float64(k)-centre, -0.75)})
		}
	}
	return list
}

// smoothTaps are those of a filter that is wider by a factor; what lies beyond the edge does not count.
func smoothTaps(centre, wider float64, from int) (taps []tap) {
	sum := 0.0
	first, end := max(int(centre+0.5-2*wider+0.5), 0), min(int(centre+0.5+2*wider+0.5), from)
	for k := first; k < end; k++ {
		w := cubic((float64(k)-centre)/wider, -0.5)
		taps = append(taps, tap{k, w})
		sum += w
	}
	for i := range taps {
		taps[i].weight /= sum
	}
	return taps
}

// cubic is Keys's convolution kernel ("Cubic convolution interpolation for digital image processing", 1981).
func cubic(x, a float64) float64 {
	x = math.Abs(x)
	switch {
	case x <= 1:
		return ((a+2)*x-(a+3))*x*x + 1
	case x < 2:
		return ((a*x-5*a)*x+8*a)*x - 4*a
	}
	return 0
}

// mostPatches bounds the table: attention takes memory in the square of it.
const mostPatches = 1 << 14

// gridFor is the number of patches of photos of a size.
func gridFor(size photo.Size, patch int) (photo.Size, error) {
	if size.H%patch != 0 || size.W%patch != 0 || size.H < 1 || size.W < 1 {
		return photo.Size{}, fmt.Errorf("photos of %v do not divide into patches of %d pixels", size, patch)
	}
	grid := photo.Size{H: size.H / patch, W: size.W / patch}
	if grid.H > mostPatches/grid.W {
		return photo.Size{}, fmt.Errorf("photos of %v have %d patches; at most %d are supported", size, grid.H*grid.W, mostPatches)
	}
	return grid, nil
}
