package asmfile

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/arch/arm64/arm64asm"
)

// words are all words in the repository's assembly for arm64, by the instruction that stands beside them.
func words(t *testing.T) map[string]uint32 {
	t.Helper()
	pattern := regexp.MustCompile(`WORD \$(0x[0-9a-f]{8}) // (.*)`)
	all := map[string]uint32{}
	err := filepath.WalkDir("..", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_arm64.s") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, m := range pattern.FindAllStringSubmatch(string(text), -1) {
			w, err := strconv.ParseUint(m[1], 0, 32)
			if before, ok := all[m[2]]; err != nil || ok && before != uint32(w) {
				t.Errorf("%s: %s is %#x, and %s", path, m[2], before, m[1])
			}
			all[m[2]] = uint32(w)
		}
		if n := bytes.Count(text, []byte("WORD")); n != len(pattern.FindAllIndex(text, -1)) {
			t.Errorf("%s: some of its %d words have no instruction beside them", path, n)
		}
		return err
	})
	if err != nil || len(all) == 0 {
		t.Fatalf("%d words, %v", len(all), err)
	}
	return all
}

// TestWords decodes every word: it is the instruction that its comment says.
func TestWords(t *testing.T) {
	for text, w := range words(t) {
		decoded, err := arm64asm.Decode(binary.LittleEndian.AppendUint32(nil, w))
		if got := arm64asm.GNUSyntax(decoded); err != nil || got != text {
			t.Errorf("%#08x is %q, %v; the comment says %q", w, got, err, text)
		}
	}
}

// TestWordsByLLVM has the same instructions assembled by LLVM, where it is installed.
func TestWordsByLLVM(t *testing.T) {
	llvm, err := exec.LookPath("llvm-mc")
	if err != nil {
		t.Skip("llvm-mc is not installed")
	}
	all := words(t)
	texts := slices.Sorted(maps.Keys(all))
	command := exec.Command(llvm, "-triple=aarch64", "-show-encoding")
	command.Stdin = strings.NewReader(strings.Join(texts, "\n") + "\n")
	out, err := command.Output()
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(bytes.NewReader(out))
	n := 0
	for lines.Scan() {
		_, list, ok := strings.Cut(lines.Text(), "encoding: [")
		if !ok {
			continue
		}
		var b [4]byte
		if _, err := fmt.Sscanf(list, "0x%x,0x%x,0x%x,0x%x]", &b[0], &b[1], &b[2], &b[3]); err != nil || n >= len(texts) {
			t.Fatalf("%q: %v", lines.Text(), err)
		}
		if w := binary.LittleEndian.Uint32(b[:]); w != all[texts[n]] {
			t.Errorf("%s is %#08x, here %#08x", texts[n], w, all[texts[n]])
		}
		n++
	}
	if n != len(texts) {
		t.Errorf("%d of %d instructions", n, len(texts))
	}
}

// TestEncodings: every row of the table is used, and numbers that an instruction cannot hold are refused.
func TestEncodings(t *testing.T) {
	used := map[string]bool{}
	for text := range words(t) {
		shape, _ := shape(text)
		used[shape] = true
	}
	for shape := range encodings {
		if !used[shape] {
			t.Errorf("nothing uses %q", shape)
		}
	}
	for _, text := range []string{
		"ldr q0, [x1,#8]", "ldr q0, [x1,#65536]", "ldp q0, q1, [x2,#1024]", "fmla v0.4s, v1.4s, v32.4s", "fmla v0.4s, v1.4s",
		"tbl v0.16b, {v1.16b-v3.16b}, v5.16b", "fadd v0.8h, v1.8h, v2.8h", "fmla v0.4s, v1.4s, v2.s[4]", "",
		"sshr v0.4s, v1.4s, #0", "sshr v0.4s, v1.4s, #33", "shrn v0.8b, v1.8h, #9", "smull v0.4s, v1.4h, v16.h[0]", "ld1 {v0.16b}, [x1],#8",
		"st2 {v0.16b, v2.16b}, [x1],#32", "st1 {v0.d}[2], [x0], x2",
	} {
		if w, err := Encode(text); err == nil {
			t.Errorf("%q is %#08x", text, w)
		}
	}
}
