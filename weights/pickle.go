package weights

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"strings"
)

// Bounds on the work and the memory that one pickle can ask for. The state dict of a network with a thousand tensors takes some
// thirty thousand opcodes. An opcode may handle many values (a dict of pairs that the memo holds, again and again), so values that
// go into containers are counted as well. Names of classes are short.
const (
	maxOpcodes   = 1 << 21
	maxContained = 1 << 22
	maxClassName = 1 << 9
)

// What a pickle can hold, beside nil, bool, int64, float64 and string. Lists and dicts are shared by
// reference, as in Python.
type (
	tuple []any
	list  struct{ items []any }
	dict  struct{ keys, values []any }
	// long is an integer of more than 64 bits, little-endian.
	long string
	// global is a class or a function, by its full name. It is never looked up.
	global string
	// opaque stands for an object of a class that is not read: nothing is known of it but the class, and nothing is built.
	opaque struct{ class global }
)

// unpickler reads one pickle. Nothing in it is executed: the few functions that state dicts name are
// evaluated by call, and what others would make is opaque.
type unpickler struct {
	rest      []byte
	stack     []any
	marks     []int
	memo      map[uint32]any
	contained int
	// load resolves a persistent identifier.
	load func(id any) (any, error)
}

// unpickle reads the pickle at the start of data and returns what follows it.
func (u *unpickler) unpickle(data []byte) (value any, rest []byte, err error) {
	u.rest, u.stack, u.marks, u.memo, u.contained = data, nil, nil, map[uint32]any{}, 0
	for range maxOpcodes {
		op, err := u.byte()
		if err != nil {
			return nil, nil, err
		}
		if op == opStop {
			value, err := u.pop()
			return value, u.rest, err
		}
		if err := u.step(op); err != nil {
			return nil, nil, fmt.Errorf("byte %d of the pickle: %w", len(data)-len(u.rest), err)
		}
	}
	return nil, nil, fmt.Errorf("the pickle has more than %d operations", maxOpcodes)
}

// step executes one opcode.
func (u *unpickler) step(op byte) error {
	switch op {
	case opMark:
		u.marks = append(u.marks, len(u.stack))
		return nil
	case opPop:
		_, err := u.pop()
		return err
	case opPopMark:
		_, err := u.popMark()
		return err
	case opDup:
		v, err := u.pop()
		u.push(v, v)
		return err
	case opProto:
		_, err := u.byte()
		return err
	case opFrame:
		_, err := u.take(8)
		return err
	case opPersistentID:
		return u.replace(u.load)
	case opReduce, opNewObj:
		return u.reduce()
	case opNewObjEx:
		if _, err := u.pop(); err != nil { // keyword arguments
			return err
		}
		return u.reduce()
	case opEmptySet, opFrozenSet, opAddItems:
		return u.set(op)
	case opBuild:
		return u.build()
	case opGlobal, opStackGlobal:
		return u.global(op)
	case opBinPut, opLongBinPut, opMemoize, opBinGet, opLongBinGet:
		return u.remember(op)
	case opEmptyTuple, opTuple, opTuple1, opTuple2, opTuple3:
		return u.tuple(op)
	case opEmptyList, opList, opAppend, opAppends, opEmptyDict, opDict, opSetItem, opSetItems:
		return u.container(op)
	}
	return u.scalar(op)
}

// scalar pushes a number, a text or a constant.
func (u *unpickler) scalar(op byte) error {
	switch op {
	case opNone:
		u.push(nil)
		return nil
	case opNewTrue, opNewFalse:
		u.push(op == opNewTrue)
		return nil
	case opShortBinString, opShortBinUnicode, opShortBinBytes:
		return u.text(1)
	case opBinString, opBinUnicode, opBinBytes:
		return u.text(4)
	case opBinUnicode8, opBinBytes8:
		return u.text(8)
	case opLong1:
		return u.long(1)
	case opLong4:
		return u.long(4)
	}
	width, ok := map[byte]int{opBinInt1: 1, opBinInt2: 2, opBinInt: 4, opBinFloat: 8}[op]
	if !ok {
		return fmt.Errorf("operation 0x%02x does not occur in state dicts", op)
	}
	b, err := u.take(width)
	if err != nil {
		return err
	}
	switch op {
	case opBinInt1:
		u.push(int64(b[0]))
	case opBinInt2:
		u.push(int64(binary.LittleEndian.Uint16(b)))
	case opBinInt:
		u.push(int64(int32(binary.LittleEndian.Uint32(b))))
	case opBinFloat:
		u.push(math.Float64frombits(binary.BigEndian.Uint64(b)))
	}
	return nil
}

