package onnx

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"unicode/utf8"
)

// mapAbove is the size from which files are mapped instead of read: weights then stay in the page cache.
const mapAbove = 1 << 20

// open returns the contents of a model file. Large files are mapped and stay so for the life of
// the process, because parameters point into them.
func open(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := contents(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return data, nil
}

func contents(f *os.File) ([]byte, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("not a regular file")
	}
	if info.Size() >= mapAbove {
		return mapFile(f, info.Size())
	}
	return io.ReadAll(io.LimitReader(f, mapAbove))
}

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
