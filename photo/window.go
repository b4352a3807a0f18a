package photo

// Window is a rectangle in the pixels of an upright photo; it may have parts of pixels, and reach beyond the photo.
type Window struct{ Left, Top, Right, Bottom float64 }

// Window is what the input's H x W pixels show of an upright photo of w x h pixels: less than all of it where it is cropped, and more
// where it stands between the bars of a letterbox.
func (p Preprocess) Window(w, h int) Window {
	c := p.scaling(w, h, Augmentation{})
	left, right := along(c.from.Min.X, c.from.Dx(), c.w, c.part.Min.X, c.part.Dx(), p.Size.W)
	top, bottom := along(c.from.Min.Y, c.from.Dy(), c.h, c.part.Min.Y, c.part.Dy(), p.Size.H)
	return Window{left, top, right, bottom}
}

// along is Window in one direction: length pixels of the photo from the pixel first on are scaled to scaled pixels, of which kept from the
// pixel at on stand in the middle of size.
func along(first, length, scaled, at, kept, size int) (from, to float64) {
	pixel := float64(length) / float64(scaled)
	before := (size - kept) / 2
	from = float64(first) + float64(at-before)*pixel
	return from, from + float64(size)*pixel
}
