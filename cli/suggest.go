package cli

import (
	"fmt"

	urfave "github.com/urfave/cli/v2"
	"github.com/xrash/smetrics"
)

// didYouMean is a question about the name that is most like the given one, "" where none is much like it.
func didYouMean(given string, names []string) string {
	const alike, prefix = 0.82, 4 // Jaro-Winkler: 1 is the same, and equal beginnings count more
	best, distance := "", alike
	for _, name := range names {
		if d := smetrics.JaroWinkler(given, name, 0.7, prefix); d > distance {
			best, distance = name, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %s?", best)
}

func commandNames(commands []*urfave.Command) (names []string) {
	for _, c := range commands {
		names = append(names, c.Names()...)
	}
	return names
}

// flagNames are the names of flags as they are typed.
func flagNames(flags []urfave.Flag) (names []string) {
	for _, f := range flags {
		for _, name := range f.Names() {
			names = append(names, dashed(name))
		}
	}
	return names
}
