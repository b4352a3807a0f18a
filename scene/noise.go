package scene

import (
	"math"

	"regraft/engine/random"
)

// noise is smooth random terrain over the plane, with values from 0 to 1 (value noise: Perlin and
// Hoffert, "Hypertexture", 1989).
type noise struct{ table [4096]float64 }

func newNoise(r *random.Stream) *noise {
	n := &noise{}
	for i := range n.table {
		n.table[i] = r.Float64()
	}
	return n
}

func (n *noise) lattice(x, y int) float64 {
	return n.table[uint32(x*73856093^y*19349663)*2654435769>>20]
}

// at interpolates between the values at whole coordinates.
func (n *noise) at(x, y float64) float64 {
	fx, fy := math.Floor(x), math.Floor(y)
	u, v := ease(x-fx), ease(y-fy)
	ix, iy := int(fx), int(fy)
	top := between(n.lattice(ix, iy), n.lattice(ix+1, iy), u)
	bottom := between(n.lattice(ix, iy+1), n.lattice(ix+1, iy+1), u)
	return between(top, bottom, v)
}

// rough adds three octaves, each of half the size and weight.
func (n *noise) rough(x, y float64) float64 {
	return (4*n.at(x, y) + 2*n.at(2*x+31, 2*y+17) + n.at(4*x+57, 4*y+91)) / 7
}

func ease(t float64) float64 { return t * t * (3 - 2*t) }

func between(a, b, t float64) float64 { return a + float64((b-a)*t) }
