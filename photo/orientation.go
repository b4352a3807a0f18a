package photo

import "bytes"

// orientation is 1 to 8, by the rules of Pillow 13 (ImageOps.exif_transpose):
// the tag of the first EXIF directory counts in every numeric type but BYTE,
// and of several values the first. Only where EXIF has no such tag XMP is asked
// (Pillow and torchvision's users turn such photos, browsers do not). A photo
// without either, with broken metadata or with a value that is no orientation
// counts as upright: its pixels are good all the same.
func (m metadata) orientation() int {
	if exif := withoutPrefix(m.exif); len(exif) > 0 {
		if _, ok := byteOrder(exif); !ok {
			return 1
		}
		if f, ok := find(exif, tagOrientation); ok {
			for o := 2; o <= 8; o++ {
				if f.number() == float64(o) {
					return o
				}
			}
			return 1
		}
	}
	return orientationOfXMP(m.xmp)
}

// orientationOfXMP finds the property tiff:Orientation, an attribute in double
// quotes or an element, without reading the XML around it.
func orientationOfXMP(xmp []byte) int {
	name := []byte("tiff:Orientation")
	for {
		_, after, ok := bytes.Cut(xmp, name)
		if !ok {
			return 1
		}
		xmp = after
		value, ok := bytes.CutPrefix(after, []byte(`="`))
		if !ok {
			value, ok = bytes.CutPrefix(after, []byte(">"))
		}
		if !ok || len(value) == 0 || value[0] < '0' || value[0] > '9' {
			continue
		}
		if o := int(value[0] - '0'); o >= 1 && o <= 8 {
			return o
		}
		return 1
	}
}

// Two of the EXIF orientations.
const (
	mirrored   = 2 // left and right are swapped
	upsideDown = 4 // top and bottom are swapped
)

// asStored says how a picture of the orientation o lies in its file: with its sides swapped, and from right to left or from
// bottom to top of what is stored.
func asStored(o int) (swap, mirrorX, mirrorY bool) {
	return o >= 5, o == 2 || o == 3 || o == 7 || o == 8, o == 3 || o == 4 || o == 6 || o == 7
}

// upright undoes the EXIF orientation o (EXIF 2.32, tag 0x0112): 2 to 4 mirror
// or turn by 180 degrees, 5 to 8 swap the sides as well.
func upright(m *Image, o int) *Image {
	if o <= 1 || o > 8 {
		return m
	}
	swap, mirrorX, mirrorY := asStored(o)
	// A step to the right and one down in the stored picture, in bytes.
	start, right, down := 0, 3, 3*m.W
	if mirrorX {
		start, right = start+3*(m.W-1), -right
	}
	if mirrorY {
		start, down = start+3*m.W*(m.H-1), -down
	}
	out := NewImage(m.W, m.H)
	if swap {
		out.W, out.H = m.H, m.W
		right, down = down, right
	}
	for y := range out.H {
		row := out.row(y)
		at := start + y*down
		for x := 0; x < len(row); x += 3 {
			copy(row[x:x+3], m.Pix[at:at+3])
			at += right
		}
	}
	return out
}
