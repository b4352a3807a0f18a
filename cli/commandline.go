package cli

import (
	"fmt"
	"os"
	"strings"
	"unicode"
	"unicode/utf8"

	urfave "github.com/urfave/cli/v2"
)

// commandLine is the command as a shell takes it again, behind the variables that set flags of it.
func commandLine(c *urfave.Context) string {
	var words []string
	for _, f := range c.Command.Flags {
		name := f.Names()[0]
		for _, variable := range environment(name) {
			if value, set := os.LookupEnv(variable); set && value != "" && !typed(c, name) {
				words = append(words, variable+"="+quoted(value))
			}
		}
	}
	words = append(words, c.App.Name)
	for _, argument := range c.App.Metadata[arguments].([]string) {
		words = append(words, quoted(argument))
	}
	return strings.Join(words, " ")
}

// quoted is a word as a shell reads it: bare, between apostrophes, or, where it cannot be printed, as Bash's and Zsh's $'...'.
func quoted(word string) string {
	plain := func(r rune) bool {
		return r < 0x80 && (unicode.IsLetter(r) || unicode.IsDigit(r)) || strings.ContainsRune("_@%+=:,./-", r)
	}
	printed := func(r rune) bool { return unicode.IsPrint(r) && r != utf8.RuneError }
	switch {
	case word != "" && strings.IndexFunc(word, func(r rune) bool { return !plain(r) }) < 0:
		return word
	case strings.IndexFunc(word, func(r rune) bool { return !printed(r) }) < 0:
		return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
	}
	var b strings.Builder
	b.WriteString("$'")
	for len(word) > 0 {
		r, size := utf8.DecodeRuneInString(word)
		switch {
		case r == '\'' || r == '\\':
			b.WriteString(`\` + word[:size])
		case printed(r):
			b.WriteString(word[:size])
		default:
			for _, v := range []byte(word[:size]) {
				fmt.Fprintf(&b, `\x%02x`, v)
			}
		}
		word = word[size:]
	}
	b.WriteString("'")
	return b.String()
}
