package engine

import (
	"encoding/json"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"regraft/golden"
)

// hardNames are labels that need care in one format or another.
var hardNames = []string{
	"a b", "it's", `quo"te`, `back\slash`, `ends with \`, `\x41`, "new\nline", "tab\tclass", "cr\rlf\n", "esc\x1b[31mred", "nul\x00", "\x7f\u0085\u00a0",
	"=SUM(A1)", "日本", "e\u0301", "\u202eright to left", "👩\u200d👧", "\U000e0041", "comma, class", "{0: 'x'}", "percent %d", "", " blanks ", "'", `"""`, "\ufeffmark",
}

func TestNamesComeBack(t *testing.T) {
	text := pythonNames(hardNames)
	if strings.ContainsAny(text, "\n\r\x00\x1b") || !utf8.ValidString(text) {
		t.Errorf("not printable: %q", text)
	}
	back, err := parsePythonNames(text)
	if err != nil || !slices.Equal(back, hardNames) {
		t.Errorf("%q came back as %q, %v", hardNames, back, err)
	}
	props, err := Meta{Labels: hardNames}.Props()
	if err != nil {
		t.Fatal(err)
	}
	for _, drop := range []string{"names", keyClasses} { // either key alone is enough
		kept := map[string]string{}
		for k, v := range props {
			if k != drop {
				kept[k] = v
			}
		}
		if m, err := ParseMeta(kept); err != nil || !slices.Equal(m.Labels, hardNames) {
			t.Errorf("without %s: %q, %v", drop, m.Labels, err)
		}
	}
}

// TestNamesInPython: Python reads the literal as the same names.
func TestNamesInPython(t *testing.T) {
	python := golden.Python(t, "import ast, json")
	cmd := exec.Command(python, "-c", "import ast,json,sys; d=ast.literal_eval(sys.stdin.buffer.read().decode()); print(json.dumps([d[i] for i in range(len(d))]))")
	cmd.Stdin = strings.NewReader(pythonNames(hardNames))
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var back []string
	if err := json.Unmarshal(out, &back); err != nil || !slices.Equal(back, hardNames) {
		t.Errorf("%q, %v", back, err)
	}
}

// TestPythonEscapes: literals of other writers, with what Python makes of them.
func TestPythonEscapes(t *testing.T) {
	for literal, want := range map[string]string{
		`['\x41\u00e9\U0001f600']`: "Aé😀", `["a\101\0b"]`: "aA\x00b", `['\d\q']`: `\d\q`, `['a\'b"c']`: `a'b"c`, `["\t\\n"]`: "\t\\n",
	} {
		if got, err := parsePythonNames(literal); err != nil || len(got) != 1 || got[0] != want {
			t.Errorf("%s: %q, %v", literal, got, err)
		}
	}
	for _, bad := range []string{`['\x4']`, `['\ud800']`, `['\U00110000']`, `['\u12`, `['\`, `["a'`} {
		if got, err := parsePythonNames(bad); err == nil {
			t.Errorf("%s: %q", bad, got)
		}
	}
}

// TestNamesThatAreNotText: what is stored is UTF-8, and distinct names stay distinct.
func TestNamesThatAreNotText(t *testing.T) {
	if _, err := (Meta{Labels: []string{"caf\xe8"}}).Props(); err == nil || !strings.Contains(err.Error(), `"caf\xe8"`) {
		t.Errorf("a label that is not UTF-8: %v", err)
	}
	m, err := ParseMeta(map[string]string{"names": "{0: 'caf\xe8', 1: 'caf\xe9'}", "other": "\xff"})
	if err != nil || !slices.Equal(m.Labels, []string{`caf\xe8`, `caf\xe9`}) {
		t.Fatalf("%q, %v", m.Labels, err)
	}
	props, err := m.Props()
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range props {
		if !utf8.ValidString(k) || !utf8.ValidString(v) {
			t.Errorf("%q: %q", k, v)
		}
	}
}

// FuzzPythonNames: no text ends in a panic, and what is written comes back.
func FuzzPythonNames(f *testing.F) {
	for _, n := range hardNames {
		f.Add(n)
		f.Add("['" + n + "']")
	}
	f.Fuzz(func(t *testing.T, text string) {
		parsePythonNames(text)
		if !utf8.ValidString(text) {
			return
		}
		if back, err := parsePythonNames(pythonNames([]string{text, "x"})); err != nil || !slices.Equal(back, []string{text, "x"}) {
			t.Errorf("%q came back as %q, %v", text, back, err)
		}
	})
}
