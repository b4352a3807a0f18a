package cli

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	urfave "github.com/urfave/cli/v2"

	"regraft"
	"regraft/head"
	"regraft/journal"
	"regraft/shard"
)

// formatOf is the format of answers that the flags say, or the name of the file.
func formatOf(c *urfave.Context) (string, error) {
	format, out := c.String("format"), c.String("out")
	if c.Bool("json") {
		if c.IsSet("format") && format != "jsonl" {
			return "", usagef("--json and --format %s contradict each other", format)
		}
		format = "jsonl"
	}
	if out == "" {
		if format == "parquet" {
			return "", usagef("--format parquet needs --out")
		}
		return format, nil
	}
	given := c.Bool("json") || c.IsSet("format")
	if given && format == "text" {
		return "", usagef("--out needs --format jsonl, parquet, csv or csv-excel")
	}
	ending := strings.ToLower(filepath.Ext(out))
	switch {
	case c.String("shard") != "" && given:
		return format, nil
	case c.String("shard") != "":
		return "jsonl", nil
	case !slices.Contains([]string{".jsonl", ".parquet", ".csv"}, ending):
		return "", usagef("--out %q: the name must end in .jsonl, .parquet or .csv", out)
	case !given:
		return ending[1:], nil
	case ending != endingOf(format):
		return "", usagef("--out %q and --format %s contradict each other", out, format)
	}
	return format, nil
}

// endingOf is how names of files of a format end.
func endingOf(format string) string {
	format, _, _ = strings.Cut(format, "-")
	return "." + format
}

// checkOut refuses flags that contradict each other around the format of the answers and --out.
func checkOut(c *urfave.Context) error {
	format, err := formatOf(c)
	switch {
	case err != nil:
		return err
	case c.IsSet("sets") && strings.HasPrefix(format, "csv"):
		return usagef("--sets needs --format text, jsonl or parquet")
	case format != "jsonl" && format != "parquet" && (c.Bool("logits") || c.Bool("features")):
		return usagef("--logits and --features need --format jsonl or parquet")
	case c.String("out") == "":
		return idle(c, "without --out", "resume", "shard")
	case c.String("explain") != "":
		return usagef("--explain goes with answers on standard output, not with --out: a run that is continued could not continue the pictures")
	}
	_, err = shardOf(c)
	return err
}

func shardOf(c *urfave.Context) (shard.Shard, error) {
	text := c.String("shard")
	if text == "" {
		return shard.Shard{}, nil
	}
	s, err := shard.Parse(text, os.Getenv)
	if err != nil {
		return s, usagef("--shard %w", err)
	}
	return s, nil
}

// classifyToFile writes the answers to the file, or the folder of parts, that --out names, and keeps a journal, so that a run that
// was killed goes on.
func classifyToFile(con *console, c *urfave.Context, m *regraft.Model, o answerOptions, in *inputs) (tally, error) {
	s, err := shardOf(c)
	if err != nil {
		return tally{}, err
	}
	origin, err := originOf(c, m)
	if err == nil {
		origin.Settings["--format"], err = formatOf(c)
	}
	if err != nil {
		return tally{}, err
	}
	path, err := outputPath(c, s)
	if err != nil {
		return tally{}, err
	}
	begun := c.Bool("resume") && journal.Begun(path)
	if in.then, err = consequenceOf(con, c, m, path, begun); err != nil {
		return tally{}, err
	}
	var places []int
	if in.watch != nil {
		err = in.watch.origin(&origin)
	} else {
		places, err = in.settle(&origin, s)
	}
	if err != nil {
		return tally{}, err
	}
	file, mark, err := journal.Begin(path, origin, in.total(), c.Bool("resume"))
	if err != nil {
		return tally{}, err
	}
	if mark != nil {
		con.notef("%s is complete: %s", path, counted(mark.Answered, "answer"))
		return tally{photos: mark.Answered, bad: mark.Failed}, nil
	}
	in.answered = tally{photos: file.Answered(), bad: file.Failed()}
	if n := file.Answered(); n > 0 {
		con.notef("%s: %s already", path, in.haveAnswers(n))
	}
	o.continued = file.Begun().Size() > 0
	if in.watch != nil {
		if err := in.watch.recall(file.Begun(), origin.Settings["--format"]); err != nil {
			file.Close()
			return tally{}, fmt.Errorf("%s: %w", path, err)
		}
	}
	t, err := answerInto(con, c, m, o, in, file)
	if err != nil {
		file.Close() // what cannot be kept now is computed again
		con.notef("%s: %s; --resume goes on", path, in.haveAnswers(file.Answered()))
		return t, err
	}
	if filepath.Ext(path) == ".parquet" {
		err = file.CompleteAs(journal.GapsOf(places), func(lines io.Reader, to io.Writer) error { return parquetOf(lines, to, origin) })
	} else {
		err = file.Complete(journal.GapsOf(places))
	}
	if err != nil {
		return t, err
	}
	con.notef("%s: %s", path, counted(t.photos, "answer"))
	return t, nil
}

