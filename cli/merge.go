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
		Flags:       []urfave.Flag{stringFlag("out", "", "`FILE` for all answers, with the ending of the parts; .jsonl and .parquet become each other", "output", "o")},
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
	from, to := filepath.Ext(parts[0].Path), filepath.Ext(out)
	if from != to && (from == ".csv" || to != ".jsonl" && to != ".parquet") {
		return usagef("--out %q: the parts are %s files, and the name must end so", out, from)
	}
	mark := journal.Mark{Origin: parts[0].Mark.Origin}
	mark.Shard = ""
	if from != to {
		mark.Settings["--format"] = to[1:]
	}
	err = atomicfile.WriteNew(out, func(w io.Writer) (err error) {
		mark.Progress, err = mergeInto(w, parts, mark.Origin, to)
		return fail(statusData, err)
	})
	switch {
	case errors.Is(err, fs.ErrExist):
		return usagef("%s is there already: choose another name, or remove it", out)
	case err != nil:
		return err
	}
	if err := mark.Write(out); err != nil {
		return err
	}
	failed := ""
	if mark.Failed > 0 {
		failed = fmt.Sprintf(", %d of them without a class", mark.Failed)
	}
	con.notef("%s: %s of %s%s", out, counted(mark.Answered, "answer"), counted(len(parts), "shard"), failed)
	return nil
}

// mergeInto writes all answers, as a table or as they are, and says what it wrote.
func mergeInto(w io.Writer, parts []shard.Part, o journal.Origin, ending string) (p journal.Progress, err error) {
	sum := journal.NewSum(w)
	put := func(answer []byte) error {
		_, err := sum.Write(answer)
		return err
	}
	end := func() error { return nil }
	if ending == ".parquet" {
		t, err := answerTable(sum, o)
		if err != nil {
			return p, err
		}
		put, end = t.Add, t.Close
	}
	if p.Answered, p.Failed, err = shard.Merge(parts, put); err != nil {
		return p, err
	}
	err = end()
	p.Bytes, p.Hash = sum.Bytes(), sum.Hash()
	return p, err
}
