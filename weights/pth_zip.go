package weights

import (
	"archive/zip"
	"bytes"
	"fmt"
	"path"
)

// maxPickle bounds the size of a pickle; that of a large network's state dict has half a megabyte.
const maxPickle = 16 << 20

// archive is a file in PyTorch's zip format (since 1.6): NAME/data.pkl and a file NAME/data/KEY for every
// storage, all stored without compression.
type archive struct {
	data  []byte
	files map[string]*zip.File
	root  string // NAME
}

// readZip reads PyTorch's zip format.
func readZip(data []byte) (*Tensors, error) {
	a, err := openArchive(data)
	if err != nil {
		return nil, err
	}
	pickle, err := a.content("data.pkl")
	if err != nil {
		return nil, err
	}
	if len(pickle) > maxPickle {
		return nil, fmt.Errorf("data.pkl has %d bytes, more than any state dict", len(pickle))
	}
	u := storages{}.unpickler(func(key string) ([]byte, error) { return a.content("data/" + key) })
	value, _, err := u.unpickle(pickle)
	if err != nil {
		return nil, err
	}
	return stateDict("pth", value)
}

func openArchive(data []byte) (*archive, error) {
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, fmt.Errorf("a zip archive that is damaged or truncated: %w", err)
	}
	a := &archive{data: data, files: map[string]*zip.File{}}
	for _, f := range z.File {
		a.files[f.Name] = f
		if path.Base(f.Name) == "data.pkl" {
			a.root = path.Dir(f.Name)
		}
	}
	switch {
	case a.root == "":
		return nil, fmt.Errorf("a zip archive, but none of PyTorch's: it has no data.pkl")
	case a.files[path.Join(a.root, "constants.pkl")] != nil:
		return nil, fmt.Errorf("a TorchScript archive: save the weights with torch.save(model.state_dict(), path), or export to ONNX")
	}
	if order, err := a.content("byteorder"); err == nil && string(order) != "little" {
		return nil, fmt.Errorf("its byte order is %q, only little is read", order)
	}
	return a, nil
}

// content is the part of the data that holds a file.
func (a *archive) content(name string) ([]byte, error) {
	f := a.files[path.Join(a.root, name)]
	if f == nil {
		return nil, fmt.Errorf("the archive has no %s", name)
	}
	if f.Method != zip.Store {
		return nil, fmt.Errorf("%s is compressed: PyTorch does not write such files", f.Name)
	}
	at, err := f.DataOffset()
	if err != nil || at < 0 || at > int64(len(a.data)) || f.UncompressedSize64 > uint64(len(a.data))-uint64(at) {
		return nil, fmt.Errorf("%s reaches beyond the end of the archive", f.Name)
	}
	end := at + int64(f.UncompressedSize64)
	return a.data[at:end:end], nil
}
