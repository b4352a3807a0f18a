package onnx

import (
	"archive/zip"
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func zipped(t *testing.T, names ...string) string {
	var archive bytes.Buffer
	z := zip.NewWriter(&archive)
	for _, name := range names {
		if _, err := z.Create(name); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return archive.String()
}

// TestNoModel recognises what people take for a model by its first bytes, and says what to do with it.
func TestNoModel(t *testing.T) {
	tar := make([]byte, 512)
	copy(tar, "model.onnx")
	copy(tar[257:], "ustar\x0000")
	folder := t.TempDir()
	for mention, content := range map[string]string{
		"empty":                     "",
		"regraft import":            zipped(t, "archive/data.pkl", "archive/data/0"),
		"torch.jit.load":            zipped(t, "net/data.pkl", "net/constants.pkl", "net/code/__torch__.py"),
		"format=\"onnx\"":           zipped(t, "metadata.json", "config.json", "model.weights.h5"),
		`"m/model.onnx"`:            zipped(t, "m/", "m/model.onnx"),
		"SavedModel: unpack":        zipped(t, "x/saved_model.pb"),
		"cut short":                 zipped(t, "archive/data.pkl")[:40],
		"pickle":                    "\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.",
		"HDF5":                      "\x89HDF\r\n\x1a\n\x00\x00",
		"git lfs pull":              "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n",
		"HTML":                      "\n<!DOCTYPE html><html><head><title>404</title>",
		"unpack it first":           "\xfd7zXZ\x00\x00\x04",
		"tar archive":               string(tar),
		"safetensors":               "\x10\x00\x00\x00\x00\x00\x00\x00{\"fc.weight\":{}}",
		"TensorFlow Lite":           "\x1c\x00\x00\x00TFL3\x14\x00\x20\x00",
		".ort":                      "\x18\x00\x00\x00ORTM\x00\x00\x00\x00",
		"saved_model.pb":            "\x08\x01\x12\x9c\x0a\x0a\x20*\x01Z\x22\x05serve",
		"Core ML":                   "\x08\x04\x12\x30\x0a\x10\x0a\x05image",
		"frozen graph":              "\x0a\x23\x0a\x05input\x12\x0bPlaceholder*\x0d\x0a\x05dtype",
		"OpenVINO":                  "<?xml version=\"1.0\"?>\n<net name=\"m\" version=\"11\">\n",
		"format=\"textproto\"":      "ir_version: 8\nproducer_name: \"pytorch\"\n",
		"JSON":                      "{\"modelTopology\": {}}",
		"photo":                     "\xff\xd8\xff\xe0\x00\x10JFIF",
		"text file":                 "This is not a model, it's straße.\n",
		"mxnet.onnx":                "\x12\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00",
		"reaches beyond the end (0": "\x08\x07\x12\x07",
	} {
		path := filepath.Join(folder, "model.onnx")
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		_, _, err := Read(path, ReadOptions{})
		if !errors.Is(err, ErrInvalid) || !strings.Contains(err.Error(), mention) || !strings.Contains(err.Error(), path) {
			t.Errorf("%q: %v, want an error that mentions %q", content, err, mention)
		}
	}
	if _, _, err := Read(folder, ReadOptions{}); err == nil || !strings.Contains(err.Error(), "regular file") {
		t.Errorf("a folder: %v", err)
	}
	if _, _, err := Read(filepath.Join(folder, "absent.onnx"), ReadOptions{}); !os.IsNotExist(err) && !errors.Is(err, os.ErrNotExist) {
		t.Errorf("an absent file: %v", err)
	}
}
