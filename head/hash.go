package head

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"gorgonia.org/gorgonia"

	"regraft/engine"
	"regraft/engine/op"
)

// Hasher computes hashes of networks. It remembers those of values that it has seen, so that networks that share parameters cost little
// more than one. The zero value is ready.
type Hasher struct {
	known map[place][]byte
}

// place is where values are, which nobody changes.
type place struct {
	first *float32
	n     int
}

func placeOf(values []float32) place { return place{&values[0], len(values)} }

// Hash is a SHA-256 of all parameters of net that belong to none of the heads, running statistics
// included: names, shapes and values. It changes when the trunk changes in any bit.
func (h *Hasher) Hash(net *engine.Network, heads []Head) string {
	params := trunkParams(net, heads)
	slices.SortFunc(params, func(a, b *engine.Param) int { return strings.Compare(a.Name, b.Name) })
	h.learn(params)
	sum := sha256.New()
	for _, p := range params {
		fmt.Fprintf(sum, "%q %v %x\n", p.Name, p.Shape, h.of(p))
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// Fingerprint is a SHA-256 of what net computes: operators with their attributes, how they are connected, shapes and values of
// parameters. Names play no part, so a network that was written to a file and read again has the same one.
func (h *Hasher) Fingerprint(net *engine.Network) string {
	nodes := net.Nodes()
	h.learn(net.Params)
	sum, numbers := sha256.New(), map[*gorgonia.Node]int{net.Input: 0}
	fmt.Fprintln(sum, net.Input.Shape()[1:])
	operand := func(x *gorgonia.Node) {
		if _, known := numbers[x]; !known {
			numbers[x] = len(numbers)
			fmt.Fprintf(sum, "%v %x\n", x.Shape(), h.of(net.ParamOf(x)))
		}
		fmt.Fprintln(sum, numbers[x])
	}
	for _, node := range nodes {
		for _, x := range op.Inputs(node) {
			operand(x)
		}
		numbers[node] = len(numbers)
		fmt.Fprintln(sum, operation(node))
	}
	for _, out := range net.Outputs {
		operand(out.Node)
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// operation is an operator with its attributes, without what only tells equal ones apart.
func operation(node *gorgonia.Node) string {
	o := node.Op()
	if d, is := o.(*op.Dropout); is {
		return d.Name()
	}
	text, _, _ := strings.Cut(o.String(), "#")
	return text
}

// of is the hash of a parameter's values, which learn has seen.
func (h *Hasher) of(p *engine.Param) []byte {
	if p == nil || len(p.Value) == 0 {
		return nil
	}
	return h.known[placeOf(p.Value)]
}

// learn hashes the values of parameters, on all cores.
func (h *Hasher) learn(params []*engine.Param) {
	if h.known == nil {
		h.known = map[place][]byte{}
	}
	var unknown [][]float32
	for _, p := range params {
		if len(p.Value) == 0 {
			continue
		}
		if _, seen := h.known[placeOf(p.Value)]; !seen {
			h.known[placeOf(p.Value)] = nil
			unknown = append(unknown, p.Value)
		}
	}
	sums := make([][]byte, len(unknown))
	var next atomic.Int64
	var running sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		running.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(unknown); i = int(next.Add(1)) - 1 {
				sums[i] = hashOf(unknown[i])
			}
		})
	}
	running.Wait()
	for i, values := range unknown {
		h.known[placeOf(values)] = sums[i]
	}
}

// hashOf is the SHA-256 of values as little-endian bytes.
func hashOf(values []float32) []byte {
	sum := sha256.New()
	buffer := make([]byte, 0, 1<<15)
	for len(values) > 0 {
		n := min(len(values), cap(buffer)/4)
		buffer = buffer[:0]
		for _, v := range values[:n] {
			buffer = binary.LittleEndian.AppendUint32(buffer, math.Float32bits(v))
		}
		sum.Write(buffer)
		values = values[n:]
	}
	return sum.Sum(nil)
}
