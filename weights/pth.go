package weights

import (
	"errors"
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
	defaultDict      global = "collections.defaultdict"
	rebuildTensor    global = "torch._utils._rebuild_tensor_v2"
	rebuildOldTensor global = "torch._utils._rebuild_tensor" // before PyTorch 0.4
	rebuildParameter global = "torch._utils._rebuild_parameter"
	rebuildStateful  global = "torch._utils._rebuild_parameter_with_state"
	rebuildSubclass  global = "torch._tensor._rebuild_from_type_v2"
	torchSize        global = "torch.Size"
)

// harmful tells whether only a file that means harm names g: it runs commands or code. Nothing here would, but whoever reads
// such a file in Python should know.
func (g global) harmful() bool {
	module, name, _ := strings.Cut(string(g), ".")
	switch module {
	case "os", "posix", "nt", "subprocess", "sys", "runpy", "pty", "socket", "shutil", "importlib", "webbrowser", "ctypes", "code":
		return true
	case "builtins", "__builtin__":
		return slices.Contains([]string{"eval", "exec", "execfile", "compile", "open", "__import__", "input", "breakpoint"}, name)
	}
	return false
}

// call is what the functions of state dicts mean. Others make opaque objects.
func (u *unpickler) call(f global, args tuple) (any, error) {
	switch f {
	case orderedDict:
		switch len(args) {
		case 0:
			return &dict{}, nil
		case 1: // as Python 2 writes it
			return u.pairs(args[0])
		}
	case defaultDict:
		return &dict{}, nil
	case torchSize:
		if len(args) == 1 {
			return args[0], nil
		}
	case rebuildParameter, rebuildStateful:
		if len(args) >= 1 {
			if t, ok := args[0].(Tensor); ok {
				return t, nil
			}
		}
	case rebuildSubclass: // function, class, arguments, attributes
		if len(args) >= 3 {
			inner, ok := args[0].(global)
			innerArgs, ok2 := args[2].(tuple)
			if ok && ok2 && inner != rebuildSubclass {
				return u.call(inner, innerArgs)
			}
		}
	case rebuildTensor, rebuildOldTensor:
		if len(args) >= 4 {
			return tensorOf(args)
		}
	default:
		return &opaque{f}, nil
	}
	return nil, fmt.Errorf("%s with other arguments than state dicts have", f)
}

// pairs makes a dict of a list of [key, value].
func (u *unpickler) pairs(v any) (any, error) {
	l, ok := v.(*list)
	if !ok {
		return nil, fmt.Errorf("an OrderedDict of what is no list")
	}
	if err := u.contain(2 * len(l.items)); err != nil {
		return nil, err
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
		return nil, fmt.Errorf("a tensor without storage, offset, size or strides")
	}
	return s.view(int(offset), shape, strides)
}

func ints(v any) ([]int, bool) {
	items, ok := v.(tuple)
	if len(items) > maxRank {
		return nil, false
	}
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
	const longest = 1 << 8 // a storage's key is a number
	if !ok || !known || !ok2 || !ok3 || elements < 0 || elements > maxElements || len(key) > longest {
		return "", nil, fmt.Errorf("a storage without class, key or size")
	}
	return key, &storage{dtype: dtype, elements: int(elements)}, nil
}

// storages are those of one file, by key.
type storages map[string]*storage

// unpickler reads pickles whose storages' bytes raw finds.
func (known storages) unpickler(raw func(key string) ([]byte, error)) *unpickler {
	return &unpickler{load: func(id any) (any, error) {
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

// Bounds on what the dicts of a file may spread out to.
const (
	maxTensors = 1 << 16
	maxVisited = 1 << 20
	maxName    = 1 << 9
	maxNested  = 8
)

// stateDict gathers the tensors of what was unpickled: a dict of names to tensors, or a checkpoint that holds some, beside the
// optimiser's state and other things. The names of a nested dict begin with its key, as those of a module inside another do.
func stateDict(format string, value any) (*Tensors, error) {
	g := &gatherer{tensors: &Tensors{Format: format}}
	root, ok := value.(*dict)
	if !ok {
		g.pass(value)
		return nil, g.nothing("it holds no dict of tensors")
	}
	if err := g.add("", root, 0); err != nil {
		return nil, err
	}
	if len(g.tensors.List) == 0 {
		return nil, g.nothing("it holds no named tensors")
	}
	return g.tensors, nil
}

// gatherer walks dicts for tensors.
type gatherer struct {
	tensors *Tensors
	visited int
}

// nothing explains why there is no tensor, by the object in their place if there is one.
func (g *gatherer) nothing(reason string) error {
	if passed := g.tensors.PassedOver; len(passed) > 0 {
		return &objectError{global(passed[0])}
	}
	return errors.New(reason)
}

// add takes the tensors of d, whose names begin with prefix, and those of the dicts in it; what else they hold is ignored.
func (g *gatherer) add(prefix string, d *dict, depth int) error {
	for i, v := range d.values {
		if g.visited++; g.visited > maxVisited || len(g.tensors.List) > maxTensors {
			return fmt.Errorf("its dicts hold more than any network")
		}
		key, isText := d.keys[i].(string)
		if !isText || len(prefix)+len(key) > maxName {
			continue
		}
		switch v := v.(type) {
		case Tensor:
			if err := g.tensors.add(prefix+key, v); err != nil {
				return err
			}
		case *dict:
			if depth < maxNested {
				if err := g.add(prefix+key+".", v, depth+1); err != nil {
					return err
				}
			}
		default:
			g.pass(v)
		}
	}
	return nil
}

// pass remembers the class of an object that is not read.
func (g *gatherer) pass(v any) {
	var class global
	switch v := v.(type) {
	case *opaque:
		class = v.class
	case global:
		class = v
	default:
		return
	}
	const most = 8
	list := &g.tensors.PassedOver
	if name := strings.ToValidUTF8(string(class), "?"); len(*list) < most && !slices.Contains(*list, name) {
		*list = append(*list, name)
	}
}
