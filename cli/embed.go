package cli

import (
	"errors"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	urfave "github.com/urfave/cli/v2"

	"regraft"
	"regraft/atomicfile"
	"regraft/featurefile"
	"regraft/head"
	"regraft/journal"
	"regraft/shard"
	"regraft/train"
)

func embedCommand(con *console) *urfave.Command {
	flags := []urfave.Flag{
		modelFlag(),
		stringFlag("out", "", "`FILE`.npy, .npz, .csv or .parquet for the features; with --shard a folder too, for its part", "output", "o"),
		stringFlag("shard", "", ".parquet: part `I/N` of the inputs, I from 0; auto: as Slurm, Kubernetes and others say"),
		boolFlag("resume", ".parquet: leave a file alone that is complete"),
		boolFlag("skip-bad", "photos without features leave exit status 0"),
	}
	return &urfave.Command{
		Name:        "embed",
		Usage:       "write the features of photos, the numbers that the classifier reads, to a file",
		ArgsUsage:   "--model M.onnx PATH... -o features.npz   (files, folders; - reads paths from stdin)",
		Description: "regraft embed --model runs/places/best.onnx data/places -o features.npz",
		Flags:       slices.Concat(flags, answeringFlags()),
		Action:      func(c *urfave.Context) error { return embedPhotos(con, c) },
	}
}

func embedPhotos(con *console, c *urfave.Context) error {
	model, out := c.String("model"), c.String("out")
	if err := needs(c, needed{"model", model}, needed{"out", out}); err != nil {
		return err
	}
	if c.NArg() == 0 {
		return usagef("no photos given: name files or folders, or - for paths on stdin")
	}
	e := &embedding{con: con, c: c, model: model}
	if err := e.choose(out); err != nil {
		return err
	}
	err := atomicfile.Write(e.out, func(w io.Writer) error { // a folder that is missing shows before anything takes time
		if e.err = e.write(w); e.err != nil {
			return e.err
		}
		return e.table.close()
	})
	switch {
	case e.err == errComplete:
		con.notef("%s is complete", e.out)
		return nil
	case e.err != nil: // not of the file
		return e.err
	case err != nil:
		return err
	}
	con.notef("%s: %s of %s", e.out, counted(e.features, "feature"), counted(e.done.photos-e.done.bad, "photo"))
	if e.ending == ".npy" { // has room for nothing else
		for i, path := range e.paths {
			con.printf("%s\t%s\n", shown(path), shown(e.labels[i]))
		}
	}
	return e.done.verdict(con, c.Bool("skip-bad"), noFeatures)
}

// embedding writes a table of features.
type embedding struct {
	con   *console
	c     *urfave.Context
	model string
	// out is the file, by whose ending the table is made.
	out, ending string
	shard       shard.Shard
	table       table
	// paths and labels are of the rows of an .npy file.
	paths, labels []string
	features      int
	done          tally
	err           error // why there is no file, but for those of writing
}

// errComplete says that nothing is left to be done.
var errComplete = errors.New("the file is complete")

// choose settles the file and its format.
func (e *embedding) choose(out string) (err error) {
	if e.shard, err = shardOf(e.c); err != nil {
		return err
	}
	e.out, e.ending = out, strings.ToLower(filepath.Ext(out))
	sharded := e.shard != shard.Shard{}
	if sharded && tables[e.ending] == nil {
		e.ending = ".parquet"
		e.out, err = partFile(out, e.shard, e.ending)
		return err
	}
	switch {
	case tables[e.ending] == nil:
		return usagef("--out %q: the name must end in .npy, .npz, .csv or .parquet", out)
	case e.ending != ".parquet" && sharded:
		return usagef("--shard needs --out FILE.parquet, or a folder")
	case e.ending != ".parquet":
		return idle(e.c, "without --out FILE.parquet", "resume")
	}
	return nil
}

// write makes the rows as the photos are read. It is an error where there are none, but in a shard.
func (e *embedding) write(w io.Writer) error {
	m, done, err := openForFeatures(e.con, e.c, e.model, regraft.Hashes())
	if err != nil {
		return err
	}
	defer done()
	args := e.c.Args().Slice()
	in, places := newInputs(e.c.Context, e.con, args), placesOf(args)
	var info featurefile.Info
	if e.ending == ".parquet" {
		if info, err = e.describe(m, in); err != nil {
			return err
		}
	}
	begin := func(features int) {
		e.features, e.table = features, tables[e.ending](w, features)
	}
	e.done, err = eachFeatures(e.c.Context, e.con, m, in, func(r regraft.Result) error {
		if e.table == nil {
			begin(len(r.Features))
		}
		of := places[r.Path]
		if e.ending == ".npy" {
			e.paths, e.labels = append(e.paths, r.Path), append(e.labels, of.label)
		}
		return e.table.add(r, of)
	})
	switch {
	case err != nil:
		return err
	case e.table == nil && e.shard.Count > 0: // others have the photos
		a, err := m.Answers()
		if err != nil {
			return err
		}
		begin(a.Net.Outputs[len(a.Net.Outputs)-1].Node.Shape()[1])
	case e.table == nil:
		return e.done.verdict(e.con, false, noFeatures)
	}
	if t, is := e.table.(*parquetTable); is {
		info.Failed = e.done.bad
		t.info = info
	}
	return nil
}

// describe lists the inputs, and says what the file will be made of. With --resume, errComplete tells that it is there.
func (e *embedding) describe(m *regraft.Model, in *inputs) (info featurefile.Info, err error) {
	a, err := m.Answers()
	if err != nil {
		return info, err
	}
	trunk, err := a.Net.Subgraph(a.Net.Outputs[len(a.Net.Outputs)-1])
	if err != nil {
		return info, fail(statusModel, err)
	}
	info.Source = train.FeatureSource(trunk, e.c.String("algorithm") == "direct", new(head.Hasher))
	if info.Origin, err = originOf(e.c, m); err != nil {
		return info, err
	}
	if _, err = in.settle(&info.Origin, e.shard); err != nil {
		return info, err
	}
	if !e.c.Bool("resume") {
		return info, nil
	}
	was, err := featurefile.ReadInfo(e.out)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return info, nil
	case err != nil:
		return info, fail(statusData, err)
	}
	if d := info.Origin.Differs(was.Origin); d != "" {
		return info, journal.RefusedError(e.out + " was made with other things: " + d + "; choose another name")
	}
	return info, errComplete
}
