package shard

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"regraft/journal"
	"regraft/setting"
)

// Part is what a shard has left: its answers and their mark.
type Part struct {
	Path  string
	Mark  *journal.Mark
	shard Shard
}

// Find lists the parts that files and folders are, by their shards. The error names all that are missing, unfinished or twice there.
func Find(paths []string) ([]Part, error) {
	files, err := expand(paths)
	if err != nil {
		return nil, err
	}
	var parts []Part
	var wrong problems
	for _, path := range files {
		mark, err := journal.ReadMark(path)
		switch {
		case journal.Unfinished(path):
			wrong.add("%s is unfinished: answer its shard again with %v", path, setting.Resume)
			continue
		case errors.Is(err, fs.ErrNotExist):
			wrong.add("%s has no mark of completion (%s)", path, filepath.Base(journal.MarkOf(path)))
			continue
		case err != nil:
			wrong.add("%v", err)
			continue
		}
		s, err := Parse(mark.Shard, nil)
		if mark.Shard == "" || mark.Inputs == journal.OpenEnded || err != nil {
			wrong.add("%s is no part: it answers for all inputs", path)
			continue
		}
		parts = append(parts, Part{path, mark, s})
	}
	wrong.compare(parts)
	if len(wrong) > 0 {
		return nil, errors.New(few(wrong, "; "))
	}
	return parts, nil
}

// PartWith is what a shard has left that says itself what it was made of.
func PartWith(path string, o journal.Origin) (Part, error) {
	s, err := Parse(o.Shard, nil)
	if err != nil {
		return Part{}, fmt.Errorf("%s: shard %w", path, err)
	}
	return Part{path, &journal.Mark{Origin: o}, s}, nil
}

// Complete is an error that names what speaks against parts being all of one run, each there once.
func Complete(parts []Part) error {
	var wrong problems
	if wrong.compare(parts); len(wrong) > 0 {
		return errors.New(few(wrong, "; "))
	}
	return nil
}

// problems are what speaks against merging.
type problems []string

func (p *problems) add(format string, args ...any) { *p = append(*p, fmt.Sprintf(format, args...)) }

// compare puts parts in order and looks for those of different runs, or of one shard, and for those that lack.
func (p *problems) compare(parts []Part) {
	if len(parts) == 0 {
		return
	}
	slices.SortStableFunc(parts, func(a, b Part) int { return cmp.Compare(a.shard.Index, b.shard.Index) })
	first := parts[0]
	for i, part := range parts[1:] {
		o := part.Mark.Origin
		o.Shard = first.Mark.Shard
		switch before := parts[i]; {
		case part.shard.Count != first.shard.Count:
			p.add("%s is one of %d shards, %s one of %d", part.Path, part.shard.Count, first.Path, first.shard.Count)
		case o.Differs(first.Mark.Origin) != "":
			p.add("%s was made with other things than %s: %s", part.Path, first.Path, o.Differs(first.Mark.Origin))
		case part.shard == before.shard:
			p.add("shard %v is there twice: %s and %s", part.shard, before.Path, part.Path)
		}
	}
	if len(*p) > 0 {
		return
	}
	var missing []string
	for i, at := 0, 0; i < first.shard.Count; i++ {
		if at < len(parts) && parts[at].shard.Index == i {
			at++
			continue
		}
		missing = append(missing, Shard{i, first.shard.Count}.String())
	}
	if len(missing) > 0 {
		p.add("missing: %s", few(missing, ", "))
	}
}

// few joins the first ones of a list, and says how many there are beside them.
func few(list []string, separator string) string {
	const most = 20
	if n := len(list); n > most {
		return fmt.Sprintf("%s and %d more", strings.Join(list[:most], separator), n-most)
	}
	return strings.Join(list, separator)
}

// expand lists the parts in folders, whole or not, and takes files as they are, each once.
func expand(paths []string) ([]string, error) {
	var files []string
	for _, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			return nil, err
		}
		if !info.IsDir() {
			files = append(files, path)
			continue
		}
		entries, err := os.ReadDir(path)
		if err != nil {
			return nil, err
		}
		found := len(files)
		for _, e := range entries {
			if s, ending, is := PartOf(e.Name()); is {
				files = append(files, filepath.Join(path, s.Part("."+strings.Split(ending, ".")[1]))) // or what stands beside it
			}
		}
		if len(files) == found {
			return nil, fmt.Errorf("%s holds no parts (%s)", path, Shard{3, 10}.Part(".jsonl"))
		}
	}
	slices.Sort(files)
	return slices.Compact(files), nil
}
