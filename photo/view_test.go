package photo

import (
	"fmt"
	"slices"
	"testing"
)

// ramp is an image whose pixels tell where they are.
func ramp(w, h int) *Image {
	m := &Image{W: w, H: h}
	for y := range h {
		for x := range w {
			m.Pix = append(m.Pix, uint8(x), uint8(y), uint8(x+y))
		}
	}
	return m
}

// cut is a part of m.
func cut(m *Image, x, y, w, h int) *Image {
	c := &Image{W: w, H: h}
	for row := y; row < y+h; row++ {
		c.Pix = append(c.Pix, m.row(row)[3*x:3*(x+w)]...)
	}
	return c
}

// TestViews: a view is what preparing its part alone gives, mirrored for odd numbers, by every rule of resizing.
func TestViews(t *testing.T) {
	m := ramp(120, 80)
	parts := map[View]*Image{
		0: m, 2: cut(m, 0, 0, 103, 69), 4: cut(m, 17, 11, 103, 69), 6: cut(m, 17, 0, 103, 69), 8: cut(m, 0, 11, 103, 69),
	}
	for _, rule := range []ResizeRule{Squash, Crop, Letterbox} {
		p := *ImageNet(Size{H: 20, W: 24})
		p.Resize = rule
		for v, part := range parts {
			want, got, turned := make([]float32, p.Values()), make([]float32, p.Values()), make([]float32, p.Values())
			for _, err := range []error{p.Apply(part, 0, want), p.Apply(m, v, got), p.Apply(m, v+1, turned)} {
				if err != nil {
					t.Fatal(err)
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s, view %d: not the part", rule, v)
			}
			for row := range slices.Chunk(turned, p.Size.W) {
				slices.Reverse(row)
			}
			if !slices.Equal(turned, want) {
				t.Errorf("%s, view %d: not the mirror image", rule, v+1)
			}
		}
	}
}

// TestDrawnViews: further views lie inside the photo, are at least as large as they should be, and differ.
func TestDrawnViews(t *testing.T) {
	seen := map[string]bool{}
	for _, size := range [][2]int{{500, 300}, {1, 1}, {3, 200}} {
		for v := View(10); v < 64; v += 2 {
			a := v.augmentation(size[0], size[1])
			if a.X < 0 || a.Y < 0 || a.W < 1 || a.H < 1 || a.X+a.W > size[0] || a.Y+a.H > size[1] {
				t.Errorf("view %d of %v: %+v", v, size, a)
			}
			if size[0] == 500 {
				seen[fmt.Sprint(a)] = true
				if a.W < 350 || a.H < 210 {
					t.Errorf("view %d: %+v", v, a)
				}
			}
		}
	}
	if len(seen) != 27 {
		t.Errorf("%d different views of 27", len(seen))
	}
}
