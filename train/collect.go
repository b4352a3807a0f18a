package train

import (
	"context"
	"fmt"
	"time"

	"regraft/head"
	"regraft/photo"
	"regraft/setting"
)

// collection are the features of one set of photos, as far as they are computed.
type collection struct {
	samples []photo.Sample
	// plain are those of each head; turned those of the photos turned left to right, nil without.
	plain, turned []*features
}

func newCollection(samples []photo.Sample, heads []head.Head, mirrored bool) *collection {
	x := &collection{samples: samples}
	for k := range heads {
		x.plain = append(x.plain, newFeatures(&heads[k]))
		if mirrored {
			x.turned = append(x.turned, newFeatures(&heads[k]))
		}
	}
	return x
}

// done is the number of photos whose features are there.
func (x *collection) done() int { return x.plain[0].photos() }

// joined are the features of each head, those of the turned photos last, with the same labels.
func (x *collection) joined() []*features {
	for k, t := range x.turned {
		x.plain[k].data = append(x.plain[k].data, t.data...)
		x.plain[k].labels = append(x.plain[k].labels, t.labels...)
	}
	x.turned = nil
	return x.plain
}

func (x *collection) save() part {
	p := part{Steps: x.done()}
	for _, sets := range [][]*features{x.plain, x.turned} {
		for _, f := range sets {
			p.Float32 = append(p.Float32, f.data)
		}
	}
	return p
}

func (x *collection) restore(p part) error {
	if len(p.Float32) != len(x.plain)+len(x.turned) || p.Steps < 0 || p.Steps > len(x.samples) {
		return fmt.Errorf("features of %d photos in %d parts do not belong to this run", p.Steps, len(p.Float32))
	}
	for k, data := range p.Float32 {
		f := x.plain[k%len(x.plain)]
		if k >= len(x.plain) {
			f = x.turned[k-len(x.plain)]
		}
		if err := sameLength([][]float32{data}, p.Steps*f.positions*f.f, 1); err != nil {
			return err
		}
		f.data, f.labels = data, nil
		for _, s := range x.samples[:p.Steps] {
			f.labels = append(f.labels, s.Label)
		}
	}
	return nil
}

// collect computes the features of train and val, but for those that an interrupted run has kept. It keeps them itself now and
// then, when it is interrupted and when they are complete.
func (r *training) collect(ctx context.Context) (train, val []*features, err error) {
	e, err := newExtractor(r.net, r.heads, &r.config)
	if err != nil {
		return nil, nil, err
	}
	defer e.session.Close()
	sets := []*collection{newCollection(r.sets.train, r.heads, r.config.Augment == "flip"), newCollection(r.sets.val, r.heads, false)}
	kept := 0
	if k := r.collected; k != nil {
		for i, x := range sets {
			if i < len(k.parts) {
				err = x.restore(k.parts[i])
			}
			if err != nil {
				return nil, nil, fmt.Errorf("%s: %w", r.out.name(featuresFile), err)
			}
			kept += x.done()
		}
		r.collected = nil
	}
	r.saved = time.Now()
	for _, x := range sets {
		if err = e.fill(ctx, x, r.events, func() { r.keepFeatures(sets, r.due()) }); err != nil {
			break
		}
	}
	computed := sets[0].done() + sets[1].done() - kept
	switch {
	case err == nil:
		r.keepFeatures(sets, computed > 0)
	case computed+kept > 0:
		err = r.keep(ctx, err, func() error { return r.saveFeatures(sets) })
	}
	return sets[0].joined(), sets[1].joined(), err
}

// keepFeatures saves them when it is time to. The run can do without the file, as on a disk that is nearly full.
func (r *training) keepFeatures(sets []*collection, now bool) {
	if !now {
		return
	}
	if err := r.saveFeatures(sets); err != nil {
		r.saved = time.Now()
		r.events.Warn(fmt.Sprintf("the features are not kept for %v: %v", setting.Resume, err))
	}
}

// saveFeatures writes what is computed so far.
func (r *training) saveFeatures(sets []*collection) error {
	k := r.snapshot()
	for _, x := range sets {
		k.parts = append(k.parts, x.save())
	}
	return r.save(featuresFile, k)
}
