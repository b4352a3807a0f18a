package chart

import (
	"slices"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"golang.org/x/text/unicode/bidi"
	"golang.org/x/text/unicode/norm"
)

// scripts are those that look right when letter stands beside letter. Arabic does in the shapes that joined takes; others (those of
// India and their kin) join or reorder their letters, which nothing here does.
var scripts = []*unicode.RangeTable{
	unicode.Common, unicode.Inherited, unicode.Latin, unicode.Greek, unicode.Cyrillic, unicode.Armenian, unicode.Georgian, unicode.Hebrew,
	unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Hangul, unicode.Bopomofo, unicode.Thai, unicode.Lao, unicode.Ethiopic, unicode.Cherokee,
}

// readable is text in the order in which it is drawn from left to right, with an escape (\u65e5) for each character that
// cannot be drawn.
func (f *typeface) readable(s string) string {
	s = composed(s)
	if shaped := joined(s); !strings.ContainsFunc(shaped, func(r rune) bool { return !f.has(r) }) {
		s = shaped
	}
	var b strings.Builder
	for _, r := range s {
		if f.has(r) {
			b.WriteRune(r)
			continue
		}
		quoted := strconv.QuoteRuneToASCII(r)
		b.WriteString(quoted[1 : len(quoted)-1])
	}
	return visual(b.String())
}

// composed is a text of bounded length with accents as parts of their letters.
func composed(s string) string {
	const most = 400 // characters; no label has room for as many
	if text := []rune(s); len(text) > most {
		s = string(text[:most/2]) + ellipsis + string(text[len(text)-most/2:])
	}
	return norm.NFC.String(s)
}

// visual turns what is written from right to left (Unicode Standard Annex 9).
func visual(s string) string {
	if !strings.ContainsFunc(s, func(r rune) bool { return unicode.In(r, unicode.Hebrew, unicode.Arabic) }) {
		return s
	}
	var p bidi.Paragraph
	p.SetString(s)
	order, err := p.Order()
	if err != nil {
		return s
	}
	var runs []string
	for i := range order.NumRuns() {
		run := order.Run(i)
		text := run.String()
		if run.Direction() == bidi.RightToLeft {
			text = bidi.ReverseString(text)
		}
		runs = append(runs, text)
	}
	if order.Direction() == bidi.RightToLeft {
		slices.Reverse(runs)
	}
	return strings.Join(runs, "")
}

// has is whether a character can be drawn.
func (f *typeface) has(r rune) bool {
	return drawable(r) && f.glyph(r).index != 0
}

// drawable is whether a character looks right beside others.
func drawable(r rune) bool {
	return strconv.IsPrint(r) && (unicode.In(r, scripts...) || unicode.Is(unicode.Nd, r) || isArabicForm(r))
}

// missing are the characters of the texts that could be drawn, had the fonts an outline for them.
func (f *typeface) missing(texts []string) map[rune]bool {
	missing := map[rune]bool{}
	for _, text := range texts {
		for _, r := range joined(composed(text)) {
			if drawable(r) && f.glyph(r).index == 0 {
				missing[r] = true
			}
		}
	}
	return missing
}

// borrow adds fonts of the computer until they have all the missing characters, or none is left.
func (f *typeface) borrow(missing map[rune]bool) {
	for _, path := range systemFonts() {
		if len(missing) == 0 {
			return
		}
		file, fonts := openFonts(path)
		lent := len(missing)
		for _, font := range fonts {
			f.supply(font, missing)
		}
		if len(missing) < lent {
			f.files = append(f.files, file)
		} else if file != nil {
			file.Close()
		}
	}
}

// supply borrows the characters that a font can draw, and takes them out of missing; fonts of coloured pictures have no outlines.
func (f *typeface) supply(font *sfnt.Font, missing map[rune]bool) {
	for r := range missing {
		index, err := font.GlyphIndex(&f.buf, r)
		if err != nil || index == 0 {
			continue
		}
		if path, err := font.LoadGlyph(&f.buf, index, fixed.I(labelSize), nil); err == nil && (len(path) > 0 || unicode.IsSpace(r)) {
			f.borrowed[r] = glyph{font, index}
			delete(missing, r)
		}
	}
}
