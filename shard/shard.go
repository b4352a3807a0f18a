// Package shard divides inputs among processes that know nothing of each other, and puts together what they leave.
package shard

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
)

// Shard is one of Count parts of all inputs, Index from 0. The zero value is no shard: all inputs.
type Shard struct{ Index, Count int }

// most is the largest number of shards.
const most = 1_000_000

// Parse reads I/N. With auto, or auto/N, the engine that started the process says which shard it is; getenv reads its variables.
func Parse(text string, getenv func(string) string) (Shard, error) {
	index, count, counted := strings.Cut(text, "/")
	n := 0
	if counted {
		var err error
		if n, err = strconv.Atoi(count); err != nil || n < 1 || n > most {
			return Shard{}, fmt.Errorf("%q: the number of shards must be from 1 to %d", text, most)
		}
	}
	if index == "auto" {
		return automatic(n, getenv)
	}
	i, err := strconv.Atoi(index)
	if err != nil || !counted {
		return Shard{}, fmt.Errorf("%q: write I/N, such as 0/10 to 9/10, or auto", text)
	}
	return of(i, n)
}

// of is shard i of n.
func of(i, n int) (Shard, error) {
	if i < 0 || i >= n {
		return Shard{}, fmt.Errorf("%d/%d: the shards are counted from 0 to %d", i, n, n-1)
	}
	return Shard{i, n}, nil
}

func (s Shard) String() string {
	if s == (Shard{}) {
		return ""
	}
	return fmt.Sprintf("%d/%d", s.Index, s.Count)
}

// Has reports whether the input of this name is in the shard: its SHA-256 decides.
func (s Shard) Has(name string) bool {
	if s.Count <= 1 {
		return true
	}
	sum := sha256.Sum256([]byte(name))
	return binary.BigEndian.Uint64(sum[:])%uint64(s.Count) == uint64(s.Index)
}

// Part is the name of the file of the shard in the folder of all parts, with the ending of its format.
func (s Shard) Part(ending string) string {
	return fmt.Sprintf("part-%04d-of-%04d%s", s.Index, s.Count, ending)
}

// PartOf is the shard of a part's name, and the name's ending.
func PartOf(name string) (s Shard, ending string, ok bool) {
	ending = name[len(name)-len(after(name, '.')):]
	n, _ := fmt.Sscanf(name, "part-%d-of-%d", &s.Index, &s.Count)
	return s, ending, n == 2 && s.Index >= 0 && s.Index < s.Count && s.Part(ending) == name
}

// after is the end of a name from the first such sign on.
func after(name string, sign byte) string {
	if i := strings.IndexByte(name, sign); i >= 0 {
		return name[i:]
	}
	return ""
}