// answerInto writes the answers that lack.
func answerInto(con *console, c *urfave.Context, m *regraft.Model, o answerOptions, in *inputs, file *journal.Output) (tally, error) {
	into := con.into(file)
	out, err := newAnswers(into, c, o)
	if err != nil {
		return tally{}, err
	}
	t, err := answerAll(c.Context, m, nil, &recorded{in.follow(out, o), file}, in)
	if err == nil {
		err = into.out.Flush() // the heading, where no answer follows
	}
	return t, err
}

// into is the console with a file for results.
func (con *console) into(w io.Writer) *console {
	other := *con
	other.out, other.outTerminal = bufio.NewWriter(w), nil
	return &other
}

// recorded tells the journal of every answer.
type recorded struct {
	answers
	file *journal.Output
}

func (a *recorded) write(r regraft.Result, picture string) error {
	if err := a.answers.write(r, picture); err != nil {
		return err
	}
	return a.file.Answer(r.Err != nil)
}

// originOf is what decides the answers or features, but for the inputs and the format.
func originOf(c *urfave.Context, m *regraft.Model) (journal.Origin, error) {
	o := journal.Origin{Program: regraft.Version(), Settings: map[string]string{}}
	file, err := os.Open(c.String("model"))
	if err != nil {
		return o, fail(statusModel, err)
	}
	defer file.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, file); err != nil {
		return o, err
	}
	o.Model = hex.EncodeToString(sum.Sum(nil))
	o.Network = new(head.Hasher).Fingerprint(m.Network())
	for _, f := range c.Command.Flags {
		if name := f.Names()[0]; c.IsSet(name) && !slices.Contains(indifferent, name) {
			o.Settings["--"+name] = fmt.Sprint(c.Value(name))
		}
	}
	return o, nil
}

// indifferent are flags that decide no byte of the answers.
var indifferent = []string{
	"model", "out", "resume", "shard", "skip-bad", "json", "threads", "workers", "batch-size", "decode-memory", "cache", "no-cache", "cache-limit", "quiet",
	"watch", "sort-into", "sort-mode", "write-xmp",
	"files-from", "null", // the inputs themselves are compared
}

// outputPath is the file that --out names, or that of the shard in its folder.
func outputPath(c *urfave.Context, s shard.Shard) (string, error) {
	out := c.String("out")
	if s.Count == 0 {
		return out, nil
	}
	format, err := formatOf(c)
	if err != nil {
		return "", err
	}
	return partFile(out, s, endingOf(format))
}

// partFile is that of a shard in the folder of all parts, which holds those of one division.
func partFile(folder string, s shard.Shard, ending string) (string, error) {
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return "", err
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		return "", err
	}
	for _, e := range entries {
		if other, _, is := shard.PartOf(e.Name()); is && other.Count != s.Count {
			return "", usagef("%s holds parts of %d shards (%s), not of %d: choose another folder", folder, other.Count, e.Name(), s.Count)
		}
	}
	return filepath.Join(folder, s.Part(ending)), nil
}
