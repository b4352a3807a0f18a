package head

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"

	"gorgonia.org/gorgonia"

	"regraft/engine"
	"regraft/engine/op"
)

// Fingerprint is a SHA-256 of what net computes: operators with their attributes, how they are connected, shapes and values of
// parameters. Names play no part, so a network that was written to a file and read again has the same one.
func Fingerprint(net *engine.Network) string {
	nodes := net.Nodes()
	values := valueHashes(net, nodes)
	sum, place := sha256.New(), map[*gorgonia.Node]int{net.Input: 0}
	fmt.Fprintln(sum, net.Input.Shape()[1:])
	operand := func(x *gorgonia.Node) {
		if _, known := place[x]; !known {
			place[x] = len(place)
			fmt.Fprintf(sum, "%v %x\n", x.Shape(), values[x])
		}
		fmt.Fprintln(sum, place[x])
	}
	for _, node := range nodes {
		for _, x := range op.Inputs(node) {
			operand(x)
		}
		place[node] = len(place)
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

// valueHashes are the SHA-256 of the values of all parameters that the nodes read.
func valueHashes(net *engine.Network, nodes []*gorgonia.Node) map[*gorgonia.Node][]byte {
	var read []*gorgonia.Node
	hashes := map[*gorgonia.Node][]byte{}
	for _, node := range nodes {
		for _, x := range op.Inputs(node) {
			if _, seen := hashes[x]; !seen && net.ParamOf(x) != nil {
				hashes[x] = nil
				read = append(read, x)
			}
		}
	}
	sums := make([][]byte, len(read))
	var next atomic.Int64
	var running sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		running.Go(func() {
			for i := int(next.Add(1)) - 1; i < len(read); i = int(next.Add(1)) - 1 {
				sums[i] = hashOf(net.ParamOf(read[i]).Value)
			}
		})
	}
	running.Wait()
	for i, x := range read {
		hashes[x] = sums[i]
	}
	return hashes
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
