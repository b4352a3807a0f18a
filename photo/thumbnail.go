package photo

import (
	"bytes"
	"image"
	"image/jpeg"

	"github.com/nfnt/resize"
)

// Thumbnail scales the photo to fit side x side pixels; it never enlarges. Made for people to look at, so speed comes before parity with
// Pillow: large photos are reduced to a multiple of that first.
func Thumbnail(m *Image, side int) *Image { return fromImage(m.within(side)) }

// thumbnailQuality is that of the JPEGs of ThumbnailJPEG: about 4 kB at 144 pixels.
const thumbnailQuality = 78

// ThumbnailJPEG is a Thumbnail of the photo that is the content of a file, as a JPEG. Large JPEGs are reduced while they are decoded.
func ThumbnailJPEG(data []byte, o DecodeOptions, side int) ([]byte, error) {
	s, err := open(data, o)
	if err != nil {
		return nil, err
	}
	c := toSize(s.w, s.h, shrunk(s.w, side, max(s.w, s.h)), shrunk(s.h, side, max(s.w, s.h)))
	reduce := 1
	if s.reducible {
		reduce = c.reducible()
	}
	m, err := s.decode(reduce)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = jpeg.Encode(&b, m.within(side), &jpeg.Options{Quality: thumbnailQuality})
	return b.Bytes(), err
}

// shrunk is a length where the longer side becomes side.
func shrunk(length, side, longer int) int {
	if longer <= side {
		return length
	}
	return max((length*side+longer/2)/longer, 1)
}

// within is the photo in at most side x side pixels.
func (m *Image) within(side int) image.Image {
	longer := max(m.W, m.H)
	small := m.blocks(max(longer/(4*side), 1)) // the library holds several numbers a pixel
	if longer <= side {
		return small
	}
	return resize.Resize(uint(shrunk(m.W, side, longer)), uint(shrunk(m.H, side, longer)), small, resize.Bilinear)
}

// blocks is the photo with the mean of n x n pixels for each.
func (m *Image) blocks(n int) *image.RGBA {
	out := image.NewRGBA(image.Rect(0, 0, (m.W+n-1)/n, (m.H+n-1)/n))
	for y := range out.Rect.Dy() {
		for x := range out.Rect.Dx() {
			var sum [3]int
			right, bottom := min((x+1)*n, m.W), min((y+1)*n, m.H)
			for v := y * n; v < bottom; v++ {
				for i, value := range m.row(v)[3*x*n : 3*right] {
					sum[i%3] += int(value)
				}
			}
			pixels := (right - x*n) * (bottom - y*n)
			at := out.Pix[out.PixOffset(x, y):]
			for c := range sum {
				at[c] = uint8((sum[c] + pixels/2) / pixels)
			}
			at[3] = 0xff
		}
	}
	return out
}
