package engine

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// pythonNames renders labels as Ultralytics does: a Python dict of index to name, for ast.literal_eval.
func pythonNames(labels []string) string {
	parts := make([]string, len(labels))
	for i, l := range labels {
		parts[i] = fmt.Sprintf("%d: %s", i, pythonLiteral(l))
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// pythonLiteral quotes text as a Python string, with escapes for what does not print.
func pythonLiteral(text string) string {
	var b strings.Builder
	b.WriteByte('\'')
	for _, r := range text {
		switch {
		case r == '\\' || r == '\'':
			b.WriteByte('\\')
			b.WriteRune(r)
		case strconv.IsPrint(r):
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < 0x100:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r < 0x10000:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
	}
	b.WriteByte('\'')
	return b.String()
}

// parsePythonNames reads a Python dict of index to name, or a list of names.
func parsePythonNames(s string) ([]string, error) {
	var labels []string
	rest := strings.TrimSpace(s)
	if len(rest) < 2 || !strings.ContainsRune("{[", rune(rest[0])) {
		return nil, fmt.Errorf("names is not a Python dict or list")
	}
	rest = rest[1 : len(rest)-1]
	for rest = strings.TrimSpace(rest); rest != ""; rest = strings.TrimSpace(rest) {
		if i := strings.IndexAny(rest, `:'"`); i >= 0 && rest[i] == ':' {
			if n, err := strconv.Atoi(strings.TrimSpace(rest[:i])); err != nil || n != len(labels) {
				return nil, fmt.Errorf("names must be numbered from 0 without gaps")
			}
			rest = strings.TrimSpace(rest[i+1:])
		}
		name, after, err := pythonString(rest)
		if err != nil {
			return nil, err
		}
		labels = append(labels, name)
		rest = strings.TrimPrefix(strings.TrimSpace(after), ",")
	}
	return labels, nil
}

// pythonString reads the string literal with which s begins (Python language reference, 2.4.1.1); rest is what follows it.
func pythonString(s string) (value, rest string, err error) {
	if s == "" || !strings.ContainsRune(`'"`, rune(s[0])) {
		return "", "", fmt.Errorf("names: expected a quoted string")
	}
	var b strings.Builder
	for i := 1; i < len(s); {
		switch {
		case s[i] == s[0]:
			return b.String(), s[i+1:], nil
		case s[i] == '\\' && i+1 < len(s):
			n, err := pythonEscape(&b, s[i+1:])
			if err != nil {
				return "", "", err
			}
			i += 1 + n
		default:
			b.WriteByte(s[i])
			i++
		}
	}
	return "", "", fmt.Errorf("names: unterminated string")
}

// simpleEscapes are those of one letter.
var simpleEscapes = map[byte]string{
	'\\': "\\", '\'': "'", '"': `"`, '\n': "", 'a': "\a", 'b': "\b", 'f': "\f", 'n': "\n", 'r': "\r", 't': "\t", 'v': "\v",
}

// pythonEscape writes what the escape after a backslash stands for, and returns its length in s. An unknown one keeps its backslash.
func pythonEscape(b *strings.Builder, s string) (int, error) {
	if text, ok := simpleEscapes[s[0]]; ok {
		b.WriteString(text)
		return 1, nil
	}
	digits, base, from := map[byte]int{'x': 2, 'u': 4, 'U': 8}[s[0]], 16, 1
	if '0' <= s[0] && s[0] <= '7' {
		base, from = 8, 0
		for digits < min(3, len(s)) && '0' <= s[digits] && s[digits] <= '7' {
			digits++
		}
	}
	if digits == 0 {
		b.WriteString(`\` + s[:1])
		return 1, nil
	}
	if len(s) < from+digits {
		return 0, fmt.Errorf("names: the escape \\%s is too short", s)
	}
	code, err := strconv.ParseUint(s[from:from+digits], base, 32)
	if err != nil || !utf8.ValidRune(rune(code)) {
		return 0, fmt.Errorf("names: \\%s is no character", s[:from+digits])
	}
	b.WriteRune(rune(code))
	return from + digits, nil
}
