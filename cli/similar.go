package cli

import (
	"cmp"
	"math"
	"slices"

	urfave "github.com/urfave/cli/v2"

	"regraft/photo"
)

func similarCommand(con *console) *urfave.Command {
	flags := []urfave.Flag{
		modelFlag(),
		stringFlag("in", "", "`DIR` with the photos to search"),
		intFlag("topk", 10, 1, "photos to list", "k"),
		jsonFlag(),
	}
	return &urfave.Command{
		Name:        "similar",
		Usage:       "list the photos of a folder that look most like a photo to a model",
		ArgsUsage:   "--model M.onnx PHOTO --in DIR",
		Description: "regraft similar --model runs/places/best.onnx beach.jpg --in data/places -k 5",
		Flags:       slices.Concat(flags, answeringFlags()),
		Action:      func(c *urfave.Context) error { return similar(con, c) },
	}
}

type similarJSON struct {
	Schema     string  `json:"schema"`
	Path       string  `json:"path"`
	Label      string  `json:"label"`
	Similarity float64 `json:"similarity"`
}

func similar(con *console, c *urfave.Context) error {
	model, dir := c.String("model"), c.String("in")
	if err := needs(c, needed{"model", model}, needed{"in", dir}); err != nil {
		return err
	}
	if c.NArg() != 1 {
		return usagef("one photo is needed that others are compared with")
	}
	m, done, err := openForFeatures(con, c, model)
	if err != nil {
		return err
	}
	defer done()
	one, t, err := featuresOf(c.Context, con, m, newInputs(c.Context, con, c.Args().Slice()))
	if err = cmp.Or(err, t.verdict(con, false, noFeatures)); err != nil {
		return err
	}
	if len(one.paths) != 1 {
		return usagef("%s holds %s: one is needed that others are compared with", shown(c.Args().First()), counted(len(one.paths), "photo"))
	}
	all, t, err := featuresOf(c.Context, con, m, newInputs(c.Context, con, []string{dir}))
	failed := t.verdict(con, false, noFeatures)
	if err != nil || len(all.paths) == 0 {
		return cmp.Or(err, failed)
	}
	for _, s := range nearest(one.features[0], all, placesOf([]string{dir}))[:min(c.Int("topk"), len(all.paths))] {
		if c.Bool("json") {
			if err := con.json(s); err != nil {
				return err
			}
			continue
		}
		con.printf("%.3f\t%s\t%s\n", s.Similarity, s.Path, s.Label)
	}
	return failed
}

// nearest are all photos, the most similar first: by the cosine of the angle between the features.
func nearest(to []float32, all *embedded, places map[string]place) []similarJSON {
	list := make([]similarJSON, len(all.paths))
	for i, f := range all.features {
		list[i] = similarJSON{"regraft/similar/1", photo.Text(all.paths[i]), places[all.paths[i]].label, cosine(to, f)}
	}
	slices.SortStableFunc(list, func(a, b similarJSON) int { return cmp.Compare(b.Similarity, a.Similarity) })
	return list
}

// cosine is that of the angle between two vectors; 0 where one is zero.
func cosine(a, b []float32) float64 {
	var ab, aa, bb float64
	for i, x := range a {
		y := float64(b[i])
		ab += float64(float64(x) * y)
		aa += float64(float64(x) * float64(x))
		bb += float64(y * y)
	}
	if aa == 0 || bb == 0 {
		return 0
	}
	return ab / math.Sqrt(aa*bb)
}
