package chart

import (
	"fmt"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

// typeface measures and outlines text in Go Regular. It keeps its first error, as bufio.Writer does.
type typeface struct {
	font *sfnt.Font
	buf  sfnt.Buffer
	err  error
}

func newTypeface() (*typeface, error) {
	parsed, err := sfnt.Parse(goregular.TTF)
	if err != nil {
		return nil, fmt.Errorf("the embedded typeface: %w", err)
	}
	return &typeface{font: parsed}, nil
}

// glyph is the face's outline of a character, an empty box where it has none.
func (f *typeface) glyph(r rune) sfnt.GlyphIndex {
	g, err := f.font.GlyphIndex(&f.buf, r)
	f.keep(err)
	return g
}

// advance is the distance from this glyph's origin to the next one's, at size pixels an em.
func (f *typeface) advance(g sfnt.GlyphIndex, size int) fixed.Int26_6 {
	a, err := f.font.GlyphAdvance(&f.buf, g, fixed.I(size), font.HintingNone)
	f.keep(err)
	return a
}

func (f *typeface) keep(err error) {
	if f.err == nil {
		f.err = err
	}
}

// width is the length of a line of text in pixels.
func (f *typeface) width(s string, size int) int {
	var sum fixed.Int26_6
	for _, r := range s {
		sum += f.advance(f.glyph(r), size)
	}
	return sum.Ceil()
}

// widest is the length of the longest of the texts in pixels.
func (f *typeface) widest(texts []string, size int) int {
	most := 0
	for _, s := range texts {
		most = max(most, f.width(s, size))
	}
	return most
}

// shorten cuts the end of a text that is longer than width pixels.
func (f *typeface) shorten(s string, size, width int) string {
	const ellipsis = "…"
	limit := fixed.I(width)
	room := limit - f.advance(f.glyph('…'), size)
	var sum fixed.Int26_6
	fits := 0 // bytes of s which leave room for the ellipsis
	for i, r := range s {
		if sum <= room {
			fits = i
		}
		if sum += f.advance(f.glyph(r), size); sum > limit {
			return s[:fits] + ellipsis
		}
	}
	return s
}

// outline is the path of a line of text that starts at the origin and runs to the right.
func (f *typeface) outline(s string, size int) sfnt.Segments {
	var path sfnt.Segments
	var x fixed.Int26_6
	for _, r := range s {
		g := f.glyph(r)
		segments, err := f.font.LoadGlyph(&f.buf, g, fixed.I(size), nil)
		f.keep(err)
		for _, segment := range segments {
			for i := range segment.Args {
				segment.Args[i].X += x
			}
			path = append(path, segment)
		}
		x += f.advance(g, size)
	}
	return path
}
