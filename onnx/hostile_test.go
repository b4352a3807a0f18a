package onnx

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"regraft/golden"
)

// TestHostile reads broken and malicious files: each gives an error that says what is wrong, in bounded memory.
func TestHostile(t *testing.T) {
	folder := filepath.Join(golden.Dir(t), "fixtures", "hostile")
	data, err := os.ReadFile(filepath.Join(folder, "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	var manifest struct {
		Cases []struct {
			File     string
			Mentions []string `json:"mentions_any"`
			RSS      uint64   `json:"max_rss_mb"`
		}
	}
	if err := json.Unmarshal(data, &manifest); err != nil {
		t.Fatal(err)
	}
	for _, c := range manifest.Cases {
		t.Run(c.File, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			net, _, err := Read(filepath.Join(folder, c.File), ReadOptions{})
			runtime.ReadMemStats(&after)
			if err == nil || net != nil {
				t.Fatal("no error")
			}
			t.Log(err)
			message := strings.ToLower(err.Error())
			if !strings.Contains(message, c.File) {
				t.Error("the message does not name the file")
			}
			message = strings.ReplaceAll(message, c.File, "")
			found := false
			for _, word := range c.Mentions {
				found = found || strings.Contains(message, strings.ToLower(word))
			}
			if !found {
				t.Errorf("the message mentions none of %v", c.Mentions)
			}
			if allocated := after.TotalAlloc - before.TotalAlloc; allocated > c.RSS<<20 {
				t.Errorf("%d MiB were allocated, want at most %d", allocated>>20, c.RSS)
			}
		})
	}
}

// TestHostileSizes puts other numbers into the shapes and positions that real files hold: nothing panics or takes memory without
// bound, and what is accepted works on any number of images.
func TestHostileSizes(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	numbers := []int64{-1, 0, 1, 2, 3, 16, 1 << 40, -1 << 40, 1 << 62, math.MinInt64}
	for _, path := range backbonePaths(t) {
		data := golden.Unpacked(t, path)
		m, err := parseModel(data)
		if err != nil {
			t.Fatal(err)
		}
		lists := integerPayloads(m)
		if lists == nil {
			continue
		}
		for range 12 {
			raw := lists[random.IntN(len(lists))]
			at := random.IntN(len(raw)/8) * 8
			own := binary.LittleEndian.Uint64(raw[at:])
			binary.LittleEndian.PutUint64(raw[at:], uint64(numbers[random.IntN(len(numbers))])) // raw is a part of data
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			net, _, err := ReadBytes(data, ReadOptions{})
			runtime.ReadMemStats(&after)
			if allocated := after.TotalAlloc - before.TotalAlloc; allocated > 256<<20 {
				t.Errorf("%s: %d MiB", path, allocated>>20)
			}
			if err == nil {
				if _, err := net.WithBatch(3); err != nil {
					t.Errorf("%s: accepted, and then: %v", path, err)
				}
			}
			binary.LittleEndian.PutUint64(raw[at:], own)
		}
	}
}

// integerPayloads are the values of all tensors of int64, as they lie in the file.
func integerPayloads(m *modelProto) (lists [][]byte) {
	tensors := m.graph.initializers
	for _, n := range m.graph.nodes {
		for _, a := range n.attributes {
			if a.t != nil {
				tensors = append(tensors, a.t)
			}
		}
	}
	for _, t := range tensors {
		if t.dtype == typeInt64 && len(t.raw) > 0 {
			lists = append(lists, t.raw)
		}
	}
	return lists
}
