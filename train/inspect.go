package train

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"regraft/photo"
	"regraft/setting"
)

// Skipped is a photo that a run or an evaluation goes on without.
type Skipped struct {
	// Path is relative to the data's folder, with slashes.
	Path  string `json:"path"`
	Error string `json:"error"`
}

// fingerprintBytes of a photo's SHA-256 are kept for each, to notice that it has changed.
const fingerprintBytes = 8

// inspect reads every photo once before any arithmetic, so that a run of hours does not end at a broken one: it decodes
// them and refuses what the command check refuses, or goes on without that; it warns of photos that make the results look
// better than they are. For a run that is resumed it compares their bytes with what they were.
func (r *training) inspect(ctx context.Context) error {
	o := photo.CheckOptions{}
	if r.previous() != nil {
		o.BytesOnly, o.Retry = true, r.config.waits.again
	}
	found, err := r.examine(ctx, r.sets.all(), o)
	if err != nil {
		return err
	}
	r.hashes = hashesOf(r.sets.all(), found)
	if r.previous() != nil {
		return r.compare(ctx, found)
	}
	if problems := r.sets.Report(found).Problems(); len(problems) > 0 {
		if !r.config.SkipBad {
			return refusal(photo.Refusal(problems))
		}
		bad, all := skipped(r.config.Data, problems), len(found)
		if found, err = r.goWithout(bad, found); err != nil {
			return err
		}
		r.events.Warn(goesOnWithout(bad, all))
	}
	near, still, err := r.sets.Alike(ctx, found)
	if err != nil {
		return err
	}
	r.setAlike(near)
	report := r.sets.Report(found)
	report.AddAlike(near, still)
	for _, w := range report.Warnings() {
		r.events.Warn(w)
	}
	r.photos, r.contents = r.sets.identity(r.config.Data), fingerprints(found)
	return nil
}

// Readable decodes photos, so that an evaluation does not end at a broken one. Those that cannot be read are a DataError
// that names them, or are left out. root is the folder of the data. The hashes of the photos' files are put into o.
func Readable(ctx context.Context, root string, samples []photo.Sample, o *Options, events Events) ([]photo.Sample, []Skipped, error) {
	events = &oneByOne{events: events}
	events.Phase(PhaseCheck, 0, len(samples))
	found, err := photo.Examine(ctx, samples, photo.CheckOptions{
		Decode: o.Decode, Workers: o.Workers, Progress: func(int, int) { events.Advanced(1, noLoss) },
		Memory: Findings(o.Cache, o.Decode, events.Warn),
	})
	if err != nil {
		return nil, nil, err
	}
	o.Hashes = hashesOf(samples, found)
	warnOfContradictions(samples, found, events)
	var good []photo.Sample
	var problems []photo.Problem
	for i, f := range found {
		if f.Err != nil {
			problems = append(problems, photo.Problem{Paths: []string{samples[i].Path}, Err: f.Err})
		} else {
			good = append(good, samples[i])
		}
	}
	bad := skipped(root, problems)
	switch {
	case len(bad) == 0:
		return good, nil, nil
	case !o.SkipBad:
		return nil, nil, refusal(photo.List(fmt.Sprintf("of %s %d cannot be read:", photo.Count(len(samples), "photo", "photos"), len(bad)), problems))
	case len(good) == 0:
		return nil, nil, &DataError{errors.New("none of the photos can be read")}
	}
	events.Warn(fmt.Sprintf("%s left out, the first: %s", photo.Share(len(bad), len(samples), "is", "are"), bad[0].Error))
	return good, bad, nil
}

// goesOnWithout says which of so many photos a run leaves out.
func goesOnWithout(bad []Skipped, of int) string {
	return fmt.Sprintf("the run goes on without %d of %s (summary.json lists %s), the first: %s",
		len(bad), photo.Count(of, "photo", "photos"), photo.Form(len(bad), "it", "them"), bad[0].Error)
}

// warnOfContradictions tells of photos of which at least one answer will count as wrong.
func warnOfContradictions(samples []photo.Sample, found []photo.Finding, events Events) {
	groups := photo.Contradictions(samples, found)
	if len(groups) == 0 {
		return
	}
	events.Warn(fmt.Sprintf("%s under different classes, for example %s: whatever the answer, it counts as wrong for one of them",
		photo.Count(len(groups), "photo lies", "photos lie"), strings.Join(photo.ShownAll(groups[0]), " = ")))
}

