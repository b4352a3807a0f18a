package photo

import (
	"fmt"
	"strconv"
	"strings"
)

// Size is the height and width of an image in pixels.
type Size struct{ H, W int }

// Square is the size of a square.
func Square(side int) Size { return Size{side, side} }

// String is the side of a square, and height x width of anything else: 299, 480x224.
func (s Size) String() string {
	if s.H == s.W {
		return strconv.Itoa(s.H)
	}
	return fmt.Sprintf("%dx%d", s.H, s.W)
}

// ParseSize reads what String writes.
func ParseSize(text string) (Size, error) {
	height, width, both := strings.Cut(text, "x")
	if !both {
		width = height
	}
	h, err := strconv.Atoi(height)
	w, errW := strconv.Atoi(width)
	if s := (Size{h, w}); err == nil && errW == nil && s.fits() {
		return s, nil
	}
	return Size{}, fmt.Errorf("%q is no size of photos: a number of pixels up to %d, or height x width, such as 480x224", text, maxSide)
}

// maxSide bounds the sides of the network's input: far beyond any network, far below overflow.
const maxSide = 1 << 14

// fits tells whether both sides are possible.
func (s Size) fits() bool { return min(s.H, s.W) >= 1 && max(s.H, s.W) <= maxSide }

// longer is the longer side.
func (s Size) longer() int { return max(s.H, s.W) }
