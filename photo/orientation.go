package photo

import (
	"bytes"

	"github.com/bep/imagemeta"
)

// orientation reads the EXIF orientation, 1 to 8. A file without one, or with
// broken metadata, counts as upright (1): its pixels are good all the same.
func orientation(data []byte, f imagemeta.ImageFormat) int {
	found := 1
	_, _ = imagemeta.Decode(imagemeta.Options{
		R:           bytes.NewReader(data),
		ImageFormat: f,
		Sources:     imagemeta.EXIF,
		ShouldHandleTag: func(t imagemeta.TagInfo) bool {
			return t.Tag == "Orientation" && t.Namespace == "IFD0"
		},
		HandleTag: func(t imagemeta.TagInfo) error {
			if v, ok := t.Value.(uint16); ok && v >= 1 && v <= 8 {
				found = int(v)
			}
			return imagemeta.ErrStopWalking
		},
	})
	return found
}

// Two of the EXIF orientations.
const (
	mirrored   = 2 // left and right are swapped
	upsideDown = 4 // top and bottom are swapped
)

// upright undoes the EXIF orientation o (EXIF 2.32, tag 0x0112): 2 to 4 mirror
// or turn by 180 degrees, 5 to 8 swap the sides as well.
func upright(m *Image, o int) *Image {
	if o <= 1 || o > 8 {
		return m
	}
	mirrorX := o == 2 || o == 3 || o == 7 || o == 8
	mirrorY := o == 3 || o == 4 || o == 6 || o == 7
	swap := o >= 5

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
