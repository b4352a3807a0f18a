package sorter

import (
	"hash/maphash"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// longest is how many bytes a name may have, so that a number fits behind it on every file system.
const longest = 200

// reserved are names that Windows keeps for devices, with any ending.
var reserved = " con prn aux nul com1 com2 com3 com4 com5 com6 com7 com8 com9 lpt1 lpt2 lpt3 lpt4 lpt5 lpt6 lpt7 lpt8 lpt9 "

// safe is a name that every system takes for that of one file or folder: no separators, control characters or dots at its ends.
func safe(name string) string {
	name = strings.Map(func(r rune) rune {
		if r == utf8.RuneError || strings.ContainsRune(`/\:*?"<>|`, r) || unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) {
			return '_'
		}
		return r
	}, name)
	name = cut(name, longest)
	if trimmed := strings.TrimLeft(name, ". "); trimmed != name {
		name = "_" + trimmed
	}
	name = strings.TrimRight(name, ". ")
	if stem, _, _ := strings.Cut(name, "."); name == "" || strings.Contains(reserved, " "+strings.ToLower(stem)+" ") {
		name = "_" + name
	}
	return name
}

// cut shortens a name to at most so many bytes; its ending stays.
func cut(name string, most int) string {
	if len(name) <= most {
		return name
	}
	ending := filepath.Ext(name)
	if len(ending) > most/2 {
		ending = ""
	}
	n := most - len(ending)
	for n > 0 && !utf8.RuneStart(name[n]) {
		n--
	}
	return name[:n] + ending
}

// foldersOf names a folder for each label and one for photos of no known class; no two are the same on any file system.
func foldersOf(labels []string) (folders map[string]string, unknown string) {
	n := newNames()
	unknown = n.free("unknown")
	folders = map[string]string{}
	for _, label := range labels {
		if _, twice := folders[label]; !twice {
			folders[label] = n.free(safe(label))
		}
	}
	return folders, unknown
}

// names are those that are taken in a folder. It keeps their hashes: a false alarm costs a number behind a name.
type names struct {
	seed  maphash.Seed
	taken map[uint64]int32 // the next number to try
}

func newNames() *names { return &names{maphash.MakeSeed(), map[uint64]int32{}} }

func namesIn(dir string) (*names, error) {
	n := newNames()
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	for {
		some, err := f.Readdirnames(1024)
		for _, name := range some {
			n.taken[n.key(name)] = 2
		}
		if err == io.EOF {
			return n, nil
		} else if err != nil {
			return nil, err
		}
	}
}

// key is the same for names that are one on some file system: those that differ in capitals or in how letters are composed.
func (n *names) key(name string) uint64 {
	return maphash.String(n.seed, strings.ToLower(strings.ToUpper(norm.NFC.String(name))))
}

// free is the name, with a number behind it where it is taken; it is taken then.
func (n *names) free(name string) string {
	key := n.key(name)
	next, taken := n.taken[key]
	if !taken {
		n.taken[key] = 2
		return name
	}
	ending := filepath.Ext(name)
	stem := strings.TrimSuffix(cut(name, longest), ending)
	for ; ; next++ {
		other := stem + "-" + strconv.Itoa(int(next)) + ending
		if _, taken := n.taken[n.key(other)]; !taken {
			n.taken[key], n.taken[n.key(other)] = next+1, 2
			return other
		}
	}
}
