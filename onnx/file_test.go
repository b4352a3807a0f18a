package onnx

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

// writing is a file that grows older by a second with every look, as one that is being written does.
type writing struct {
	fs.File
	looks int
}

func (w *writing) Stat() (fs.FileInfo, error) {
	info, err := w.File.Stat()
	w.looks++
	return later{info, time.Duration(w.looks) * time.Second}, err
}

type later struct {
	fs.FileInfo
	by time.Duration
}

func (l later) ModTime() time.Time { return l.FileInfo.ModTime().Add(l.by) }

// TestContents reads whole files and refuses those that change meanwhile or are too large, before memory is reserved.
func TestContents(t *testing.T) {
	folder := fstest.MapFS{"w": {Data: []byte("0123456789")}}
	open := func() fs.File {
		f, err := folder.Open("w")
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	if data, err := contents(open(), 10); err != nil || string(data) != "0123456789" {
		t.Errorf("%q, %v", data, err)
	}
	if _, err := contents(open(), 9); err == nil || !strings.Contains(err.Error(), "limit") {
		t.Errorf("a file above the limit: %v", err)
	}
	if _, err := contents(&writing{File: open()}, 10); !errors.Is(err, errChanged) {
		t.Errorf("a file that is being written: %v", err)
	}
	sparse := filepath.Join(t.TempDir(), "sparse.onnx")
	if err := os.WriteFile(sparse, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(sparse, maxModel+1); err != nil {
		t.Skipf("no files of this size here: %v", err)
	}
	if _, _, err := Read(sparse, ReadOptions{}); err == nil || !strings.Contains(err.Error(), "limit") {
		t.Errorf("a file of 2 GiB of nothing: %v", err)
	}
}

// TestReadFS finds external data beside the model in its file system.
func TestReadFS(t *testing.T) {
	weights := make([]byte, 24)
	folder := fstest.MapFS{
		"zoo/m.onnx": {Data: externalModel("location", "w.data")},
		"zoo/w.data": {Data: weights},
		"w.data":     {Data: weights[:4]}, // another one
	}
	if _, _, err := ReadFS(folder, "zoo/m.onnx", ReadOptions{}); err != nil {
		t.Error(err)
	}
	delete(folder, "zoo/w.data")
	if _, _, err := ReadFS(folder, "zoo/m.onnx", ReadOptions{}); err == nil || !strings.Contains(err.Error(), "missing") {
		t.Errorf("without its weights: %v", err)
	}
}
