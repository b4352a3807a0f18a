package cli

import (
	"cmp"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"

	urfave "github.com/urfave/cli/v2"

	"regraft/golden"
)

// screens are the commands that have a help screen, and how many lines that may take.
var screens = map[string]int{
	"":             31,
	"inspect":      24,
	"train":        64,
	"eval":         31,
	"classify":     48,
	"compare":      34,
	"embed":        32,
	"similar":      32,
	"augment":      46,
	"cache":        24,
	"merge":        24,
	"undo":         24,
	"check":        34,
	"verify":       24,
	"bench":        24,
	"bench infer":  24,
	"bench train":  24,
	"bench layers": 24,
	"demo":         24,
	"completion":   24,
	"import":       24,
	"weights":      24,
	"weights list": 24,
	"weights pull": 24,
}

func TestHelp(t *testing.T) {
	for command, most := range screens {
		args := append(strings.Fields(command), "--help")
		r := must(t, args...)
		lines := strings.Split(strings.TrimRight(r.stdout, "\n"), "\n")
		if len(lines) > most {
			t.Errorf("%s --help has %d lines, more than %d", command, len(lines), most)
		}
		for _, l := range lines {
			if len(l) > 120 {
				t.Errorf("%s --help: a line of %d characters: %s", command, len(l), l)
			}
		}
		if command != "" && !strings.Contains(r.stdout, "example:\n  ") {
			t.Errorf("%s --help shows no example", command)
		}
		golden.Text(t, filepath.Join("testdata", "help", cmp.Or(strings.ReplaceAll(command, " ", "-"), "regraft")+".txt"), r.stdout)
	}
}

// TestHelpCoversCommands: every command has a screen in the list above.
func TestHelpCoversCommands(t *testing.T) {
	for _, c := range newApp(newConsole(nil, nil, nil)).Commands {
		if _, listed := screens[c.Name]; !listed {
			t.Errorf("command %s is missing in the list of help screens", c.Name)
		}
		for _, sub := range c.Subcommands {
			if _, listed := screens[c.Name+" "+sub.Name]; !listed {
				t.Errorf("command %s %s is missing in the list of help screens", c.Name, sub.Name)
			}
		}
	}
}

// TestHelpExamples: the example of a command is one of that command, and the program understands it, so that nothing lacks but the files.
func TestHelpExamples(t *testing.T) {
	t.Chdir(t.TempDir())
	run := func(name string, c *urfave.Command) {
		var understood bool
		app := newApp(newConsole(nil, io.Discard, io.Discard))
		for _, other := range everyCommand(app) {
			other.Action = func(ctx *urfave.Context) error {
				understood = ctx.Command.FullName() == name || ctx.Command.Name == c.Name
				return nil
			}
		}
		words := strings.Fields(strings.TrimSuffix(strings.TrimPrefix(c.Description, "source <("), ")")) // a shell reads the completion
		if words[0] != app.Name {
			t.Errorf("the example of %s is %q", name, c.Description)
			return
		}
		ordered, err := reorder(app, words[1:])
		if err == nil {
			app.Metadata = map[string]any{arguments: ordered}
			err = app.Run(append([]string{app.Name}, ordered...))
		}
		if err != nil || !understood {
			t.Errorf("the example of %s, %q: %v", name, c.Description, err)
		}
	}
	for _, c := range newApp(newConsole(nil, nil, nil)).Commands {
		if len(c.Subcommands) == 0 {
			run(c.Name, c)
		}
		for _, sub := range c.Subcommands {
			run(sub.Name, sub)
		}
	}
}

// everyCommand are the commands of the program and those below them, by how they are called.
func everyCommand(app *urfave.App) map[string]*urfave.Command {
	all := map[string]*urfave.Command{}
	for _, c := range app.Commands {
		all[c.Name] = c
		for _, sub := range c.Subcommands {
			all[c.Name+" "+sub.Name] = sub
		}
	}
	return all
}

// TestFlags: no command gains or loses a flag, or has another default, without testdata/flags.txt.
func TestFlags(t *testing.T) {
	var got []string
	var list func(of string, commands []*urfave.Command)
	list = func(of string, commands []*urfave.Command) {
		for _, c := range commands {
			for _, f := range c.Flags {
				value := ""
				if d, ok := f.(urfave.DocGenerationFlag); ok {
					value = d.GetValue()
				}
				got = append(got, strings.TrimSpace(fmt.Sprintf("%s%s --%s %s", of, c.Name, strings.Join(f.Names(), " -"), value)))
			}
			list(of+c.Name+" ", c.Subcommands)
		}
	}
	list("", newApp(newConsole(nil, nil, nil)).Commands)
	golden.Text(t, "testdata/flags.txt", strings.Join(got, "\n")+"\n")
}

func TestVersion(t *testing.T) {
	if r := must(t, "--version"); !strings.HasPrefix(r.stdout, "regraft version ") {
		t.Errorf("--version prints %q", r.stdout)
	}
}

func TestCompletion(t *testing.T) {
	for _, shell := range shells {
		if r := must(t, "completion", shell); !strings.Contains(r.stdout, completionFlag) {
			t.Errorf("the script of %s does not ask the program", shell)
		}
	}
	for _, c := range []struct{ words, want string }{
		{"", "classify"},
		{"bench", "infer"},
		{"", "help"},
		{"weights pull", "inception_v3"},
		{"completion", "fish"},
		{"train", "--model"},
		{"train --mode", "full"},
		{"train --model x --opt", "adamw"},
		{"classify -m x --format", "jsonl"},
	} {
		r := must(t, append(strings.Fields(c.words), completionFlag)...)
		if !strings.Contains("\n"+r.stdout, "\n"+c.want+"\n") {
			t.Errorf("after %q, %q is not offered but %q", c.words, c.want, r.stdout)
		}
	}
	if r := must(t, "train", "--model", completionFlag); r.stdout != "" {
		t.Errorf("after --model a file name is wanted, not %q", r.stdout)
	}
}

// TestHelpAndVersionAsCommands: both are what their flags are.
func TestHelpAndVersionAsCommands(t *testing.T) {
	for command, flags := range map[string]string{
		"help": "--help", "help train": "train --help", "help weights pull": "weights pull --help", "version": "--version",
	} {
		if got, want := must(t, strings.Fields(command)...), must(t, strings.Fields(flags)...); got != want {
			t.Errorf("regraft %s prints\n%s, regraft %s\n%s", command, got.stdout, flags, want.stdout)
		}
	}
}
