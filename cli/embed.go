package cli

import (
	"archive/zip"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	urfave "github.com/urfave/cli/v2"

	"regraft"
	"regraft/atomicfile"
	"regraft/photo"
)

func embedCommand(con *console) *urfave.Command {
	flags := []urfave.Flag{
		modelFlag(),
		stringFlag("out", "", "`FILE`.npy, .npz or .csv for the features", "output", "o"),
		headFlag(), tiffFlag(), maxPixelsFlag(), decodeMemoryFlag(), batchFlag(8), threadsFlag(), workersFlag(), algorithmFlag(),
	}
	return &urfave.Command{
		Name:        "embed",
		Usage:       "write the features of photos, the numbers that the classifier reads, to a file",
		ArgsUsage:   "--model M.onnx PATH... -o features.npz   (files, folders; - reads paths from stdin)",
		Description: "regraft embed --model runs/places/best.onnx data/places -o features.npz",
		Flags:       slices.Concat(flags, cacheFlags(), preprocessFlags()),
		Action:      func(c *urfave.Context) error { return embedPhotos(con, c) },
	}
}

// embedded are the features of photos, with the names of their classes where folders tell them.
type embedded struct {
	paths, labels []string
	features      [][]float32
}

// writers are the formats that embed knows, by the ending of the file.
var writers = map[string]func(*embedded, io.Writer) error{
	".npy": (*embedded).npy, ".npz": (*embedded).npz, ".csv": (*embedded).csv,
}

func embedPhotos(con *console, c *urfave.Context) error {
	model, out := c.String("model"), c.String("out")
	if err := needs(c, needed{"model", model}, needed{"out", out}); err != nil {
		return err
	}
	write := writers[strings.ToLower(filepath.Ext(out))]
	if write == nil {
		return usagef("--out %q: the name must end in .npy, .npz or .csv", out)
	}
	if c.NArg() == 0 {
		return usagef("no photos given: name files or folders, or - for paths on stdin")
	}
	m, done, err := openForFeatures(con, c, model)
	if err != nil {
		return err
	}
	defer done()
	e, failed := featuresOf(c.Context, con, m, newInputs(con, c.Args().Slice()))
	if len(e.paths) == 0 {
		return failed
	}
	e.labels = labelsOf(c.Args().Slice(), e.paths)
	if err := atomicfile.Write(out, func(w io.Writer) error { return write(e, w) }); err != nil {
		return err
	}
	con.notef("%s: %d features of %s", out, len(e.features[0]), counted(len(e.paths), "photo"))
	if filepath.Ext(out) == ".npy" { // has room for nothing else
		for i, path := range e.paths {
			con.printf("%s\t%s\n", shown(path), shown(e.labels[i]))
		}
	}
	return failed
}

// openForFeatures opens a model whose classifier reads a row of features. The caller calls done.
func openForFeatures(con *console, c *urfave.Context, path string) (m *regraft.Model, done func(), err error) {
	cache, err := featureCache(c)
	if err != nil {
		return nil, nil, err
	}
	if m, err = openModel(con, c, path, regraft.AnswersOnly(), regraft.Cache(cache)); err != nil {
		return nil, nil, err
	}
	a, err := m.Answers()
	if err == nil && !a.Features {
		err = fmt.Errorf("no classifier was recognised that reads a row of features")
	}
	if err != nil {
		m.Close()
		return nil, nil, fail(statusModel, fmt.Errorf("%s: %w", path, err))
	}
	return m, func() {
		m.Close()
		keptOrTold(con, cache)
	}, nil
}

// featuresOf computes the features of all inputs. What has none is told of, and an error at the end; the others are there.
func featuresOf(ctx context.Context, con *console, m *regraft.Model, in *inputs) (*embedded, error) {
	e, bad := &embedded{}, 0
	bar := con.progress(0, "photos", "features")
	defer bar.end()
	for r, err := range m.Stream(ctx, in.photos()) {
		switch {
		case err != nil:
			return &embedded{}, err
		case r.Err != nil:
			bad++
			con.warnf("%s: %s", shown(r.Path), shown(reason(r)))
			continue
		}
		e.paths, e.features = append(e.paths, r.Path), append(e.features, r.Features)
		bar.set(len(e.paths)+bad, in.total())
	}
	bar.end()
	for _, line := range photo.Summary(in.leftOut) {
		con.notef("%s", line)
	}
	switch {
	case in.err != nil:
		return e, in.err
	case len(e.paths)+bad == 0:
		return e, failf(statusData, "no photos found")
	case bad > 0:
		return e, failf(statusInputs, "%d of %d photos have no features", bad, len(e.paths)+bad)
	}
	return e, nil
}

// labelsOf are the classes of photos in folders that are labelled as train takes them; "" for all others.
func labelsOf(args, paths []string) []string {
	known := map[string]string{}
	for _, arg := range args {
		d, err := photo.Scan(arg, photo.ScanOptions{Whole: true})
		if err != nil {
			continue // photos without labels
		}
		for _, s := range slices.Concat(d.Train, d.Val, d.Test) {
			known[s.Path] = d.Classes[s.Label]
		}
	}
	labels := make([]string, len(paths))
	for i, p := range paths {
		labels[i] = known[p]
	}
	return labels
}

// npy has the features alone, (photos, F) in float32.
func (e *embedded) npy(w io.Writer) error { return floatsNPY(w, e.features, len(e.features[0])) }

// npz has the arrays path, label and features.
func (e *embedded) npz(w io.Writer) error {
	z := zip.NewWriter(w)
	for _, a := range []struct {
		name  string
		write func(io.Writer) error
	}{
		{"path", func(w io.Writer) error { return textsNPY(w, photo.TextAll(e.paths)) }},
		{"label", func(w io.Writer) error { return textsNPY(w, photo.TextAll(e.labels)) }},
		{"features", e.npy},
	} {
		f, err := z.CreateHeader(&zip.FileHeader{Name: a.name + ".npy", Method: zip.Store})
		if err == nil {
			err = a.write(f)
		}
		if err != nil {
			return err
		}
	}
	return z.Close()
}

// csv has the columns path, label and f0, f1, ...
func (e *embedded) csv(w io.Writer) error {
	table := csv.NewWriter(w)
	line := []string{"path", "label"}
	for f := range e.features[0] {
		line = append(line, "f"+strconv.Itoa(f))
	}
	table.Write(line)
	for i, row := range e.features {
		line = append(line[:0], photo.Text(e.paths[i]), photo.Text(e.labels[i]))
		for _, v := range row {
			line = append(line, strconv.FormatFloat(float64(v), 'g', -1, 32))
		}
		table.Write(line)
	}
	table.Flush()
	return table.Error()
}
