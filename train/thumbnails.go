package train

import (
	"context"
	"fmt"
	"iter"
	"runtime"
	"slices"

	"regraft/featurecache"
	"regraft/ordered"
	"regraft/photo"
	"regraft/train/page"
)

// thumbnailSide is that of the pictures on a page, in pixels.
const thumbnailSide = 144

// thumbnailKeys are those of their cache.
var thumbnailKeys = featurecache.NewKeys("thumbnail", fmt.Sprint(thumbnailSide))

// thumbnails gives the photos that the page shows their pictures, from the cache where it has them. A photo that cannot be read any
// more has none.
func (m *pageMaker) thumbnails(ctx context.Context, o Options, events Events) error {
	wanted := m.Order()
	events.Phase(PhasePage, 0, len(wanted))
	workers := o.Workers
	if workers == 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	ctx, cancel := context.WithCancel(ctx)
	jobs := iter.Seq[*page.Photo](slices.Values(wanted))
	made := ordered.Map(ctx, jobs, workers, 4*workers, func(p *page.Photo) *page.Photo {
		p.Thumbnail = thumbnail(m.paths[p], o)
		return p
	})
	defer made.Wait()
	defer cancel()
	for _, ok := made.Next(nil); ok; _, ok = made.Next(nil) {
		events.Advanced(1, noLoss)
	}
	return ctx.Err()
}

// thumbnail is the picture of a photo, nil where it cannot be read.
func thumbnail(path string, o Options) []byte {
	if hash, known := o.Hashes[path]; known {
		if small, kept := o.Cache.GetBytes(thumbnailKeys.Of(hash, 0)); kept {
			return small
		}
	}
	var small []byte
	err := photo.WithFile(path, o.Decode, func(data []byte) (err error) {
		if small, err = photo.ThumbnailJPEG(data, o.Decode, thumbnailSide); err == nil {
			o.Cache.PutBytes(thumbnailKeys.Of(photo.HashOf(data), 0), small) // without it the next time takes longer
		}
		return err
	})
	if err != nil {
		return nil
	}
	return small
}
