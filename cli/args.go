package cli

import (
	"slices"
	"strings"

	urfave "github.com/urfave/cli/v2"
)

// reorder puts the command first, then its flags, then its arguments behind "--", so that flags
// may stand anywhere: the flag parser itself stops at the first argument.
func reorder(app *urfave.App, args []string) ([]string, error) {
	takesValue := flagsWithValue(app.Commands)
	var path, flags, rest []string
	commands := app.Commands
	for i := 0; i < len(args); i++ {
		arg := args[i]
		switch {
		case arg == "--":
			rest = append(rest, args[i+1:]...)
			i = len(args)
		case len(arg) > 1 && arg[0] == '-':
			flags = append(flags, arg)
			name, _, hasValue := strings.Cut(strings.TrimLeft(arg, "-"), "=")
			if !hasValue && takesValue[name] && i+1 < len(args) {
				i++
				flags = append(flags, args[i])
			}
		case len(commands) > 0:
			c := findCommand(commands, arg)
			if c == nil {
				return nil, unknownCommand(app, path, commands, arg)
			}
			path, commands, takesValue = append(path, arg), c.Subcommands, flagsWithValue([]*urfave.Command{c})
		default:
			rest = append(rest, arg)
		}
	}
	ordered := append(path, flags...)
	if len(rest) > 0 {
		ordered = append(append(ordered, "--"), rest...)
	}
	return ordered, nil
}

// asFlags lets help and version be commands as well: "help train" is "train --help".
func asFlags(args []string) []string {
	if len(args) > 0 {
		switch args[0] {
		case "help":
			return append(slices.Clone(args[1:]), "--help")
		case "version":
			return append([]string{"--version"}, args[1:]...)
		}
	}
	return args
}

func unknownCommand(app *urfave.App, path []string, commands []*urfave.Command, arg string) error {
	where := strings.Join(append([]string{app.Name}, path...), " ")
	return usagef("%q is not a command of %s%s (see %s --help)", arg, where, didYouMean(arg, commandNames(commands)), where)
}

func findCommand(commands []*urfave.Command, name string) *urfave.Command {
	for _, c := range commands {
		if c.HasName(name) {
			return c
		}
	}
	return nil
}

// flagsWithValue lists the names of all flags of the commands, and whether they are followed by a value: in all commands, or, before the
// command is known, in none.
func flagsWithValue(commands []*urfave.Command) map[string]bool {
	takes := map[string]bool{}
	also := func(name string, value bool) {
		before, known := takes[name]
		takes[name] = value && (before || !known)
	}
	for _, c := range commands {
		for _, f := range c.Flags {
			for _, name := range f.Names() {
				d, ok := f.(urfave.DocGenerationFlag)
				also(name, ok && d.TakesValue())
			}
		}
		for name, value := range flagsWithValue(c.Subcommands) {
			also(name, value)
		}
	}
	return takes
}
