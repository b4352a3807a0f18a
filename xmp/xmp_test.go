package xmp

import (
	"encoding/xml"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

// list is a list of keywords as a program reads it that follows the namespaces.
type list struct {
	Bag []string `xml:"http://www.w3.org/1999/02/22-rdf-syntax-ns# Bag>li"`
	Seq []string `xml:"http://www.w3.org/1999/02/22-rdf-syntax-ns# Seq>li"`
}

type sidecar struct {
	XMLName xml.Name `xml:"adobe:ns:meta/ xmpmeta"`
	RDF     struct {
		Description struct {
			Subject      list `xml:"http://purl.org/dc/elements/1.1/ subject"`
			Tags         list `xml:"http://www.digikam.org/ns/1.0/ TagsList"`
			Hierarchical list `xml:"http://ns.adobe.com/lightroom/1.0/ hierarchicalSubject"`
		} `xml:"http://www.w3.org/1999/02/22-rdf-syntax-ns# Description"`
	} `xml:"http://www.w3.org/1999/02/22-rdf-syntax-ns# RDF"`
}

// TestWrite: keywords of any text are read back from all lists, and our own files are replaced.
func TestWrite(t *testing.T) {
	photo := filepath.Join(t.TempDir(), "a.jpg")
	for _, c := range []struct{ keywords, read []string }{
		{[]string{"sea", `<b> & "c"</rdf:li>`, "größe"}, nil},
		{[]string{"a\x00b\xff\x1b"}, []string{"a\ufffdb\ufffd\ufffd"}},
		{nil, nil},
	} {
		if c.read == nil {
			c.read = c.keywords
		}
		if err := Write(photo, c.keywords); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(photo + ".xmp")
		if err != nil {
			t.Fatal(err)
		}
		var s sidecar
		if err := xml.Unmarshal(text, &s); err != nil {
			t.Fatalf("%v in %s", err, text)
		}
		d := s.RDF.Description
		for _, got := range [][]string{d.Subject.Bag, d.Tags.Seq, d.Hierarchical.Bag} {
			if !reflect.DeepEqual(got, c.read) {
				t.Errorf("keywords %q, want %q", got, c.read)
			}
		}
	}
	if err := Remove(photo); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(photo + ".xmp"); err == nil {
		t.Error("it is still there")
	}
}

// TestForeign: what another program has written, or whatever is under the name, stays.
func TestForeign(t *testing.T) {
	dir := t.TempDir()
	for name, make := range map[string]func(path string) error{
		"other": func(p string) error {
			return os.WriteFile(p, []byte(`<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="XMP Core 4.4.0-Exiv2"/>`), 0o666)
		},
		"empty":  func(p string) error { return os.WriteFile(p, nil, 0o666) },
		"folder": func(p string) error { return os.Mkdir(p, 0o777) },
		"link":   func(p string) error { return os.Symlink(filepath.Join(dir, "nowhere"), p) },
	} {
		photo := filepath.Join(dir, name)
		if err := make(photo + ".xmp"); err != nil {
			t.Fatal(err)
		}
		before, _ := os.ReadFile(photo + ".xmp")
		if err := Write(photo, []string{"sea"}); !errors.Is(err, ErrForeign) {
			t.Errorf("%s: %v", name, err)
		}
		if err := Remove(photo); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if after, _ := os.ReadFile(photo + ".xmp"); string(after) != string(before) {
			t.Errorf("%s: it has changed to %s", name, after)
		}
		if _, err := os.Lstat(photo + ".xmp"); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if left, _ := os.ReadDir(dir); len(left) != 4 {
		t.Errorf("%d files are there", len(left))
	}
}
