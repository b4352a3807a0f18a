package cli

import (
	"os/exec"
	"testing"
)

// TestQuoted: a shell reads what was meant.
func TestQuoted(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("there is no Bash")
	}
	for _, word := range []string{"", "plain", "a b", "it's", `back\slash`, "$HOME `id` $(id)", "new\nline", "\xff\xfe' \\", "日本語", "a\u202eb", "--mean=0,0,0", "*", "!", "~"} {
		q := quoted(word)
		got, err := exec.Command(bash, "-c", "printf %s "+q).Output()
		if err != nil || string(got) != word {
			t.Errorf("%q becomes %s, which Bash reads as %q (%v)", word, q, got, err)
		}
	}
	for _, word := range []string{"plain", "--mean=0,0,0", "/a/b_c.onnx"} {
		if q := quoted(word); q != word {
			t.Errorf("%s is quoted: %s", word, q)
		}
	}
}
