package onnx

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strconv"
)

// externalData reads the files beside a model that hold its weights (ONNX's external data, the
// default of PyTorch's exporter since 2.9). Nothing outside the model's folder is ever opened: no absolute
// path, no "..", no symbolic link.
type externalData struct {
	folder fs.FS // nil where the model was not read from a file
	files  map[string]*externalFile
	size   int64 // of all files
}

// externalFile is a file of weights, with the end of what the model's tensors take of it.
type externalFile struct {
	data []byte
	used int64
}

// surplus is what a file may be longer than its tensors without a word: some writers pad it to whole pages.
const surplus = 1 << 16

// doubts lists the files that are much longer than their tensors: two exports of one name have mixed.
func (e *externalData) doubts() []string {
	var list []string
	for _, location := range slices.Sorted(maps.Keys(e.files)) {
		if f := e.files[location]; int64(len(f.data))-f.used > surplus {
			list = append(list, fmt.Sprintf("the model uses %d of the %d bytes of %s: is it the file of another export?", f.used, len(f.data), quoted(location)))
		}
	}
	return list
}

// load resolves t's payload if it is external.
func (e *externalData) load(t *tensorProto) error {
	if t.location == 0 && t.external == nil {
		return nil
	}
	raw, err := e.payload(t)
	if err != nil {
		return fmt.Errorf("external data of tensor %s: %w", quoted(t.name), err)
	}
	t.raw, t.hasRaw = raw, true
	return nil
}

func (e *externalData) payload(t *tensorProto) ([]byte, error) {
	location := t.external["location"]
	if t.location != 1 || location == "" {
		return nil, fmt.Errorf("location is missing")
	}
	n, err := elements(t.dims)
	if err != nil {
		return nil, err
	}
	offset, err := nonNegative(t.external, "offset", 0)
	if err != nil {
		return nil, err
	}
	width := int64(t.dtype.width())
	if width > 0 && int64(n) > (1<<62)/width {
		return nil, fmt.Errorf("shape %v is too large", t.dims)
	}
	length, err := nonNegative(t.external, "length", int64(n)*width)
	if err != nil {
		return nil, err
	}
	file, err := e.open(location)
	if err != nil {
		return nil, err
	}
	if size := int64(len(file.data)); offset > size || length > size-offset {
		return nil, fmt.Errorf("bytes %d to %d+%d reach beyond the end of %s (%d bytes): is it the file of another export?", offset, offset, length, quoted(location), size)
	}
	file.used = max(file.used, offset+length)
	return file.data[offset : offset+length : offset+length], nil
}

func nonNegative(properties map[string]string, key string, missing int64) (int64, error) {
	text, ok := properties[key]
	if !ok {
		return missing, nil
	}
	v, err := strconv.ParseInt(text, 10, 64)
	if err != nil || v < 0 {
		return 0, fmt.Errorf("%s %s is not a size", key, quoted(text))
	}
	return v, nil
}

// located says which file a problem is with; the system's own errors repeat its whole name.
func located(location string, err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		err = p.Err
	}
	return fmt.Errorf("%s: %w", quoted(location), err)
}

// open reads a file of the model's folder, once.
func (e *externalData) open(location string) (*externalFile, error) {
	if file, ok := e.files[location]; ok {
		return file, nil
	}
	if e.folder == nil {
		return nil, fmt.Errorf("%s cannot be opened: the model was not read from a file", quoted(location))
	}
	if !filepath.IsLocal(filepath.FromSlash(location)) {
		return nil, fmt.Errorf("location %s lies outside the model's folder", quoted(location))
	}
	name := path.Clean(location)
	info, err := fs.Lstat(e.folder, name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%s is missing: it must lie beside the .onnx file", quoted(location))
	case err != nil:
		return nil, located(location, err)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is no regular file (symbolic links are not followed): copy it beside the .onnx file", quoted(location))
	}
	f, err := e.folder.Open(name)
	if err != nil {
		return nil, located(location, err)
	}
	defer f.Close()
	data, err := contents(f, maxExternal-e.size)
	if err != nil {
		return nil, located(location, err)
	}
	if e.files == nil {
		e.files = map[string]*externalFile{}
	}
	e.size += int64(len(data))
	e.files[location] = &externalFile{data: data}
	return e.files[location], nil
}
