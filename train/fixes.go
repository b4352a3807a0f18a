package train

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"regraft/photo"
	"regraft/setting"
)

// fixColumns are those of a file of fixes. What else it has is for people.
var fixColumns = []string{"path", "label"}

// ReadFixes reads a CSV file of labels that stand for those of folders: a line of names, of which path and label count, then a line for
// each photo. Paths are relative to the data's folder root, or begin with it. An empty label leaves the photo out.
func ReadFixes(file, root string) (map[string]string, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, &DataError{err}
	}
	defer f.Close()
	r := csv.NewReader(f)
	header, err := r.Read()
	if err != nil {
		return nil, &DataError{fmt.Errorf("%s: no CSV with the columns path and label: %v", photo.Shown(file), err)}
	}
	header[0] = strings.TrimPrefix(header[0], "\ufeff") // which programs of Windows put in front
	var at [2]int
	for i, name := range fixColumns {
		if at[i] = slices.Index(header, name); at[i] < 0 {
			return nil, &DataError{fmt.Errorf("%s: its first line has no column %s (it has %s)", photo.Shown(file), name, photo.Few(5, photo.ShownAll(header)))}
		}
	}
	fixes := map[string]string{}
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return fixes, nil
		}
		if err != nil {
			return nil, &DataError{fmt.Errorf("%s: %v", photo.Shown(file), err)}
		}
		line, _ := r.FieldPos(0)
		path := row[at[0]]
		if below := relative(root, path); !strings.HasPrefix(below, "../") {
			path = below
		}
		if _, twice := fixes[path]; twice {
			return nil, &DataError{fmt.Errorf("%s: line %d names %s a second time", photo.Shown(file), line, photo.Shown(path))}
		}
		fixes[path] = row[at[1]]
	}
}

// surelyWrong is the score from which on a file of fixes has the likely class in place of the folder's. With 54 of places9's 540 labels
// flipped, 44 of the 52 above it were flipped, of 155 that are more likely wrong than right 52: to believe all of these costs accuracy.
const surelyWrong = 0.95

// WriteFixes writes the labels that are more likely wrong than right as ReadFixes reads them, for people to correct: the label is the
// likely one where the folder's is surely wrong, and the folder's elsewhere; both stand beside it.
func WriteFixes(w io.Writer, root string, doubts []LabelDoubt) error {
	c := csv.NewWriter(w)
	c.Write(append(slices.Clone(fixColumns), "was", "likely", "score"))
	for _, d := range doubts {
		if d.Wrong() {
			label := d.Label
			if d.Score >= surelyWrong {
				label = d.Likely
			}
			c.Write([]string{relative(root, d.Path), label, d.Label, d.Likely, fmt.Sprintf("%.3f", d.Score)})
		}
	}
	c.Flush()
	return c.Error()
}

// relabel gives the photos the labels of c.Labels, and leaves out those with an empty one. Paths and classes that are not there are
// refused.
func (s *sets) relabel(c *Config) error {
	if len(c.Labels) == 0 {
		return nil
	}
	names := map[string]bool{}
	for _, p := range s.all() {
		names[relative(c.Data, p.Path)] = true
	}
	var missing, unknown []string
	for _, path := range slices.Sorted(maps.Keys(c.Labels)) {
		label := c.Labels[path]
		if !names[path] {
			missing = append(missing, photo.Shown(path))
		}
		if label != "" && !slices.Contains(s.classes, label) {
			unknown = append(unknown, fmt.Sprintf("%s (%s)", photo.Shown(label), photo.Shown(path)))
		}
	}
	switch {
	case len(missing) > 0:
		return &DataError{fmt.Errorf("%v: %s not in %s: %s", setting.Labels, photo.Share(len(missing), len(c.Labels), "is", "are"), photo.Shown(c.Data), photo.Few(5, missing))}
	case len(unknown) > 0:
		return &DataError{fmt.Errorf("%v: %s no class of %s: %s", setting.Labels, photo.Count(len(unknown), "label is", "labels are"), photo.Shown(c.Data), photo.Few(5, unknown))}
	}
	for _, part := range []*[]photo.Sample{&s.Train, &s.Val, &s.Test} {
		var kept []photo.Sample
		for _, p := range *part {
			label, fixed := c.Labels[relative(c.Data, p.Path)]
			switch {
			case fixed && label == "":
				s.unlabelled++
				continue
			case fixed && label != s.classes[p.Label]:
				s.relabelled++
				p.Label = slices.Index(s.classes, label)
			}
			kept = append(kept, p)
		}
		*part = kept
	}
	for id, class := range s.classes {
		if !slices.ContainsFunc(s.Train, func(p photo.Sample) bool { return p.Label == id }) {
			return &DataError{fmt.Errorf("%v leaves no photo to train class %q", setting.Labels, class)}
		}
	}
	return nil
}
