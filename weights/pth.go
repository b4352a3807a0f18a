package weights

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"path"
	"slices"
	"strings"
)

// isPickle tells whether data begins like a pickle of protocol 2 to 5, which files of PyTorch before 1.6 are.
func isPickle(data []byte) bool {
	return len(data) > 2 && data[0] == opProto && data[1] >= 2 && data[1] <= 5
}

// storageTypes are the classes of PyTorch's storages.
var storageTypes = map[global]dtype{
	"torch.FloatStorage": float32Type, "torch.HalfStorage": float16Type, "torch.BFloat16Storage": bfloat16Type,
	"torch.DoubleStorage": float64Type, "torch.LongStorage": int64Type, "torch.IntStorage": int32Type,
	"torch.ShortStorage": int16Type, "torch.CharStorage": int8Type, "torch.ByteStorage": uint8Type, "torch.BoolStorage": boolType,
}

// Functions and classes that state dicts name beside storages.
const (
	orderedDict      global = "collections.OrderedDict"
	rebuildTensor    global = "torch._utils._rebuild_tensor_v2"
	rebuildOldTensor global = "torch._utils._rebuild_tensor" // before PyTorch 0.4
	rebuildParameter global = "torch._utils._rebuild_parameter"
	torchSize        global = "torch.Size"
)

func allowedGlobal(g global) bool {
	_, storage := storageTypes[g]
	return storage || g == orderedDict || g == rebuildTensor || g == rebuildOldTensor || g == rebuildParameter || g == torchSize
}

// evaluate is what the allowed functions mean.
func evaluate(f global, args tuple) (any, error) {
	switch {
	case f == orderedDict && len(args) == 0:
		return &dict{}, nil
	case f == orderedDict && len(args) == 1: // as Python 2 writes it
		return pairs(args[0])
	case f == torchSize && len(args) == 1:
		return args[0], nil
	case f == rebuildParameter && len(args) >= 1:
		if t, ok := args[0].(Tensor); ok {
			return t, nil
		}
	case (f == rebuildTensor || f == rebuildOldTensor) && len(args) >= 4:
		return tensorOf(args)
	}
	return nil, fmt.Errorf("%s with other arguments than state dicts have", f)
}

// pairs makes a dict of a list of [key, value].
func pairs(v any) (any, error) {
	l, ok := v.(*list)
	if !ok {
		return nil, fmt.Errorf("an OrderedDict of what is no list")
	}
	d := &dict{}
	for _, item := range l.items {
		pair, ok := item.(*list)
		if !ok || len(pair.items) != 2 {
			return nil, fmt.Errorf("an OrderedDict of what are no pairs")
		}
		d.keys, d.values = append(d.keys, pair.items[0]), append(d.values, pair.items[1])
	}
	return d, nil
}

// tensorOf evaluates _rebuild_tensor_v2(storage, offset, size, stride, ...).
func tensorOf(args tuple) (any, error) {
	s, ok := args[0].(*storage)
	offset, ok2 := args[1].(int64)
	shape, ok3 := ints(args[2])
	strides, ok4 := ints(args[3])
	if !ok || !ok2 || !ok3 || !ok4 {
		return nil, fmt.Errorf("a tensor without storage, offset, size or stride")
	}
	return s.view(int(offset), shape, strides)
}

func ints(v any) ([]int, bool) {
	items, ok := v.(tuple)
	values := make([]int, len(items))
	for i, item := range items {
		n, isInt := item.(int64)
		values[i], ok = int(n), ok && isInt
	}
	return values, ok
}

// storageID reads a persistent identifier: ('storage', class, key, location, elements[, view]).
func storageID(id any) (key string, s *storage, err error) {
	fields, _ := id.(tuple)
	if len(fields) < 5 || fields[0] != "storage" {
		return "", nil, fmt.Errorf("a persistent identifier that is no storage")
	}
	if len(fields) > 5 && fields[5] != nil {
		return "", nil, fmt.Errorf("a storage that is a view of another, which PyTorch before 0.4 wrote: save the file again with a newer one")
	}
	class, ok := fields[1].(global)
	dtype, known := storageTypes[class]
	key, ok2 := fields[2].(string)
	elements, ok3 := fields[4].(int64)
	if !ok || !known || !ok2 || !ok3 || elements < 0 || elements > maxElements {
		return "", nil, fmt.Errorf("a storage without class, key or size")
	}
	return key, &storage{dtype: dtype, elements: int(elements)}, nil
}

// maxPickle bounds the size of a pickle; that of a large network's state dict has half a megabyte.
const maxPickle = 16 << 20

