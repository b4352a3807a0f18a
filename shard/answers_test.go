package shard

import (
	"bufio"
	"errors"
	"io"
	"strings"
	"testing"
)

// repeated gives the same text for ever.
type repeated string

func (r repeated) Read(p []byte) (int, error) { return copy(p, r), nil }

// TestAnswers: answers come as they stand in the file, whatever is in the cells of a table; those that cannot be whole are errors.
func TestAnswers(t *testing.T) {
	const heading = "path,rank,label\n"
	defer func(was int) { longest = was }(longest)
	longest = 1 << 20
	for _, c := range []struct {
		csv        bool
		text, more string // more follows for ever
		want       []string
		says       string
	}{
		{false, "a\nb\n", "", []string{"a\n", "b\n"}, "EOF"},
		{false, "", "", nil, "EOF"},
		{false, "a\nb", "", []string{"a\n"}, "no end"},
		{false, "a\n", "b", []string{"a\n"}, "more than 64 MB"},
		{true, heading, "", nil, "EOF"},
		{true, heading + "a,1,x\na,2,y\nb,,\nc,1,z\n", "", []string{"a,1,x\na,2,y\n", "b,,\n", "c,1,z\n"}, "EOF"},
		{true, heading + "\"a\nrank,1\",1,x\n\"b \"\"1\"\"\n\n\",1,y\n", "", []string{"\"a\nrank,1\",1,x\n", "\"b \"\"1\"\"\n\n\",1,y\n"}, "EOF"},
		{true, heading + "a,1,x\nb,1,y", "", []string{"a,1,x\n"}, "no end"},
		{true, heading + "a,1,x\nb\n", "", nil, "damaged"},
		{true, heading + "a,1,\"", "\n", nil, "more than 64 MB"},
		{true, heading + "a,1,x\n", "a,2," + strings.Repeat("x", 4000) + "\n", nil, "more than 64 MB"},
	} {
		var from io.Reader = strings.NewReader(c.text)
		if c.more != "" {
			from = io.MultiReader(from, repeated(strings.Repeat(c.more, 4096/len(c.more))))
		}
		r := bufio.NewReader(from)
		var a answers = lines{r}
		var err error
		if c.csv {
			var first []byte
			if first, a, err = table(r); err != nil || string(first) != heading {
				t.Fatalf("heading %q, %v", first, err)
			}
		}
		for _, want := range c.want {
			if got, err := a.next(); err != nil || string(got) != want {
				t.Errorf("%q: %q, %v, want %q", c.text, got, err, want)
			}
		}
		if got, err := a.next(); err == nil || !strings.Contains(err.Error(), c.says) || (c.says == "EOF") != errors.Is(err, io.EOF) {
			t.Errorf("%q: %q, %v, want %q", c.text, got, err, c.says)
		}
	}
}
