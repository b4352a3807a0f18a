package cli

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestClassifyArchives: photos in archives have the answers that they have as files.
func TestClassifyArchives(t *testing.T) {
	data := dataset(t, 2, 1)
	write(t, filepath.Join(data, "film.mp4"), []byte("film"))
	dir := t.TempDir()
	z, err := os.Create(filepath.Join(dir, "photos.zip"))
	if err != nil {
		t.Fatal(err)
	}
	zipped := zip.NewWriter(z)
	if err := zipped.AddFS(os.DirFS(data)); err != nil {
		t.Fatal(err)
	}
	zipped.Close()
	z.Close()
	f, err := os.Create(filepath.Join(dir, "photos.tar"))
	if err != nil {
		t.Fatal(err)
	}
	tarred := tar.NewWriter(f)
	if err := tarred.AddFS(os.DirFS(data)); err != nil {
		t.Fatal(err)
	}
	tarred.Close()
	f.Close()
	plain, err := os.ReadFile(f.Name())
	if err != nil {
		t.Fatal(err)
	}
	var packed bytes.Buffer
	g := gzip.NewWriter(&packed)
	g.Write(plain)
	g.Close()
	tgz := filepath.Join(dir, "photos.tar.gz")
	write(t, tgz, packed.Bytes())
	want := must(t, classifyArgs("--json", "--no-cache", data)...).stdout
	for _, archive := range []string{z.Name(), f.Name(), tgz} {
		r := must(t, classifyArgs("--json", "--no-cache", archive)...)
		if got := strings.ReplaceAll(r.stdout, archive+"/", data+"/"); got != want {
			t.Errorf("%s: answers\n%s, want\n%s", archive, got, want)
		}
		if !strings.Contains(r.stderr, "left out, not a photo: "+archive+"/film.mp4") {
			t.Errorf("%s: %s", archive, r.stderr)
		}
	}
	out := filepath.Join(dir, "a.jsonl")
	must(t, classifyArgs(z.Name(), "-o", out)...)
	text, _ := os.ReadFile(out)
	if got := strings.ReplaceAll(string(text), z.Name()+"/", data+"/"); got != want {
		t.Errorf("--out: answers\n%s, want\n%s", got, want)
	}
	if r := run(t, classifyArgs(z.Name(), "--explain", filepath.Join(dir, "x"))...); r.status == statusDone || !strings.Contains(r.stdout+r.stderr, "--explain") {
		t.Errorf("exit status %d, %s%s", r.status, r.stdout, r.stderr)
	}
}

// TestLists: paths come one a line or with NUL behind them, from stdin or a file.
func TestLists(t *testing.T) {
	data := dataset(t, 2, 1)
	a, b := filepath.Join(data, "train", "sea", "a.jpg"), filepath.Join(data, "new\nline.jpg")
	photo, err := os.ReadFile(a)
	if err != nil {
		t.Fatal(err)
	}
	write(t, b, photo)
	list := filepath.Join(t.TempDir(), "list")
	paths := func(r result) string {
		t.Helper()
		var all []string
		for _, l := range lines[jsonAnswer](t, r.stdout) {
			all = append(all, l.Path)
		}
		return strings.Join(all, "|")
	}
	if got := paths(runWith(t, b+"\x00"+a+"\x00", classifyArgs("-", "-0", "--json")...)); got != b+"|"+a {
		t.Errorf("answers for %q", got)
	}
	if r := runWith(t, b+"\x00"+a+"\x00", classifyArgs("-", "--json")...); r.status != statusData || !strings.Contains(r.stderr, "-0") {
		t.Errorf("exit status %d, %s", r.status, r.stderr)
	}
	write(t, list, []byte(a+"\n"))
	if got := paths(must(t, classifyArgs("--files-from", list, "--json")...)); got != a {
		t.Errorf("answers for %q", got)
	}
	write(t, list, []byte(a+"\x00"+b))
	if got := paths(runWith(t, a, classifyArgs("--files-from", list, "-0", "--json", "-")...)); got != a+"|"+b+"|"+a {
		t.Errorf("answers for %q", got)
	}
	write(t, list, []byte(strings.Repeat(a, 3000)))
	if r := run(t, classifyArgs("--files-from", list)...); r.status != statusData || !strings.Contains(r.stderr, "more than 65536 bytes") {
		t.Errorf("exit status %d, %s", r.status, r.stderr)
	}
	if r := run(t, classifyArgs("--files-from", list+"x", "--json")...); r.status != statusData {
		t.Errorf("exit status %d, %s", r.status, r.stderr)
	}
}

// TestClassifyAddress: a photo on another machine is answered for and sorted under its name, and passwords are printed nowhere.
func TestClassifyAddress(t *testing.T) {
	data := dataset(t, 1, 0)
	server := httptest.NewServer(http.FileServer(http.Dir(data)))
	defer server.Close()
	sorted := filepath.Join(t.TempDir(), "sorted")
	address := strings.Replace(server.URL, "://", "://me:secret@", 1) + "/train/sea/"
	r := run(t, classifyArgs("--no-cache", "--threshold", "1", "--sort-into", sorted, address+"a.jpg?sig=secret", address+"b.jpg")...)
	if r.status != statusInputs || strings.Contains(r.stdout+r.stderr, "secret") || !strings.Contains(r.stdout, "/b.jpg\terror: the server answers 404") {
		t.Errorf("exit status %d, %s%s", r.status, r.stdout, r.stderr)
	}
	if _, err := os.Stat(filepath.Join(sorted, "unknown", "a.jpg")); err != nil {
		t.Error(err)
	}
	must(t, "undo", sorted)
	if left, _ := os.ReadDir(sorted); len(left) != 0 {
		t.Errorf("%v are left", left)
	}
}
