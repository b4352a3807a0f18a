package featurecache

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"regraft/atomicfile"
)

// DefaultLimit is how many bytes a cache may hold where nobody says otherwise: about 200,000 photos of Inception-v3.
const DefaultLimit = 2 << 30

// Cache is a folder of entries; nil is a cache that never holds anything. It is safe for concurrent use.
type Cache struct {
	dir   string
	limit int64
	added atomic.Int64 // bytes put by this process
	// failed is the first error of Put.
	failed atomic.Pointer[error]
}

// Dir is the cache of the user: the folder regraft/features in the system's folder for such.
func Dir() (string, error) {
	dir, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("there is no folder for a cache: %w", err)
	}
	return filepath.Join(dir, "regraft", "features"), nil
}

// Open is the cache in a folder, which need not exist yet. It may hold so many bytes; Trim sees to that.
func Open(dir string, limit int64) *Cache { return &Cache{dir: dir, limit: limit} }

// The layout of an entry: a word for its kind, the key, the body, the SHA-256 of all that. The body of features is their number and
// the values as little-endian float32.
const (
	magic      = "regraft features 1\n"
	bytesMagic = "regraft bytes 1\n"
	suffix     = ".features"
)

// refreshed is how old the time of an entry may be when it is used: above, it becomes now, so that what is used stays.
const refreshed = time.Hour

// path is where an entry is: a folder for each first byte keeps the folders small.
func (c *Cache) path(k Key) string {
	name := k.String()
	return filepath.Join(c.dir, name[:2], name[2:]+suffix)
}

// Holds reports whether there is an entry, damaged or not.
func (c *Cache) Holds(k Key) bool {
	if c == nil {
		return false
	}
	_, err := os.Stat(c.path(k))
	return err == nil
}

// Get fills values with an entry. It is false where there is none of this length; one that is damaged is removed.
func (c *Cache) Get(k Key, values []float32) bool {
	body, ok := c.load(magic, k, 8+4*len(values))
	if !ok {
		return false
	}
	for i := range values {
		values[i] = math.Float32frombits(binary.LittleEndian.Uint32(body[8+4*i:]))
	}
	return true
}

// Put keeps values. Its error may be told, and otherwise ignored; there is one in the life of a cache, not one for every entry.
func (c *Cache) Put(k Key, values []float32) error {
	if c == nil {
		return nil
	}
	body := make([]byte, 0, 8+4*len(values))
	body = binary.LittleEndian.AppendUint64(body, uint64(len(values)))
	for _, v := range values {
		body = binary.LittleEndian.AppendUint32(body, math.Float32bits(v))
	}
	return c.store(magic, k, body)
}

// mostBytes bounds what is read of an entry whose length nobody knows.
const mostBytes = 4 << 20

// GetBytes is what PutBytes has kept; false where there is nothing, or it is damaged.
func (c *Cache) GetBytes(k Key) ([]byte, bool) { return c.load(bytesMagic, k, -1) }

// PutBytes keeps what is no row of numbers, such as a small picture of a photo. Its error is that of Put.
func (c *Cache) PutBytes(k Key, content []byte) error { return c.store(bytesMagic, k, content) }

// load is the body of an entry, which has so many bytes unless length is negative. One that is damaged is removed.
func (c *Cache) load(kind string, k Key, length int) ([]byte, bool) {
	if c == nil {
		return nil, false
	}
	path := c.path(k)
	f, err := os.Open(path)
	if err != nil {
		return nil, false
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || length >= 0 && info.Size() != size(kind, int64(length)) || length < 0 && info.Size() > size(kind, mostBytes) {
		return nil, false
	}
	entry := make([]byte, info.Size())
	if _, err := io.ReadFull(f, entry); err != nil {
		return nil, false
	}
	body, ok := unseal(entry, kind, k)
	if !ok {
		os.Remove(path)
		return nil, false
	}
	if now := time.Now(); now.Sub(info.ModTime()) > refreshed {
		os.Chtimes(path, now, now)
	}
	return body, true
}

// attempts is how often the folder of an entry is made.
const attempts = 10

// store writes an entry.
func (c *Cache) store(kind string, k Key, body []byte) error {
	if c == nil {
		return nil
	}
	path := c.path(k)
	entry := seal(kind, k, body)
	write := func() error {
		return atomicfile.WriteUnflushed(path, func(w io.Writer) error {
			_, err := w.Write(entry)
			return err
		})
	}
	err := write()
	for n := 0; n < attempts && errors.Is(err, fs.ErrNotExist); n++ { // the first entry of its folder, which others may clear at once
		if err = os.MkdirAll(filepath.Dir(path), 0o700); err == nil {
			err = write()
		}
	}
	if err == nil {
		c.added.Add(int64(len(entry)))
	} else if !c.failed.CompareAndSwap(nil, &err) {
		return nil
	}
	return err
}

// Failed is the first error of Put; nil where there was none.
func (c *Cache) Failed() error {
	if c == nil {
		return nil
	}
	if first := c.failed.Load(); first != nil {
		return *first
	}
	return nil
}

// size is the bytes of an entry with a body of so many.
func size(kind string, body int64) int64 {
	return int64(len(kind)+len(Key{})+sha256.Size) + body
}

func seal(kind string, k Key, body []byte) []byte {
	b := make([]byte, 0, size(kind, int64(len(body))))
	b = append(b, kind...)
	b = append(b, k[:]...)
	b = append(b, body...)
	sum := sha256.Sum256(b)
	return append(b, sum[:]...)
}

// unseal is the body of an entry; false says that it is not what seal made of one of this kind and key.
func unseal(entry []byte, kind string, k Key) ([]byte, bool) {
	if int64(len(entry)) < size(kind, 0) {
		return nil, false
	}
	sealed, sum := entry[:len(entry)-sha256.Size], entry[len(entry)-sha256.Size:]
	if sha256.Sum256(sealed) != [sha256.Size]byte(sum) {
		return nil, false
	}
	body := sealed[len(kind)+len(k):]
	return body, string(sealed[:len(kind)]) == kind && Key(sealed[len(kind):len(kind)+len(k)]) == k
}