// text pushes a string whose length takes the given number of bytes.
func (u *unpickler) text(width int) error {
	n, err := u.length(width)
	if err != nil {
		return err
	}
	b, err := u.take(n)
	u.push(string(b))
	return err
}

func (u *unpickler) long(width int) error {
	n, err := u.length(width)
	if err != nil {
		return err
	}
	b, err := u.take(n)
	if err != nil {
		return err
	}
	if n > 8 {
		u.push(long(b))
		return nil
	}
	var v int64
	for i := n - 1; i >= 0; i-- {
		v = v<<8 | int64(b[i])
	}
	if n > 0 && n < 8 && b[n-1] >= 0x80 { // two's complement
		v -= 1 << (8 * n)
	}
	u.push(v)
	return nil
}

// length reads a size that must lie inside the pickle.
func (u *unpickler) length(width int) (int, error) {
	b, err := u.take(width)
	if err != nil {
		return 0, err
	}
	var v uint64
	for i := width - 1; i >= 0; i-- {
		v = v<<8 | uint64(b[i])
	}
	if v > uint64(len(u.rest)) {
		return 0, fmt.Errorf("a length of %d bytes reaches beyond the end (%d left)", v, len(u.rest))
	}
	return int(v), nil
}

// remember stores in or takes from the memo.
func (u *unpickler) remember(op byte) error {
	var key uint32
	switch op {
	case opMemoize:
		key = uint32(len(u.memo))
	case opBinPut, opBinGet:
		b, err := u.take(1)
		if err != nil {
			return err
		}
		key = uint32(b[0])
	default:
		b, err := u.take(4)
		if err != nil {
			return err
		}
		key = binary.LittleEndian.Uint32(b)
	}
	if op == opBinGet || op == opLongBinGet {
		v, ok := u.memo[key]
		if !ok {
			return fmt.Errorf("it refers to object %d, which does not exist", key)
		}
		u.push(v)
		return nil
	}
	v, err := u.pop()
	if err != nil {
		return err
	}
	u.memo[key] = v
	u.push(v)
	return nil
}

func (u *unpickler) tuple(op byte) error {
	if op == opTuple {
		items, err := u.popMark()
		u.push(tuple(items))
		return err
	}
	n := map[byte]int{opEmptyTuple: 0, opTuple1: 1, opTuple2: 2, opTuple3: 3}[op]
	if err := u.contain(n); err != nil {
		return err
	}
	items := make(tuple, n)
	for i := n - 1; i >= 0; i-- {
		var err error
		if items[i], err = u.pop(); err != nil {
			return err
		}
	}
	u.push(items)
	return nil
}

// container makes lists and dicts and adds to them.
func (u *unpickler) container(op byte) error {
	switch op {
	case opEmptyList:
		u.push(&list{})
		return nil
	case opEmptyDict:
		u.push(&dict{})
		return nil
	}
	var items []any
	var err error
	switch op {
	case opAppend:
		items = make([]any, 1)
		items[0], err = u.pop()
	case opSetItem:
		items = make([]any, 2)
		if items[1], err = u.pop(); err == nil {
			items[0], err = u.pop()
		}
	default:
		items, err = u.popMark()
	}
	if err == nil {
		err = u.contain(len(items))
	}
	if err != nil {
		return err
	}
	switch op {
	case opList:
		u.push(&list{items})
		return nil
	case opDict:
		u.push(&dict{})
	}
	top, err := u.pop()
	if err != nil {
		return err
	}
	u.push(top)
	switch to := top.(type) {
	case *opaque: // a list or dict of a class of its own
		return nil
	case *list:
		if op == opAppend || op == opAppends {
			to.items = append(to.items, items...)
			return nil
		}
	case *dict:
		if op != opAppend && op != opAppends && len(items)%2 == 0 {
			for i := 0; i < len(items); i += 2 {
				to.keys, to.values = append(to.keys, items[i]), append(to.values, items[i+1])
			}
			return nil
		}
	}
	return fmt.Errorf("operation %q on what is no container", op)
}

// set makes and fills sets, which state dicts do not need: they are opaque.
func (u *unpickler) set(op byte) error {
	if op != opEmptySet {
		if _, err := u.popMark(); err != nil {
			return err
		}
	}
	if op == opAddItems {
		return u.replace(func(any) (any, error) { return &opaque{"builtins.set"}, nil })
	}
	u.push(&opaque{"builtins.set"})
	return nil
}

