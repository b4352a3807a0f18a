package onnx

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
	"slices"
	"sync"
	"unicode/utf8"
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

// recognise explains what a file is that cannot be an ONNX model, by its first bytes; "" when it may be one.
func recognise(data []byte) string {
	head := data[:min(len(data), 512)]
	has := func(prefix string) bool { return bytes.HasPrefix(head, []byte(prefix)) }
	lower := bytes.ToLower(bytes.TrimSpace(head))
	switch {
	case len(data) == 0:
		return "the file is empty"
	case has("PK\x03\x04"):
		return "this is a zip archive (PyTorch's .pth and .pt files and Keras's .keras files are): export the model to ONNX, or use regraft import"
	case len(head) > 2 && head[0] == 0x80 && head[1] >= 2 && head[1] <= 5:
		return "this is a Python pickle (an old PyTorch .pth file): export the model to ONNX, or use regraft import"
	case has("\x89HDF\r\n\x1a\n"):
		return "this is an HDF5 file (Keras's .h5): convert it to ONNX with tf2onnx"
	case has("version https://git-lfs"):
		return "this is a Git LFS pointer, not the model itself: fetch it with git lfs pull"
	case bytes.HasPrefix(lower, []byte("<!doctype")), bytes.HasPrefix(lower, []byte("<html")):
		return "this is an HTML page: the download went wrong"
	case has("\x1f\x8b"), has("\xfd7zXZ\x00"), has("\x28\xb5\x2f\xfd"):
		return "the file is compressed: unpack it first"
	case len(head) > 8 && head[8] == '{' && head[7] == 0:
		return "this is a safetensors file: it holds weights without a graph; use regraft import"
	case len(head) > 8 && string(head[4:8]) == "TFL3":
		return "this is a TensorFlow Lite model: export the original model to ONNX"
	case isText(head):
		return "this is a text file, not an ONNX model"
	}
	return ""
}

// isText tells whether head is printable UTF-8; an ONNX file starts with control characters.
func isText(head []byte) bool {
	for len(head) > 0 {
		r, n := utf8.DecodeRune(head)
		if r == utf8.RuneError && len(head) >= utf8.UTFMax || r < ' ' && r != '\n' && r != '\r' && r != '\t' {
			return false
		}
		head = head[n:]
	}
	return true
}
