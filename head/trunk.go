package head

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math"
	"slices"
	"strings"

	"regraft/engine"
)

// Trunk returns the network whose outputs are the inputs of the heads, the main one's first: features (N, F), or
// maps (N, F, H, W) for heads that are convolutions.
func Trunk(net *engine.Network) (*engine.Network, error) {
	heads, err := Find(net)
	if err != nil {
		return nil, err
	}
	outputs := make([]engine.Output, len(heads))
	for i, h := range heads {
		outputs[i] = engine.Output{Name: h.Kind + " features of " + net.Outputs[h.Output].Name, Node: h.Input}
	}
	return net.Until(outputs...)
}

// Hash is the SHA-256 of all parameters of net that belong to none of the heads, running statistics
// included: names, shapes and values. It changes when the trunk changes in any bit.
func Hash(net *engine.Network, heads []Head) string {
	params := trunkParams(net, heads)
	slices.SortFunc(params, func(a, b *engine.Param) int { return strings.Compare(a.Name, b.Name) })
	sum := sha256.New()
	var buffer []byte
	for _, p := range params {
		buffer = append(buffer[:0], p.Name...)
		buffer = append(buffer, 0, byte(len(p.Shape)))
		for _, d := range p.Shape {
			buffer = binary.LittleEndian.AppendUint64(buffer, uint64(d))
		}
		for _, v := range p.Value {
			buffer = binary.LittleEndian.AppendUint32(buffer, math.Float32bits(v))
		}
		sum.Write(buffer)
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// FreezeTrunk makes the heads the only parameters that training changes; an empty list of heads
// freezes nothing and lets everything train.
func FreezeTrunk(net *engine.Network, heads []Head) {
	for _, p := range net.Params {
		p.Frozen = false
	}
	if len(heads) == 0 {
		return
	}
	for _, p := range trunkParams(net, heads) {
		p.Frozen = true
	}
}

func trunkParams(net *engine.Network, heads []Head) []*engine.Param {
	var params []*engine.Param
	for _, p := range net.Params {
		if !slices.ContainsFunc(heads, func(h Head) bool { return p == h.Weight || p == h.Bias }) {
			params = append(params, p)
		}
	}
	return params
}
