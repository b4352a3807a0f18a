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

// The layout of an entry: magic, the key, the number of values, the values as little-endian float32, the SHA-256 of all that.
const (
	magic  = "regraft features 1\n"
	header = len(magic) + sha256.Size + 8
	suffix = ".features"
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
	if c == nil {
		return false
	}
	path := c.path(k)
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || info.Size() != int64(size(len(values))) {
		return false
	}
	entry := make([]byte, info.Size())
	if _, err := io.ReadFull(f, entry); err != nil {
		return false
	}
	if !decode(entry, k, values) {
		os.Remove(path)
		return false
	}
	if now := time.Now(); now.Sub(info.ModTime()) > refreshed {
		os.Chtimes(path, now, now)
	}
	return true
}

// Put keeps values. Its error may be told, and otherwise ignored; there is one in the life of a cache, not one for every entry.
func (c *Cache) Put(k Key, values []float32) error {
	if c == nil {
		return nil
	}
	path := c.path(k)
	entry := encode(k, values)
	write := func() error {
		return atomicfile.WriteUnflushed(path, func(w io.Writer) error {
			_, err := w.Write(entry)
			return err
		})
	}
	err := write()
	if errors.Is(err, fs.ErrNotExist) { // the first entry of its folder
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

// size is the bytes of an entry of n values.
func size(n int) int { return header + 4*n + sha256.Size }

func encode(k Key, values []float32) []byte {
	b := make([]byte, 0, size(len(values)))
	b = append(b, magic...)
	b = append(b, k[:]...)
	b = binary.LittleEndian.AppendUint64(b, uint64(len(values)))
	for _, v := range values {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	sum := sha256.Sum256(b)
	return append(b, sum[:]...)
}

// decode fills values; false says that the entry, of the right size, is not what encode made of them.
func decode(entry []byte, k Key, values []float32) bool {
	body, sum := entry[:len(entry)-sha256.Size], entry[len(entry)-sha256.Size:]
	if sha256.Sum256(body) != [sha256.Size]byte(sum) {
		return false
	}
	if string(body[:len(magic)]) != magic || Key(body[len(magic):len(magic)+len(k)]) != k {
		return false
	}
	for i := range values {
		values[i] = math.Float32frombits(binary.LittleEndian.Uint32(body[header+4*i:]))
	}
	return true
}
