package scene

import (
	"cmp"
	"math"
	"slices"
)

// place is a point in space: metres to the right, up and ahead.
type place struct{ x, y, z float64 }

// view is a camera with a canvas: it stands at eye and looks ahead, turned to the right by yaw and
// up by pitch (radians).
type view struct {
	*canvas
	eye                place
	sinYaw, cosYaw     float64
	sinPitch, cosPitch float64
	focal              float64    // in pixels
	light              [3]float64 // brightness of faces across, up and ahead
}

func (c *canvas) view(eye place, yaw, pitch, focal float64) *view {
	v := &view{canvas: c, eye: eye, focal: focal * Width}
	v.sinYaw, v.cosYaw = math.Sincos(yaw)
	v.sinPitch, v.cosPitch = math.Sincos(pitch)
	v.light = [3]float64{c.Uniform(0.6, 1), c.Uniform(0.8, 1.1), c.Uniform(0.6, 1)}
	return v
}

// turned is p as the camera sees it.
func (v *view) turned(p place) place {
	x, y, z := p.x-v.eye.x, p.y-v.eye.y, p.z-v.eye.z
	x, z = v.cosYaw*x-v.sinYaw*z, v.sinYaw*x+v.cosYaw*z
	return place{x, v.cosPitch*y - v.sinPitch*z, v.sinPitch*y + v.cosPitch*z}
}

// screen is where the camera's sight of p lies on the canvas.
func (v *view) screen(p place) point {
	return point{Width/2 + v.focal*p.x/p.z, Height/2 - v.focal*p.y/p.z}
}

// closest is the distance in metres before which nothing is seen.
const closest = 0.1

// face paints a flat polygon in space.
func (v *view) face(t texture, corners ...place) {
	var seen []point
	for i, p := range corners {
		a, b := v.turned(p), v.turned(corners[(i+1)%len(corners)])
		if a.z >= closest {
			seen = append(seen, v.screen(a))
		}
		if (a.z >= closest) != (b.z >= closest) {
			s := (closest - a.z) / (b.z - a.z)
			seen = append(seen, v.screen(place{between(a.x, b.x, s), between(a.y, b.y, s), closest}))
		}
	}
	v.fill(t, seen...)
}

// floor paints a level rectangle.
func (v *view) floor(t texture, x0, x1, y, z0, z1 float64) {
	v.face(t, place{x0, y, z0}, place{x1, y, z0}, place{x1, y, z1}, place{x0, y, z1})
}

// side paints an upright rectangle that stretches ahead.
func (v *view) side(t texture, x, y0, y1, z0, z1 float64) {
	v.face(t, place{x, y0, z0}, place{x, y1, z0}, place{x, y1, z1}, place{x, y0, z1})
}

// front paints an upright rectangle that stretches across.
func (v *view) front(t texture, x0, x1, y0, y1, z float64) {
	v.face(t, place{x0, y0, z}, place{x1, y0, z}, place{x1, y1, z}, place{x0, y1, z})
}

// box is a solid with level and upright sides between two corners.
type box struct {
	low, high place
	colour    rgb
	// sides are painted over the faces across (x) and ahead (z), such as windows; nil for none.
	sides func(v *view, b box)
}

// solid paints the faces of a box that the camera sees.
func (v *view) solid(b box) {
	grain := func(axis int) texture { return v.rough(b.colour.times(v.light[axis]), 14, 0.12) }
	l, h := b.low, b.high
	if v.eye.y > h.y {
		v.floor(grain(1), l.x, h.x, h.y, l.z, h.z)
	} else if v.eye.y < l.y {
		v.floor(grain(1), l.x, h.x, l.y, l.z, h.z)
	}
	if v.eye.x < l.x {
		v.side(grain(0), l.x, l.y, h.y, l.z, h.z)
	} else if v.eye.x > h.x {
		v.side(grain(0), h.x, l.y, h.y, l.z, h.z)
	}
	if v.eye.z < l.z {
		v.front(grain(2), l.x, h.x, l.y, h.y, l.z)
	}
	if b.sides != nil {
		b.sides(v, b)
	}
}

// solids paints boxes, the farthest first.
func (v *view) solids(boxes []box) {
	distance := func(b box) float64 {
		x := (b.low.x+b.high.x)/2 - v.eye.x
		z := (b.low.z+b.high.z)/2 - v.eye.z
		return math.Hypot(x, z)
	}
	slices.SortStableFunc(boxes, func(a, b box) int { return cmp.Compare(distance(b), distance(a)) })
	for _, b := range boxes {
		v.solid(b)
	}
}

// seenSide is the face across that the camera sees, if any.
func (v *view) seenSide(b box) (x float64, seen bool) {
	if v.eye.x < b.low.x {
		return b.low.x, true
	}
	return b.high.x, v.eye.x > b.high.x
}
