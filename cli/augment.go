package cli

import (
	"cmp"
	"context"
	"fmt"
	"image"
	"image/png"
	"io"
	"path/filepath"
	"slices"
	"strings"

	urfave "github.com/urfave/cli/v2"

	"regraft/atomicfile"
	"regraft/photo"
	"regraft/train"
)

func augmentCommand(con *console) *urfave.Command {
	full := train.Defaults(train.Full, "")
	flags := []urfave.Flag{
		modelFlag(),
		stringFlag("data", "", "`DIR` of a training: its photos as train --mode full numbers, batches and mixes them", "data-dir", "data-path"),
		stringFlag("out", "", "`FILE`.png for the sheet, new", "output", "o"),
		augmentFlag(string(full.Augment), "`WORDS` of the list above, with commas between them"),
		intFlag("epochs", 8, 1, "columns: the photo as it is, then as epoch 1 to `N` see it"),
		intFlag("count", 8, 1, "rows: at most `N` photos of those named, or of --data"),
		intFlag("batch-size", full.Batch, 1, "photos that are mixed with one another", "batch", "b"),
		valSplitFlag(), seedFlag(), jsonFlag(), tiffFlag(), maxPixelsFlag(), decodeMemoryFlag(),
	}
	return &urfave.Command{
		Name:        "augment",
		Usage:       "draw what the network sees of photos in training, epoch by epoch",
		ArgsUsage:   "PHOTO... -o sheet.png   (files, folders; none with --data)",
		UsageText:   augmentHelp(),
		Description: "regraft augment photos/beach.jpg -o sheet.png --augment flip,randaugment:2:9,erase:0.25",
		Flags:       slices.Concat(flags, preprocessFlags()),
		Action:      func(c *urfave.Context) error { return augmentPhotos(con, c) },
	}
}

// augmentHelp is a line for every word of --augment.
func augmentHelp() string {
	var b strings.Builder
	for _, w := range photo.AugmentWords {
		usual := ""
		for _, n := range w.Numbers {
			usual += fmt.Sprintf(":%g", n.Usually)
		}
		fmt.Fprintf(&b, "  %-24s%s", w.Spelling(), w.Usage)
		if usual != "" {
			fmt.Fprintf(&b, " (%s)", usual)
		}
		b.WriteString("\n")
	}
	return b.String()
}

// sheet is a picture of photos as training sees them: a row for each, as it is and then by epoch.
type sheet struct {
	p       photo.Preprocess
	samples []photo.Sample
	rows    []int // samples
	epochs  int
	plain   *photo.Loader // without augmentation
	loader  *photo.Loader
	// whole: an epoch leaves out what fills no batch.
	whole bool
}

// The gaps between pictures, and behind the photos as they are.
const (
	sheetGap  = 4
	sheetEdge = 16
)

// mostSheetPixels bounds a sheet.
const mostSheetPixels = 100_000_000

type augmentJSON struct {
	Schema  string   `json:"schema"`
	Path    string   `json:"path"`
	Epoch   int      `json:"epoch"`
	Changes []string `json:"changes"`
	// With is the photo of which a share is mixed in.
	With  string  `json:"with,omitempty"`
	Share float64 `json:"share,omitempty"`
	// LeftOver: an epoch of --data does not show the photo, since it fills no batch.
	LeftOver bool `json:"left_over,omitempty"`
}

func augmentPhotos(con *console, c *urfave.Context) error {
	out, data := c.String("out"), c.String("data")
	if err := needs(c, needed{"out", out}); err != nil {
		return err
	}
	if strings.ToLower(filepath.Ext(out)) != ".png" {
		return usagef("--out %q: the name must end in .png", out)
	}
	if err := absent(c, "out"); err != nil {
		return err
	}
	if data == "" {
		if err := idle(c, "without --data", "val-split"); err != nil {
			return err
		}
		if c.NArg() == 0 {
			return usagef("no photos given: name files or folders, or --data")
		}
	}
	s, err := newSheet(con, c)
	if err != nil {
		return err
	}
	bar := con.progress(len(s.rows)*(s.epochs+1), "pictures", "augment")
	defer bar.end()
	var told []augmentJSON
	picture, err := s.draw(c.Context, func(line *augmentJSON) {
		if bar.add(1); line != nil {
			told = append(told, *line)
		}
	})
	if err != nil {
		return fail(statusData, err)
	}
	bar.end()
	if err := atomicfile.WriteNew(out, func(w io.Writer) error { return png.Encode(w, picture) }); err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	for _, line := range told {
		if err := line.print(con, c.Bool("json")); err != nil {
			return err
		}
	}
	con.notef("%s: %s, a row each: as it is, then as %s see it", out, counted(len(s.rows), "photo"), counted(s.epochs, "epoch"))
	return nil
}

