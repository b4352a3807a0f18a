package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"text/tabwriter"

	urfave "github.com/urfave/cli/v2"

	"regraft/weights"
)

func weightsCommand(con *console) *urfave.Command {
	return &urfave.Command{
		Name:        "weights",
		Usage:       "list known pretrained weights and download them",
		ArgsUsage:   "COMMAND",
		Description: "regraft weights pull inception_v3",
		Subcommands: []*urfave.Command{
			{
				Name:        "list",
				Usage:       "list the weights that pull knows",
				Description: "regraft weights list",
				Flags:       []urfave.Flag{jsonFlag()},
				Action:      func(c *urfave.Context) error { return listWeights(con, c) },
			},
			{
				Name:        "pull",
				Usage:       "download weights, check them and print where they are",
				ArgsUsage:   "NAME",
				Description: "regraft weights pull inception_v3",
				Flags:       []urfave.Flag{jsonFlag()},
				Action:      func(c *urfave.Context) error { return pullWeights(con, c) },
			},
		},
	}
}

type sourceJSON struct {
	Schema     string `json:"schema"`
	Name       string `json:"name"`
	Arch       string `json:"arch"`
	URL        string `json:"url"`
	SHA256     string `json:"sha256_prefix"`
	Bytes      *int64 `json:"bytes"` // null where it is not known
	Preprocess any    `json:"preprocess"`
	// Path is where the file is, "" where it is not downloaded.
	Path string `json:"path"`
}

func newSourceJSON(dir string, s weights.Source) sourceJSON {
	v := sourceJSON{
		Schema: "regraft/weights/1", Name: s.Name, Arch: s.Arch, URL: s.URL, SHA256: s.SHA256, Preprocess: s.Preprocess,
	}
	if s.Bytes > 0 {
		v.Bytes = &s.Bytes
	}
	if path := filepath.Join(dir, s.File()); isFile(path) {
		v.Path = path
	}
	return v
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

func listWeights(con *console, c *urfave.Context) error {
	dir, err := weights.CacheDir()
	if err != nil {
		return err
	}
	return printSources(con, c.Bool("json"), dir, weights.Sources())
}

// printSources lists known weights, and which of them are in the folder dir.
func printSources(con *console, asJSON bool, dir string, sources []weights.Source) error {
	w := tabwriter.NewWriter(con.out, 0, 0, 2, ' ', 0)
	if !asJSON {
		fmt.Fprintln(w, "name\tMiB\tSHA-256\tinput\tmean\tstd\t\tfrom")
	}
	for _, s := range sources {
		v := newSourceJSON(dir, s)
		if asJSON {
			if err := con.json(v); err != nil {
				return err
			}
			continue
		}
		here := ""
		if v.Path != "" {
			here = "here"
		}
		size := "?"
		if s.Bytes > 0 {
			size = fmt.Sprintf("%.1f", float64(s.Bytes)/(1<<20))
		}
		p := s.Preprocess
		fmt.Fprintf(w, "%s\t%s\t%s...\t%d to %v %s\t%v\t%v\t%s\t%s\n", s.Name, size, s.SHA256, p.Short, p.Size, p.Resample, p.Mean, p.Std, here, s.URL)
	}
	return w.Flush()
}

func pullWeights(con *console, c *urfave.Context) error {
	if c.NArg() != 1 {
		return usagef("which weights? regraft weights pull NAME (see regraft weights list)")
	}
	s := weights.FindSource(c.Args().First())
	if s == nil {
		return usagef("no weights called %q%s (see regraft weights list)", c.Args().First(), didYouMean(c.Args().First(), sourceNames()))
	}
	dir, err := weights.CacheDir()
	if err != nil {
		return err
	}
	const mebibyte = 1 << 20
	bar := con.progress(int(s.Bytes/mebibyte), "MiB", s.File())
	d := weights.Download{Dir: dir, Progress: func(done, total int64) { bar.set(int(done/mebibyte), int(total/mebibyte)) }}
	path, err := d.Fetch(c.Context, s)
	bar.end()
	if err != nil {
		return err
	}
	if c.Bool("json") {
		return con.json(newSourceJSON(dir, *s))
	}
	con.notef("next: regraft import %s --out %s.onnx", s.Name, s.Arch)
	con.printf("%s\n", path)
	return nil
}
