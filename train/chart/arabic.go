package chart

import "unicode"

// arabicForms has the letters that join their neighbours, as blocks of characters for their shapes: alone, at the end of a word, at
// its beginning, in its middle; a letter of two shapes does not join the next one. (Unicode 16, Arabic Presentation Forms-A and -B;
// fonts have them for programs without a shaping engine.)
var arabicForms = func() map[rune]arabicForm {
	forms := map[rune]arabicForm{}
	for _, block := range []struct {
		first   rune
		letters string
		shapes  string // of each
	}{
		{0xfe80, "ءآأؤإئابةتثجحخدذرزسشصضطظعغفقكلمنهوىي", "122224242444442222444444444444444224"},
		{0xfb56, "پ", "4"}, {0xfb7a, "چ", "4"}, {0xfb8a, "ژ", "2"}, {0xfb8e, "ک", "4"}, {0xfb92, "گ", "4"}, {0xfbfc, "ی", "4"},
		{0xfb66, "ٹ", "4"}, {0xfb88, "ڈ", "2"}, {0xfb8c, "ڑ", "2"}, {0xfba6, "ہ", "4"}, {0xfbae, "ے", "2"},
	} {
		for i, letter := range []rune(block.letters) {
			n := rune(block.shapes[i] - '0')
			forms[letter] = arabicForm{block.first, int(n)}
			block.first += n
		}
	}
	return forms
}()

type arabicForm struct {
	alone  rune
	shapes int
}

// lamAlef are the ligatures of lam with a form of alef, alone; the next character is that at the end of a word.
var lamAlef = map[rune]rune{'آ': 0xfef5, 'أ': 0xfef7, 'إ': 0xfef9, 'ا': 0xfefb}

// joined replaces Arabic letters by their shapes in the word; the order stays.
func joined(s string) string {
	text := []rune(s)
	var out []rune
	joins := false // the letter before, with this one
	for i := 0; i < len(text); i++ {
		form, found := arabicForms[text[i]]
		if !found {
			out = append(out, text[i])
			joins = joins && unicode.Is(unicode.Mn, text[i]) // vowel signs do not part letters
			continue
		}
		shape, next := form.alone, i+1
		if ligature := lamAlef[after(text, next)]; text[i] == 'ل' && ligature != 0 {
			shape, next, form = ligature, next+1, arabicForm{ligature, 2}
			i++
		}
		if joins && form.shapes > 1 {
			shape++
		}
		joins = form.shapes == 4 && arabicForms[letterAfter(text, next)].shapes > 1
		if joins {
			shape += 2
		}
		out = append(out, shape)
	}
	return string(out)
}

// after is the character at i, 0 at the end.
func after(text []rune, i int) rune {
	if i < len(text) {
		return text[i]
	}
	return 0
}

// letterAfter is the next character from i on that is no vowel sign.
func letterAfter(text []rune, i int) rune {
	for i < len(text) && unicode.Is(unicode.Mn, text[i]) {
		i++
	}
	return after(text, i)
}

// isArabicForm is whether a character is such a shape.
func isArabicForm(r rune) bool { return 0xfb50 <= r && r <= 0xfdff || 0xfe70 <= r && r <= 0xfefc }
