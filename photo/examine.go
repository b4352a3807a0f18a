package photo

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
)

// Finding is what one photo's bytes say.
type Finding struct {
	// Err, which names the file, says why the photo cannot be read; nil for a good one.
	Err error
	// Hash is zero where the file itself cannot be read.
	Hash Hash
	W, H int
	// Look is nil where the photo was not decoded.
	Look *Look
}

// Hash is the SHA-256 of a photo's file.
type Hash [sha256.Size]byte

// HashOf is the hash of a file's content.
func HashOf(data []byte) Hash { return sha256.Sum256(data) }

func examine(path string, o CheckOptions) (f Finding) {
	data, err := read(path, o.Decode, new(bytes.Buffer))
	if err != nil {
		return Finding{Err: err}
	}
	if f.Hash = HashOf(data); o.BytesOnly {
		return f
	}
	if o.Memory != nil {
		if kept, known := o.Memory.Get(f.Hash); known && f.decode(kept) {
			return f
		}
	}
	m, err := Decode(data, o.Decode)
	if err != nil {
		f.Err = fmt.Errorf("%s: %w", Shown(path), err)
		return f
	}
	if f.W, f.H, f.Look = m.W, m.H, lookAt(m); o.Memory != nil {
		o.Memory.Put(f.Hash, f.encode())
	}
	return f
}

// Examine decodes photos, but for those that o.Memory knows, in the order given. The error is ctx's when that is cancelled.
func Examine(ctx context.Context, photos []Sample, o CheckOptions) ([]Finding, error) {
	if o.Workers <= 0 {
		o.Workers = runtime.GOMAXPROCS(0)
	}
	found := make([]Finding, len(photos))
	var next, done atomic.Int64
	var running sync.WaitGroup
	for range o.Workers {
		running.Go(func() {
			for i := next.Add(1) - 1; i < int64(len(photos)) && ctx.Err() == nil; i = next.Add(1) - 1 {
				f := examine(photos[i].Path, o)
				for attempt := 0; f.Err != nil && o.Retry != nil && o.Retry(f.Err, attempt); attempt++ {
					f = examine(photos[i].Path, o)
				}
				found[i] = f
				n := done.Add(1)
				if o.Progress != nil {
					o.Progress(int(n), len(photos))
				}
			}
		})
	}
	running.Wait()
	return found, ctx.Err()
}