// newSheet chooses photos and says how training looks at them.
func newSheet(con *console, c *urfave.Context) (*sheet, error) {
	s := &sheet{epochs: c.Int("epochs"), whole: c.String("data") != ""}
	o, err := preprocessing(c)
	if err != nil {
		return nil, err
	}
	if path := c.String("model"); path != "" {
		m, err := openModel(con, c, path)
		if err != nil {
			return nil, err
		}
		s.p = m.Preprocess()
	} else {
		size := inputSize(c)
		if size == (photo.Size{}) {
			size = photo.Square(224)
		}
		s.p = photo.ImageNet(size).With(o)
	}
	if s.samples, s.rows, err = sheetPhotos(con, c); err != nil {
		return nil, err
	}
	if w, h := s.side(); w*h > mostSheetPixels {
		return nil, usagef("--count %d and --epochs %d make a sheet of %.0f x %.0f pixels: at most %d million are drawn", len(s.rows), s.epochs, w, h, mostSheetPixels/1_000_000)
	}
	options := photo.LoaderOptions{Batch: c.Int("batch-size"), Workers: 1, Ahead: 1, Seed: c.Uint64("seed"), Shuffle: s.whole, Decode: decoding(c)}
	if s.plain, err = photo.NewLoader(s.samples, s.p, options); err != nil {
		return nil, usagef("%v", err)
	}
	options.Augment, _ = photo.ParseAugment(c.String("augment")) // the flag was checked
	if options.Augment.Mixes() && min(len(s.samples), options.Batch) < 2 {
		return nil, usagef("--augment %s mixes the photos of a batch: name two at least", c.String("augment"))
	}
	s.loader, err = photo.NewLoader(s.samples, s.p, options)
	return s, err
}

// sheetPhotos are the photos of an epoch, and which of them have a row. Of --data they are those that a training learns from; otherwise
// those that are named.
func sheetPhotos(con *console, c *urfave.Context) (samples []photo.Sample, rows []int, err error) {
	named := newInputs(c.Context, con, c.Args().Slice())
	most := c.Int("count")
	data := c.String("data")
	if data == "" {
		for p := range named.photos() {
			switch {
			case p.Err != nil:
				return nil, nil, fail(statusData, p.Err)
			case p.Read != nil:
				return nil, nil, failf(statusData, "%s: only photos that are files on this machine are drawn: unpack the archive, or download the photo", shown(p.Path))
			}
			if len(samples) == most {
				break
			}
			rows, samples = append(rows, len(samples)), append(samples, photo.Sample{Path: p.Path})
		}
		if len(samples) == 0 && named.err == nil {
			named.err = failf(statusData, "no photos found")
		}
		return samples, rows, named.err
	}
	cfg := train.Defaults(train.Full, "")
	cfg.Data, cfg.ValSplit, cfg.Seed, cfg.TIFF, cfg.MaxPixels = data, c.Float64("val-split"), c.Uint64("seed"), c.Bool("tiff"), c.Int("max-pixels")
	if samples, err = train.Learned(c.Context, cfg, train.Silent{}); err != nil {
		return nil, nil, err
	}
	if c.NArg() == 0 {
		n := min(most, len(samples))
		for i := range n { // from all classes
			rows = append(rows, i*len(samples)/n)
		}
		return samples, rows, nil
	}
	places := map[string]int{}
	for i, p := range samples {
		places[absolute(p.Path)] = i
	}
	for p := range named.photos() {
		place, is := places[absolute(p.Path)]
		if !is {
			return nil, nil, usagef("%s is not among the %s of %s that a training learns from", shown(p.Path), counted(len(samples), "photo"), shown(data))
		}
		if len(rows) == most {
			break
		}
		rows = append(rows, place)
	}
	return samples, rows, named.err
}

// absolute is a path that can be compared.
func absolute(path string) string {
	if whole, err := filepath.Abs(path); err == nil {
		return whole
	}
	return filepath.Clean(path)
}

// side is the width and height of the sheet.
func (s *sheet) side() (w, h float64) {
	columns, rows := float64(s.epochs)+1, float64(len(s.rows))
	return columns*float64(s.p.Size.W+sheetGap) + sheetEdge, rows*float64(s.p.Size.H+sheetGap) + sheetGap
}

// draw draws the sheet and tells of every picture; of photos as they are without a line.
func (s *sheet) draw(ctx context.Context, tell func(*augmentJSON)) (image.Image, error) {
	w, h := s.side()
	out := image.NewRGBA(image.Rect(0, 0, int(w), int(h)))
	for i := range out.Pix {
		out.Pix[i] = 0xff
	}
	for row, sample := range s.rows {
		for epoch := range s.epochs + 1 {
			loader, left := s.loader, sheetEdge
			if epoch == 0 {
				loader, left = s.plain, sheetGap
			}
			seen, err := loader.See(epoch, sample)
			if err = cmp.Or(ctx.Err(), err); err != nil {
				return nil, err
			}
			at := image.Pt(left+epoch*(s.p.Size.W+sheetGap), sheetGap+row*(s.p.Size.H+sheetGap))
			s.p.Picture(seen.X).Over(out, at)
			if epoch == 0 {
				tell(nil)
			} else {
				tell(s.line(sample, epoch, seen))
			}
		}
	}
	return out, nil
}

// line says what was done to a photo.
func (s *sheet) line(sample, epoch int, seen *photo.Seen) *augmentJSON {
	line := &augmentJSON{
		Schema: "regraft/augment/1", Path: photo.Text(s.samples[sample].Path), Epoch: epoch, Changes: seen.How.Changed(),
		LeftOver: s.whole && seen.LeftOver,
	}
	if seen.Share > 0 {
		line.With, line.Share = photo.Text(s.samples[seen.Other].Path), seen.Share
	}
	return line
}

// print prints the line.
func (a *augmentJSON) print(con *console, asJSON bool) error {
	if asJSON {
		return con.json(a)
	}
	changes := a.Changes
	if a.With != "" {
		changes = append(slices.Clone(changes), fmt.Sprintf("%.0f %% of %s", 100*a.Share, shown(a.With)))
	}
	if a.LeftOver {
		changes = append(slices.Clone(changes), "not seen in this epoch, since it fills no batch")
	}
	text := strings.Join(changes, ", ")
	if text == "" {
		text = "as it is"
	}
	con.printf("%s\tepoch %d\t%s\n", shown(a.Path), a.Epoch, text)
	return nil
}