// contain counts values that go into containers.
func (u *unpickler) contain(n int) error {
	if u.contained += n; u.contained > maxContained {
		return fmt.Errorf("its containers hold more than %d values", maxContained)
	}
	return nil
}

// global pushes the name of a class or function, unless it is one by which files do harm.
func (u *unpickler) global(op byte) error {
	var module, name string
	if op == opGlobal {
		lines := bytes.SplitN(u.rest[:min(len(u.rest), 1<<10)], []byte("\n"), 3)
		if len(lines) < 3 {
			return fmt.Errorf("the name of a class is not complete")
		}
		module, name = string(lines[0]), string(lines[1])
		u.rest = u.rest[len(module)+len(name)+2:]
	} else {
		second, err := u.pop()
		if err != nil {
			return err
		}
		first, err := u.pop()
		if err != nil {
			return err
		}
		var ok1, ok2 bool
		module, ok1 = first.(string)
		if name, ok2 = second.(string); !ok1 || !ok2 {
			return fmt.Errorf("the name of a class is no text")
		}
	}
	if len(module)+len(name) > maxClassName {
		return fmt.Errorf("the name of a class has %d bytes", len(module)+len(name))
	}
	g := global(module + "." + name)
	if g.harmful() {
		return &objectError{g}
	}
	u.push(g)
	return nil
}

// objectError: the pickle holds an object where tensors are wanted.
type objectError struct{ class global }

func (e *objectError) Error() string {
	return fmt.Sprintf("it holds a Python object, %q; only tensors, dicts, lists, numbers and texts are read, and nothing is ever executed: "+
		"save it again in Python with torch.save(model.state_dict(), path)", strings.ToValidUTF8(string(e.class), "?"))
}

// reduce evaluates a call, of a function or of a class. An object of a class that is not read is opaque.
func (u *unpickler) reduce() error {
	args, err := u.pop()
	if err != nil {
		return err
	}
	return u.replace(func(f any) (any, error) {
		name, ok := f.(global)
		values, isTuple := args.(tuple)
		if _, made := f.(*opaque); made && isTuple { // a method or class that an opaque object gave
			return f, nil
		}
		if !ok || !isTuple {
			return nil, fmt.Errorf("a call of what is no function")
		}
		return u.call(name, values)
	})
}

// build would set attributes of an object. State dicts have some (_metadata: versions of modules), which are
// not needed.
func (u *unpickler) build() error {
	if _, err := u.pop(); err != nil {
		return err
	}
	return u.replace(func(v any) (any, error) {
		switch v.(type) {
		case *dict, *opaque, Tensor:
			return v, nil
		}
		return nil, fmt.Errorf("attributes of what is no OrderedDict")
	})
}

// replace puts f of the topmost value in its place.
func (u *unpickler) replace(f func(any) (any, error)) error {
	v, err := u.pop()
	if err != nil {
		return err
	}
	if v, err = f(v); err != nil {
		return err
	}
	u.push(v)
	return nil
}

func (u *unpickler) push(values ...any) { u.stack = append(u.stack, values...) }

// pop takes the topmost value; those below the last mark are out of reach.
func (u *unpickler) pop() (any, error) {
	n := len(u.stack)
	if n == 0 || len(u.marks) > 0 && n == u.marks[len(u.marks)-1] {
		return nil, fmt.Errorf("it takes a value that is not there")
	}
	v := u.stack[n-1]
	u.stack = u.stack[:n-1]
	return v, nil
}

// popMark takes all values above the last mark.
func (u *unpickler) popMark() ([]any, error) {
	if len(u.marks) == 0 {
		return nil, fmt.Errorf("it takes values up to a mark that is not there")
	}
	at := u.marks[len(u.marks)-1]
	u.marks = u.marks[:len(u.marks)-1]
	items := append([]any{}, u.stack[at:]...)
	u.stack = u.stack[:at]
	return items, nil
}

func (u *unpickler) byte() (byte, error) {
	b, err := u.take(1)
	if err != nil {
		return 0, err
	}
	return b[0], nil
}

func (u *unpickler) take(n int) ([]byte, error) {
	if n > len(u.rest) {
		return nil, fmt.Errorf("the pickle is truncated")
	}
	b := u.rest[:n]
	u.rest = u.rest[n:]
	return b, nil
}