// readZip reads PyTorch's zip format (since 1.6): NAME/data.pkl and a file NAME/data/KEY for every storage, all
// stored without compression.
func readZip(data []byte) (*Tensors, error) {
	archive, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, fmt.Errorf("a zip archive that is damaged or truncated: %w", err)
	}
	files := map[string]*zip.File{}
	root := ""
	for _, f := range archive.File {
		files[f.Name] = f
		if path.Base(f.Name) == "data.pkl" {
			root = path.Dir(f.Name)
		}
	}
	content := func(name string) ([]byte, error) {
		f := files[path.Join(root, name)]
		if f == nil {
			return nil, fmt.Errorf("the archive has no %s", name)
		}
		if f.Method != zip.Store {
			return nil, fmt.Errorf("%s is compressed: PyTorch does not write such files", f.Name)
		}
		at, err := f.DataOffset()
		if err != nil || at < 0 || at > int64(len(data)) || f.UncompressedSize64 > uint64(len(data))-uint64(at) {
			return nil, fmt.Errorf("%s reaches beyond the end of the archive", f.Name)
		}
		end := at + int64(f.UncompressedSize64)
		return data[at:end:end], nil
	}
	switch {
	case root == "":
		return nil, fmt.Errorf("a zip archive, but none of PyTorch's: it has no data.pkl")
	case files[path.Join(root, "constants.pkl")] != nil:
		return nil, fmt.Errorf("a TorchScript archive: save the weights with torch.save(model.state_dict(), path), or export to ONNX")
	}
	if order, err := content("byteorder"); err == nil && string(order) != "little" {
		return nil, fmt.Errorf("its byte order is %q, only little is read", order)
	}
	pickle, err := content("data.pkl")
	if err != nil {
		return nil, err
	}
	if len(pickle) > maxPickle {
		return nil, fmt.Errorf("data.pkl has %d bytes, more than any state dict", len(pickle))
	}
	storages := map[string]*storage{}
	u := unpickler{allowed: allowedGlobal, call: evaluate, load: func(id any) (any, error) {
		key, s, err := storageID(id)
		if err != nil {
			return nil, err
		}
		if known := storages[key]; known != nil {
			return known, nil
		}
		s.raw, err = content("data/" + key)
		storages[key] = s
		return s, err
	}}
	value, _, err := u.unpickle(pickle)
	if err != nil {
		return nil, err
	}
	return stateDict("pth", value)
}

// legacyMagic begins files of PyTorch before 1.6, legacyVersion follows it.
const (
	legacyMagic   = long("\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19")
	legacyVersion = int64(1001)
)

// readLegacy reads the format of PyTorch before 1.6: pickles of a magic number, a version and the machine's sizes, the
// pickle proper, a pickled list of the storages' keys, then each storage as its number of elements and its bytes.
func readLegacy(data []byte) (*Tensors, error) {
	storages := map[string]*storage{}
	u := unpickler{allowed: allowedGlobal, call: evaluate, load: func(id any) (any, error) {
		key, s, err := storageID(id)
		if err != nil {
			return nil, err
		}
		if known := storages[key]; known != nil {
			return known, nil
		}
		storages[key] = s
		return s, nil
	}}
	var values [5]any
	rest := data
	for i := range values {
		var err error
		if values[i], rest, err = u.unpickle(rest); err != nil {
			return nil, err
		}
		switch {
		case i == 0 && values[0] != any(legacyMagic):
			return nil, fmt.Errorf("a Python pickle, but none of PyTorch's")
		case i == 1 && values[1] != any(legacyVersion):
			return nil, fmt.Errorf("a PyTorch file of version %v, only %d is read", values[1], legacyVersion)
		}
	}
	keys, ok := values[4].(*list)
	if !ok {
		return nil, fmt.Errorf("the list of storages is missing")
	}
	for _, key := range keys.items {
		name, _ := key.(string)
		s := storages[name]
		if s == nil || s.raw != nil {
			return nil, fmt.Errorf("storage %q is listed without being used, or twice", name)
		}
		if len(rest) < 8 || binary.LittleEndian.Uint64(rest) != uint64(s.elements) {
			return nil, fmt.Errorf("storage %q does not have its %d elements: the file is damaged or truncated", name, s.elements)
		}
		rest = rest[8:]
		n := s.elements * s.dtype.width()
		if n > len(rest) {
			return nil, fmt.Errorf("storage %q reaches beyond the end: the file is truncated", name)
		}
		s.raw, rest = rest[:n:n], rest[n:]
	}
	return stateDict("legacy pth", values[3])
}

// checkpointKeys are the names under which training scripts store the state dict in a checkpoint, beside the
// optimiser's state and other things.
var checkpointKeys = []string{"state_dict", "model", "model_state_dict", "net", "weights"}

// stateDict finds the tensors in what was unpickled: a dict of names to tensors, or a checkpoint that holds one.
func stateDict(format string, value any) (*Tensors, error) {
	root, ok := value.(*dict)
	if !ok {
		return nil, fmt.Errorf("it holds no dict of tensors")
	}
	t, err := named(format, root)
	if err != nil || len(t.List) > 0 {
		return t, err
	}
	found := map[string]*dict{}
	for i, v := range root.values {
		inner, isDict := v.(*dict)
		key, isText := root.keys[i].(string)
		if !isDict || !isText {
			continue
		}
		if t, err := named(format, inner); err != nil || len(t.List) > 0 {
			found[key] = inner
		}
	}
	for _, key := range checkpointKeys {
		if found[key] != nil {
			return named(format, found[key])
		}
	}
	if len(found) == 1 {
		for _, inner := range found {
			return named(format, inner)
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("it holds no named tensors")
	}
	var keys []string
	for key := range found {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return nil, fmt.Errorf("it holds several dicts of tensors: %q; save the one that is the model's", strings.Join(keys, ", "))
}

// named gathers the tensors of a dict; what else it holds is ignored.
func named(format string, d *dict) (*Tensors, error) {
	t := &Tensors{Format: format}
	for i, v := range d.values {
		name, isText := d.keys[i].(string)
		tensor, isTensor := v.(Tensor)
		if !isText || !isTensor {
			continue
		}
		if err := t.add(name, tensor); err != nil {
			return nil, err
		}
	}
	return t, nil
}
