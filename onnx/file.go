package onnx

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
	"slices"
	"sync"
)

// maxModel bounds the model file: protobuf has no larger messages. maxExternal bounds the files of weights beside it, together;
// they are four times what the largest image networks have.
const (
	maxModel    = 1<<31 - 1
	maxExternal = 16 << 30
)

// Contents reads a file of weights into memory.
func Contents(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := contents(f, maxExternal)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return data, nil
}

// contents reads a file of at most limit bytes into memory of our own: a model may be replaced in place while a program uses it,
// and must neither change under its answers nor end it.
func contents(f fs.File, limit int64) ([]byte, error) {
	before, err := f.Stat()
	if err != nil {
		return nil, err
	}
	size := before.Size()
	switch {
	case !before.Mode().IsRegular():
		return nil, fmt.Errorf("not a regular file")
	case size > limit || int64(int(size)) != size:
		return nil, fmt.Errorf("%d bytes are more than the limit of %d", size, limit)
	}
	data := make([]byte, size)
	if err := fill(data, f); errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, errChanged
	} else if err != nil {
		return nil, err
	}
	after, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if after.Size() != size || !after.ModTime().Equal(before.ModTime()) {
		return nil, errChanged
	}
	return data, nil
}

// fill reads all of data from f, on all processors: most of the time goes into fresh memory.
func fill(data []byte, f fs.File) error {
	at, ok := f.(io.ReaderAt)
	if !ok {
		_, err := io.ReadFull(f, data)
		return err
	}
	parts := slices.Collect(slices.Chunk(data, max(1, (len(data)-1)/runtime.GOMAXPROCS(0)+1)))
	errs := make([]error, len(parts))
	var all sync.WaitGroup
	from := int64(0)
	for i, part := range parts {
		section := io.NewSectionReader(at, from, int64(len(part)))
		all.Go(func() { _, errs[i] = io.ReadFull(section, part) })
		from += int64(len(part))
	}
	all.Wait()
	return errors.Join(errs...)
}

var errChanged = errors.New("the file changed while it was read: try again when its writer is done")
