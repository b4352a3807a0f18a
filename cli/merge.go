package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"

	urfave "github.com/urfave/cli/v2"

	"regraft/atomicfile"
	"regraft/journal"
	"regraft/shard"
)

func mergeCommand(con *console) *urfave.Command {
	return &urfave.Command{
		Name:        "merge",
		Usage:       "put the parts of classify --shard together, in the order of the inputs",
		ArgsUsage:   "DIR|FILE... -o answers.jsonl",
		Description: "regraft merge answers/ -o answers.jsonl",
		Flags:       []urfave.Flag{stringFlag("out", "", "`FILE` for all answers, with the ending of the parts", "output", "o")},
		Action:      func(c *urfave.Context) error { return merge(con, c) },
	}
}

func merge(con *console, c *urfave.Context) error {
	out, err := required(c, "out")
	if err != nil {
		return err
	}
	if c.NArg() == 0 {
		return usagef("no parts given: name the folder of the parts, or files")
	}
	parts, err := shard.Find(c.Args().Slice())
	if err != nil {
		return fail(statusData, err)
	}
	if ending := filepath.Ext(parts[0].Path); filepath.Ext(out) != ending {
		return usagef("--out %q: the parts are %s files, and the name must end so", out, ending)
	}
	var p journal.Progress
	err = atomicfile.WriteNew(out, func(w io.Writer) error {
		var err error
		if p, err = shard.Merge(parts, w); err != nil {
			return fail(statusData, err)
		}
		return nil
	})
	switch {
	case errors.Is(err, fs.ErrExist):
		return usagef("%s is there already: choose another name, or remove it", out)
	case err != nil:
		return err
	}
	mark := journal.Mark{Origin: parts[0].Mark.Origin, Progress: p}
	mark.Shard = ""
	if err := mark.Write(out); err != nil {
		return err
	}
	failed := ""
	if p.Failed > 0 {
		failed = fmt.Sprintf(", %d of them without a class", p.Failed)
	}
	con.notef("%s: %s of %s%s", out, counted(p.Answered, "answer"), counted(len(parts), "shard"), failed)
	return nil
}
