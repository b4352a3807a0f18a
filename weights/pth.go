package weights

import (
	"fmt"
	"slices"
	"strings"
)

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

// storages are those of one file, by key.
type storages map[string]*storage

// unpickler reads pickles whose storages' bytes raw finds.
func (known storages) unpickler(raw func(key string) ([]byte, error)) *unpickler {
	return &unpickler{allowed: allowedGlobal, call: evaluate, load: func(id any) (any, error) {
		key, s, err := storageID(id)
		if err != nil {
			return nil, err
		}
		if known[key] == nil {
			if s.raw, err = raw(key); err != nil {
				return nil, err
			}
			known[key] = s
		}
		return known[key], nil
	}}
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
