package cli

import (
	"fmt"
	"strings"
	"text/tabwriter"

	urfave "github.com/urfave/cli/v2"
)

// appHelp is the screen of regraft --help.
func appHelp(app *urfave.App) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n\nusage: %s COMMAND [flags] ARGS    (flags may stand anywhere)\n\n", app.Name, app.Usage, app.Name)
	for _, c := range app.Commands {
		fmt.Fprintf(&b, "  %-12s%s\n", c.Name, c.Usage)
	}
	fmt.Fprintf(&b, `
Every flag can be set by an environment variable: REGRAFT_BATCH_SIZE=8 is --batch-size 8.
REGRAFT_ISA=avx512, avx2, neon or go forces an instruction set; NO_COLOR switches colours off.
Exit status: 0 done, 1 failed, 2 wrong usage, 3 bad data, 4 bad model, 5 some inputs failed,
6 parity (bench: best kernels) not reached, 130 interrupted, 143 terminated.

%[1]s COMMAND --help tells more; %[1]s --version prints the version.
`, app.Name)
	return b.String()
}

// Commands with more flags than these leave out those of preprocessing, which other commands show.
const (
	mostFlags  = 45
	inputFlags = "preprocessing"
)

// commandHelp is the screen of a command: what it does, its flags, a real example (which stands
// in the command's Description).
func commandHelp(full string, c *urfave.Command) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", full, c.Usage)
	if len(c.Aliases) > 0 {
		fmt.Fprintf(&b, " (alias: %s)", strings.Join(c.Aliases, ", "))
	}
	fmt.Fprintf(&b, "\n\nusage: %s [flags] %s\n\n", full, c.ArgsUsage)
	if c.UsageText != "" {
		fmt.Fprintf(&b, "%s\n", c.UsageText)
	}
	for _, sub := range c.Subcommands {
		fmt.Fprintf(&b, "  %-12s%s\n", sub.Name, sub.Usage)
	}
	if len(c.Subcommands) == 0 {
		var elsewhere []string
		w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
		for _, f := range c.Flags {
			if len(c.Flags) > mostFlags && f.(urfave.CategorizableFlag).GetCategory() == inputFlags {
				elsewhere = append(elsewhere, "--"+f.Names()[0])
				continue
			}
			fmt.Fprintln(w, flagHelp(f.(urfave.DocGenerationFlag)))
		}
		w.Flush()
		if elsewhere != nil {
			text := fmt.Sprintf("%s as in regraft eval --help: %s", inputFlags, strings.Join(elsewhere, " "))
			fmt.Fprintf(&b, "\n%s\n", folded(text, 100))
		}
	}
	fmt.Fprintf(&b, "\nexample:\n  %s\n", c.Description)
	return b.String()
}

// flagHelp is one line: short and long name, placeholder; a tab; meaning, default.
func flagHelp(f urfave.DocGenerationFlag) string {
	names := f.Names()
	left := "    "
	for _, n := range names[1:] {
		if len(n) == 1 {
			left = "-" + n + ", "
		}
	}
	left += "--" + names[0]
	placeholder, usage := "", f.GetUsage()
	if before, rest, found := strings.Cut(usage, "`"); found {
		placeholder, rest, _ = strings.Cut(rest, "`")
		usage = before + placeholder + rest
	} else if f.TakesValue() {
		placeholder = defaultPlaceholder(f)
	}
	if placeholder != "" {
		left += " " + placeholder
	}
	if v := f.GetValue(); f.TakesValue() && v != "" && v != "0" && !strings.Contains(usage, "default") {
		usage += fmt.Sprintf(" (default: %s)", v)
	}
	return fmt.Sprintf("  %s\t%s", left, usage)
}

func defaultPlaceholder(f urfave.DocGenerationFlag) string {
	switch f.(type) {
	case *urfave.IntFlag, *urfave.Uint64Flag:
		return "N"
	case *urfave.Float64Flag:
		return "X"
	}
	return "WORD"
}
