package photo

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Shown is a name from outside as it may be printed: quoted as Go does it where it has control characters, bytes that are
// not UTF-8, invisible signs or those that turn the direction of the text, or blanks at its ends, and unchanged otherwise.
func Shown(name string) string {
	plain := utf8.ValidString(name) && !strings.ContainsFunc(name, unprintable) &&
		!strings.HasPrefix(name, `"`) && strings.TrimSpace(name) == name
	if plain {
		return name
	}
	return strconv.Quote(name)
}

// ShownAll is Shown of each name.
func ShownAll(names []string) []string {
	shown := make([]string, len(names))
	for i, n := range names {
		shown[i] = Shown(n)
	}
	return shown
}

// Few writes at most so many names of a list, and how many more there are.
func Few(most int, names []string) string {
	if len(names) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
	}
	return strings.Join(names, ", ")
}

// few is Few in sentences.
func few(names []string) string { return Few(5, names) }

// unprintable characters move the cursor or the direction of what follows, or are not seen at all. Joiners are: they shape Persian
// words and families of emoji.
func unprintable(r rune) bool {
	const nonJoiner, joiner = '\u200c', '\u200d'
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) && r != nonJoiner && r != joiner
}

// Text is a name as text for JSON and CSV, which cannot hold all bytes that names of files can: a byte that is not UTF-8
// becomes \xHH, and in a name with such a byte a backslash is doubled. Other names stay as they are.
func Text(name string) string {
	if utf8.ValidString(name) {
		return name
	}
	var b strings.Builder
	for i := 0; i < len(name); {
		r, size := utf8.DecodeRuneInString(name[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			fmt.Fprintf(&b, `\x%02x`, name[i])
		case r == '\\':
			b.WriteString(`\\`)
		default:
			b.WriteString(name[i : i+size])
		}
		i += size
	}
	return b.String()
}

// TextAll is Text of each name.
func TextAll(names []string) []string {
	texts := make([]string, len(names))
	for i, n := range names {
		texts[i] = Text(n)
	}
	return texts
}

// Difference tells a name from that one of names which looks the same: they differ only in their Unicode form, in capitals
// or in blanks. It shows the characters of both from the first different one on, and is "" where there is none.
func Difference(name string, names []string) string {
	for _, other := range names {
		if other == name || folded(other) != folded(name) {
			continue
		}
		a, b := []rune(name), []rune(other)
		same := 0
		for same < min(len(a), len(b)) && a[same] == b[same] {
			same++
		}
		return fmt.Sprintf("%q looks like %q, but has %s where that has %s", name, other, codePoints(a[same:]), codePoints(b[same:]))
	}
	return ""
}

// folded is what is equal in names that look the same.
func folded(name string) string {
	name = strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Cf, r) {
			return -1
		}
		return r
	}, name)
	return strings.ToLower(strings.Join(strings.Fields(norm.NFKC.String(name)), " "))
}

// codePoints names the first few characters.
func codePoints(runes []rune) string {
	const most = 4
	if len(runes) == 0 {
		return "nothing"
	}
	var names []string
	for _, r := range runes[:min(most, len(runes))] {
		names = append(names, fmt.Sprintf("%U", r))
	}
	if len(runes) > most {
		names = append(names, "...")
	}
	return strings.Join(names, " ")
}

// Count is a number and what it counts, in the form that agrees: Count(1, "photo lies", "photos lie") is "1 photo lies".
func Count(n int, one, many string) string { return fmt.Sprintf("%d %s", n, Form(n, one, many)) }

// Form is the word that agrees with a number.
func Form(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// Share is such as "1 of 4 photos has", "3 of 4 photos have" and "1 of 1 photo has".
func Share(n, of int, one, many string) string {
	return fmt.Sprintf("%d of %s %s", n, Count(of, "photo", "photos"), Form(n, one, many))
}