// examine looks at the photos, or at their bytes alone, and tells how far it is.
func (r *training) examine(ctx context.Context, photos []photo.Sample, o photo.CheckOptions) ([]photo.Finding, error) {
	r.events.Phase(PhaseCheck, 0, len(photos))
	o.Decode, o.Workers, o.Progress = r.config.decode(), r.config.Workers, func(int, int) { r.events.Advanced(1, noLoss) }
	o.Memory = Findings(r.config.Cache, o.Decode, r.events.Warn)
	return photo.Examine(ctx, photos, o)
}

// refusal is problems as an error that says how to go on without their photos.
func refusal(problems error) error {
	return &DataError{fmt.Errorf("%w\n  %v goes on without these photos", problems, setting.SkipBad)}
}

// skipped lists the photos of problems.
func skipped(root string, problems []photo.Problem) []Skipped {
	var list []Skipped
	for _, p := range problems {
		for _, path := range p.Paths {
			list = append(list, Skipped{relative(root, path), p.Err.Error()})
		}
	}
	return list
}

// relative is the name of a photo wherever the folder of the data lies.
func relative(root, path string) string { return photo.Text(filepath.ToSlash(below(root, path))) }

// below is a path as seen from root.
func below(root, path string) string {
	if name, err := filepath.Rel(root, path); err == nil {
		return name
	}
	return path
}

// goWithout takes photos out of the sets, and out of what was found of each.
func (r *training) goWithout(bad []Skipped, found []photo.Finding) ([]photo.Finding, error) {
	r.skipped = bad
	names := map[string]bool{}
	for _, s := range bad {
		names[s.Path] = true
	}
	is := func(path string) bool { return names[relative(r.config.Data, path)] }
	var kept []photo.Finding
	for i, s := range r.sets.all() {
		if found != nil && !is(s.Path) {
			kept = append(kept, found[i])
		}
	}
	if err := r.sets.drop(is); err != nil {
		return nil, err
	}
	r.started = r.start()
	return kept, nil
}

// compare refuses photos whose bytes are not those that the run began with, unless they are allowed to be others.
func (r *training) compare(ctx context.Context, found []photo.Finding) error {
	photos := r.sets.all()
	before := r.previous().Contents
	if err := r.takeAlike(r.previous().Alike); err != nil {
		return err
	}
	r.contents = fingerprints(found)
	var changed []photo.Sample
	for i, f := range found {
		if f.Err != nil {
			return &DataError{f.Err}
		}
		at := i * fingerprintBytes
		if len(before) == len(r.contents) && string(before[at:at+fingerprintBytes]) != string(r.contents[at:at+fingerprintBytes]) {
			changed = append(changed, photos[i])
		}
	}
	if len(changed) == 0 {
		return nil
	}
	what := fmt.Sprintf("%s changed since the run began, the first: %s", photo.Share(len(changed), len(photos), "has", "have"), changed[0].Path)
	if !r.config.AllowChanged {
		return &DataError{fmt.Errorf("%v: %s (%v goes on with them)", setting.Resume, what, setting.AllowChanged)}
	}
	r.events.Warn(what)
	found, err := r.examine(ctx, changed, photo.CheckOptions{})
	if err != nil {
		return err
	}
	for _, f := range found {
		if f.Err != nil {
			return &DataError{f.Err}
		}
	}
	return nil
}

// hashesOf are the hashes of photos by path.
func hashesOf(photos []photo.Sample, found []photo.Finding) map[string]photo.Hash {
	hashes := map[string]photo.Hash{}
	for i, f := range found {
		if f.Err == nil {
			hashes[photos[i].Path] = f.Hash
		}
	}
	return hashes
}

// fingerprints are the first bytes of the hashes, one after the other.
func fingerprints(found []photo.Finding) []byte {
	var all []byte
	for _, f := range found {
		all = binary.BigEndian.AppendUint64(all, binary.BigEndian.Uint64(f.Hash[:fingerprintBytes]))
	}
	return all
}
