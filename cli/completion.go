package cli

import (
	"embed"
	"fmt"
	"strings"

	urfave "github.com/urfave/cli/v2"

	"regraft/weights"
)

// completionFlag ends the arguments when a shell asks what could come next.
const completionFlag = "--generate-shell-completion"

var shells = []string{"bash", "zsh", "fish", "powershell"}

//go:embed completion
var completionScripts embed.FS

func completionCommand(con *console) *urfave.Command {
	return &urfave.Command{
		Name:        "completion",
		Usage:       "print the completion script of a shell",
		ArgsUsage:   strings.Join(shells, "|"),
		Description: "source <(regraft completion bash)",
		Action: func(c *urfave.Context) error {
			script, err := completionScripts.ReadFile("completion/" + c.Args().First())
			if err != nil || c.NArg() != 1 {
				return usagef("which shell? one of %s", strings.Join(shells, ", "))
			}
			con.printf("%s", script)
			return nil
		},
	}
}

// complete prints what may follow words, one candidate a line; nothing means a file name.
func complete(con *console, app *urfave.App, words []string) {
	commands, flags := app.Commands, []urfave.Flag(nil)
	arguments := func() []string { return []string{"help", "version"} }
	last := ""
	for _, word := range words {
		last = word
		if c := findCommand(commands, word); c != nil {
			commands, flags, arguments = c.Subcommands, c.Flags, candidates[c.Name]
		}
	}
	if f := findFlag(flags, last); f != nil && f.TakesValue() {
		for _, choice := range choicesOf(f) {
			con.printf("%s\n", choice)
		}
		return
	}
	for _, c := range commands {
		con.printf("%s\n", c.Name)
	}
	if arguments != nil {
		con.printf("%s\n", strings.Join(arguments(), "\n"))
	}
	for _, f := range flags {
		con.printf("%s\n", dashed(f.Names()[0]))
	}
}

// candidates are the arguments of the commands that take one of a list.
var candidates = map[string]func() []string{
	"completion": func() []string { return shells },
	"pull":       sourceNames,
}

func sourceNames() (names []string) {
	for _, s := range weights.Sources() {
		names = append(names, s.Name)
	}
	return names
}

func findFlag(flags []urfave.Flag, word string) urfave.DocGenerationFlag {
	if !strings.HasPrefix(word, "-") {
		return nil
	}
	for _, f := range flags {
		for _, name := range f.Names() {
			if name == strings.TrimLeft(word, "-") {
				return f.(urfave.DocGenerationFlag)
			}
		}
	}
	return nil
}

// dashed is a flag's name as it is typed.
func dashed(name string) string {
	if len(name) == 1 {
		return "-" + name
	}
	return fmt.Sprintf("--%s", name)
}
