package chart

import (
	"fmt"
	"io"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

// typeface measures and outlines text in Go Regular, and letters that it lacks in fonts of the computer. It keeps its first
// error, as bufio.Writer does.
type typeface struct {
	font     *sfnt.Font
	borrowed map[rune]glyph // from other fonts
	files    []io.Closer    // of these
	buf      sfnt.Buffer
	err      error
}

// newTypeface prepares to write the texts; close gives the fonts' files back.
func newTypeface(texts ...string) (*typeface, error) {
	parsed, err := sfnt.Parse(goregular.TTF)
	if err != nil {
		return nil, fmt.Errorf("the embedded typeface: %w", err)
	}
	f := &typeface{font: parsed, borrowed: map[rune]glyph{}}
	if missing := f.missing(texts); len(missing) > 0 {
		f.borrow(missing)
	}
	return f, nil
}

func (f *typeface) close() {
	for _, file := range f.files {
		file.Close()
	}
}

// glyph is the outline of a character in one of the fonts.
type glyph struct {
	font  *sfnt.Font
	index sfnt.GlyphIndex // 0 is a box for what the font lacks
}

// glyph finds a character; readable has taken away those that no font has.
func (f *typeface) glyph(r rune) glyph {
	if g, found := f.borrowed[r]; found {
		return g
	}
	index, err := f.font.GlyphIndex(&f.buf, r)
	f.keep(err)
	return glyph{f.font, index}
}

// advance is the distance from this glyph's origin to the next one's, at size pixels an em.
func (f *typeface) advance(g glyph, size int) fixed.Int26_6 {
	a, err := g.font.GlyphAdvance(&f.buf, g.index, fixed.I(size), font.HintingNone)
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

const ellipsis = "…"

// shorten cuts the end of a text that is longer than width pixels.
func (f *typeface) shorten(s string, size, width int) string {
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

// pinch cuts the middle of a text that is longer than width pixels: names often differ at their ends only.
func (f *typeface) pinch(s string, size, width int) string {
	if f.width(s, size) <= width {
		return s
	}
	text := []rune(s)
	head, tail := 0, 0 // characters that are kept at both ends
	left := fixed.I(width) - f.advance(f.glyph('…'), size)
	for {
		next := text[head]
		if tail < head {
			next = text[len(text)-1-tail]
		}
		if left -= f.advance(f.glyph(next), size); left < 0 {
			break
		}
		if tail < head {
			tail++
		} else {
			head++
		}
	}
	return string(text[:head]) + ellipsis + string(text[len(text)-tail:])
}

// outline is the path of a line of text that starts at the origin and runs to the right.
func (f *typeface) outline(s string, size int) sfnt.Segments {
	var path sfnt.Segments
	var x fixed.Int26_6
	for _, r := range s {
		g := f.glyph(r)
		segments, err := g.font.LoadGlyph(&f.buf, g.index, fixed.I(size), nil)
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
