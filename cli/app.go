// Package cli is the command line: flags in, words and tables out, one file a command. Results go
// to standard output, everything else to standard error; the exit statuses are in errors.go.
package cli

import (
	"context"
	"fmt"
	"io"
	"runtime"

	urfave "github.com/urfave/cli/v2"

	"regraft"
	"regraft/measure"
)

// Run executes the program with the given arguments (without the program's name) and returns its
// exit status. Only calls of different processes are independent of each other: an interrupt
// signal ends every Run in the process.
func Run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	con := newConsole(stdin, stdout, stderr)
	ctx, release := untilSignal(con)
	defer release()
	err := execute(ctx, con, args)
	if flushed := con.out.Flush(); err == nil && flushed != nil {
		err = fmt.Errorf("standard output: %w", flushed)
	}
	con.close()
	return con.status(ctx, err)
}

// execute parses args and runs the command that they name.
func execute(ctx context.Context, con *console, args []string) error {
	app := newApp(con)
	if n := len(args); n > 0 && args[n-1] == completionFlag {
		complete(con, app, args[:n-1])
		return nil
	}
	ordered, err := reorder(app, asFlags(args))
	if err != nil {
		return err
	}
	app.Metadata = map[string]any{arguments: ordered}
	return app.RunContext(ctx, append([]string{app.Name}, ordered...))
}

func newApp(con *console) *urfave.App {
	app := &urfave.App{
		Name:            "regraft",
		Usage:           "fine-tune and run image classifiers that come as ONNX files, on the CPU",
		Version:         version(),
		Reader:          con.in,
		Writer:          con.out,
		ErrWriter:       con.err,
		HideHelpCommand: true,
		OnUsageError:    usageProblem,
		ExitErrHandler:  func(*urfave.Context, error) {},
		Commands: []*urfave.Command{
			inspectCommand(con),
			trainCommand(con),
			evalCommand(con),
			classifyCommand(con),
			mergeCommand(con),
			undoCommand(con),
			checkCommand(con),
			augmentCommand(con),
			verifyCommand(con),
			benchCommand(con),
			importCommand(con),
			exportCommand(con),
			weightsCommand(con),
			compareCommand(con),
			embedCommand(con),
			similarCommand(con),
			cacheCommand(con),
			demoCommand(con),
			completionCommand(con),
		},
	}
	for _, c := range app.Commands {
		prepare(con, app.Name, c)
	}
	app.CustomAppHelpTemplate = appHelp(app)
	return app
}

// version says what program this is: of which version, for which system, and what it computes with there.
func version() string {
	isa, err := measure.ISA()
	if err != nil {
		isa = "no instruction set" // every command says why
	}
	return fmt.Sprintf("%s (%s/%s, %s)", regraft.Version(), runtime.GOOS, runtime.GOARCH, isa)
}

// prepare gives a command and its subcommands what all commands share.
func prepare(con *console, parent string, c *urfave.Command) {
	full := parent + " " + c.Name
	c.HideHelpCommand = true
	c.OnUsageError = usageProblem
	c.Flags = append(c.Flags, quietFlag())
	c.Before = func(ctx *urfave.Context) error {
		con.quiet = ctx.Bool("quiet")
		_, err := measure.ISA() // REGRAFT_ISA may ask for what this machine does not have
		return fail(statusUsage, err)
	}
	c.CustomHelpTemplate = commandHelp(full, c)
	for _, sub := range c.Subcommands {
		prepare(con, full, sub)
	}
}
