package photo

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// tree makes files below a temporary folder; a name that ends in / is a folder.
func tree(t *testing.T, names ...string) string {
	t.Helper()
	root := t.TempDir()
	for _, name := range names {
		path := filepath.Join(root, filepath.FromSlash(name))
		dir := filepath.Dir(path)
		if strings.HasSuffix(name, "/") {
			dir = path
		}
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if dir != path {
			if err := os.WriteFile(path, []byte(name), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	return root
}

// inside gives the paths of samples relative to the root, with their labels.
func inside(t *testing.T, root string, samples []Sample) map[string]int {
	t.Helper()
	out := map[string]int{}
	for _, s := range samples {
		name, err := filepath.Rel(root, s.Path)
		if err != nil {
			t.Fatal(err)
		}
		out[filepath.ToSlash(name)] = s.Label
	}
	return out
}

func TestScanParts(t *testing.T) {
	for _, val := range []string{"val", "valid", "validation", "dev"} {
		root := tree(t, "train/b/1.jpg", "train/b/deep/er/2.PNG", "train/Zoo/é ü.jpeg", "train/a b/x.webp",
			val+"/b/3.jpg", "test/Zoo/4.jpg", "train/b/.hidden.jpg", "train/b/notes.txt", "train/.git/x.jpg",
			"train/__MACOSX/x.jpg", "train/b/Thumbs.db", "train/b/desktop.ini")
		d, err := Scan(root, ScanOptions{ValSplit: 0.5})
		if err != nil {
			t.Fatal(err)
		}
		if want := []string{"Zoo", "a b", "b"}; !slices.Equal(d.Classes, want) { // bytes: capitals first
			t.Errorf("classes %q instead of %q", d.Classes, want)
		}
		want := map[string]int{"train/Zoo/é ü.jpeg": 0, "train/a b/x.webp": 1, "train/b/1.jpg": 2, "train/b/deep/er/2.PNG": 2}
		if got := inside(t, root, d.Train); !reflect.DeepEqual(got, want) {
			t.Errorf("train: %v", got)
		}
		if got := inside(t, root, d.Val); !reflect.DeepEqual(got, map[string]int{val + "/b/3.jpg": 2}) {
			t.Errorf("%s: %v", val, got)
		}
		if got := inside(t, root, d.Test); !reflect.DeepEqual(got, map[string]int{"test/Zoo/4.jpg": 0}) {
			t.Errorf("test: %v", got)
		}
		left := map[string]LeftOut{}
		for _, l := range d.LeftOut {
			left[filepath.Base(l.Path)] = LeftOut{"", l.Why, l.Photos}
		}
		if want := map[string]LeftOut{
			"notes.txt": {"", NotAPhoto, 0}, ".hidden.jpg": {"", OfSystem, 1}, ".git": {"", OfSystem, 1}, "__MACOSX": {"", OfSystem, 1},
			"Thumbs.db": {"", OfSystem, 0}, "desktop.ini": {"", OfSystem, 0},
		}; d.Split || !reflect.DeepEqual(left, want) {
			t.Errorf("split %t, left out %v", d.Split, left)
		}
	}
}

func TestScanSplit(t *testing.T) {
	var names []string
	for _, class := range []string{"a", "b", "one"} {
		for i := range map[string]int{"a": 20, "b": 10, "one": 1}[class] {
			names = append(names, class+"/"+string(rune('A'+i))+".jpg")
		}
	}
	root := tree(t, names...)
	scan := func(seed uint64) *Dataset {
		d, err := Scan(root, ScanOptions{ValSplit: 0.2, Seed: seed})
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	d := scan(1)
	counts := [3][2]int{}
	for i, part := range [][]Sample{d.Train, d.Val} {
		for _, s := range part {
			counts[s.Label][i]++
		}
	}
	if counts != [3][2]int{{16, 4}, {8, 2}, {1, 0}} || !d.Split {
		t.Errorf("photos per class in train and val: %v", counts)
	}
	all := inside(t, root, slices.Concat(d.Train, d.Val))
	if len(all) != len(names) {
		t.Errorf("%d different photos of %d", len(all), len(names))
	}
	if !reflect.DeepEqual(d, scan(1)) {
		t.Error("the same seed splits differently")
	}
	if reflect.DeepEqual(d.Val, scan(2).Val) {
		t.Error("another seed splits the same")
	}
}

// TestScanErrors: every mistake gets a sentence, and the tree that was seen.
func TestScanErrors(t *testing.T) {
	for _, c := range []struct {
		names []string
		want  []string
	}{
		{[]string{"a/1.jpg", "empty/"}, []string{`class "empty"`, "holds no photos", "a/ (1 photo)", "empty/ (0 photos)"}},
		{[]string{"train/a/1.jpg", "train/c/1.jpg", "val/b/2.jpg"}, []string{`class "b" that train lacks`, "train/ (2 photos)", "b/ (1 photo)"}},
		{[]string{"train/a/1.jpg", "test/c/2.jpg"}, []string{`class "c" that train lacks`}},
		{[]string{"val/b/2.jpg"}, []string{"no folder train", "val/ (1 photo)"}},
		{[]string{"train/a/1.jpg", "val/a/2.jpg", "dev/a/2.jpg"}, []string{"both named as the part val", "val", "dev"}},
		{[]string{"1.jpg", "2.jpg"}, []string{"holds no class folders", "2 photos"}},
		{[]string{"train/a/1.jpg", "train/b/1.jpg", "train/loose.jpg"}, []string{"1 photo outside of its class folders", "loose.jpg"}},
	} {
		_, err := Scan(tree(t, c.names...), ScanOptions{})
		for _, want := range c.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%q: %q is not in %v", c.names, want, err)
			}
		}
	}
	if _, err := Scan(filepath.Join(t.TempDir(), "missing"), ScanOptions{}); err == nil {
		t.Error("a missing folder was scanned")
	}
	if _, err := Scan(tree(t, "a/1.jpg"), ScanOptions{ValSplit: 1}); err == nil {
		t.Error("a split of everything was accepted")
	}
}

func TestScanEval(t *testing.T) {
	parts := tree(t, "train/a/1.jpg", "train/b/2.jpg", "val/b/3.jpg", "test/a/4.jpg")
	noTest := tree(t, "train/a/1.jpg", "val/a/3.jpg")
	bare := tree(t, "a/1.jpg", "b/2.jpg")
	for _, c := range []struct {
		root, split string
		part        string
		classes     []string
	}{
		{parts, "", "test", []string{"a"}},
		{parts, "valid", "valid", []string{"b"}},
		{parts, "train", "train", []string{"a", "b"}},
		{noTest, "", "val", []string{"a"}},
		{bare, "", "", []string{"a", "b"}},
	} {
		d, part, err := ScanEval(c.root, c.split)
		if err != nil || part != c.part || !slices.Equal(d.Classes, c.classes) || len(d.Test) != len(c.classes) {
			t.Errorf("%s %q: %+v, %q, %v", c.root, c.split, d, part, err)
		}
	}
	for _, c := range []struct{ root, split, want string }{
		{noTest, "test", "no folder test"},
		{bare, "nonsense", "unknown split"},
		{tree(t, "train/a/1.jpg"), "", "neither test nor val"},
	} {
		if _, _, err := ScanEval(c.root, c.split); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %q: %v", c.root, c.split, err)
		}
	}
}

func TestFiles(t *testing.T) {
	root := tree(t, "b.jpg", "a.PNG", "deep/c c.gif", "deep/ä.webp", "notes.txt", ".x.jpg", "none/no photo.txt")
	files := func(path string) (names []string, errs []error, left []string) {
		found, leftOut := Files(filepath.Join(root, path))
		for _, f := range found {
			name, _ := filepath.Rel(root, f.Path)
			names = append(names, filepath.ToSlash(name))
			if f.Err != nil {
				errs = append(errs, f.Err)
			}
		}
		for _, l := range leftOut {
			left = append(left, filepath.Base(l.Path)+": "+l.Why)
		}
		return names, errs, left
	}
	names, errs, left := files("")
	if want := []string{"a.PNG", "b.jpg", "deep/c c.gif", "deep/ä.webp"}; !slices.Equal(names, want) || errs != nil {
		t.Errorf("%q instead of %q, %v", names, want, errs)
	}
	if want := []string{".x.jpg: " + OfSystem, "no photo.txt: " + NotAPhoto, "notes.txt: " + NotAPhoto}; !slices.Equal(left, want) {
		t.Errorf("left out: %q", left)
	}
	if names, errs, _ := files("notes.txt"); !slices.Equal(names, []string{"notes.txt"}) || errs != nil { // since it is named
		t.Errorf("a file: %q, %v", names, errs)
	}
	if names, errs, _ := files("missing.jpg"); !slices.Equal(names, []string{"missing.jpg"}) || len(errs) != 1 || !strings.Contains(errs[0].Error(), "no such file") {
		t.Errorf("no file: %q, %v", names, errs)
	}
	if names, errs, _ := files("none"); !slices.Equal(names, []string{"none"}) || len(errs) != 1 || !strings.Contains(errs[0].Error(), "holds no photos") {
		t.Errorf("a folder without photos: %q, %v", names, errs)
	}
}

// TestPhotosByContent: what a file without the name of a photo is taken for.
func TestPhotosByContent(t *testing.T) {
	dir := t.TempDir()
	want := map[string]bool{}
	for name, content := range map[string]string{
		"hash jpeg": "\xff\xd8\xff\xe0", "x.jpg_large": "\xff\xd8\xff\xdb", "x.0": "\x89PNG\r\n\x1a\n", "gif": "GIF89a", "webp": "RIFF\x00\x00\x00\x00WEBPVP8 ",
		"bmp": "BM\x10\x00\x00\x00\x00\x00\x00\x00\x36\x00\x00\x00", "tiff": "II*\x00\x08\x00\x00\x00", "heic": "\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1", "x.dat": "\x00\x00\x00\x1cftypavif",
	} {
		want[name] = true
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for name, content := range map[string]string{
		"empty": "", "text": "BMW is a make of cars", "x.nef": "II*\x00\x08\x00\x00\x00", "x.cr2": "II*\x00\x10\x00\x00\x00CR\x02\x00", "pdf": "%PDF-1.7", "psd": "8BPS\x00\x01", "sound": "RIFF\x00\x00\x00\x00WAVE",
		"short": "\xff", "zip": "PK\x03\x04", "video": "\x00\x00\x00\x18ftypisom",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	l := list(dir)
	for _, p := range l.photos {
		if !want[filepath.Base(p)] {
			t.Errorf("%s is taken for a photo", filepath.Base(p))
		}
		delete(want, filepath.Base(p))
	}
	if len(want) > 0 || len(l.leftOut) != 10 {
		t.Errorf("not taken for photos: %v; left out: %v", want, l.leftOut)
	}
}

// TestLinks: links to photos and folders are followed, loops end.
func TestLinks(t *testing.T) {
	root := tree(t, "a/1.jpg", "elsewhere/2.jpg")
	for link, to := range map[string]string{
		"a/loop": "..", "a/self": ".", "a/more": "../elsewhere", "a/3.jpg": "1.jpg", "a/dangling": "nowhere",
	} {
		if err := os.Symlink(filepath.FromSlash(to), filepath.Join(root, filepath.FromSlash(link))); err != nil {
			t.Skipf("no symbolic links here: %v", err)
		}
	}
	l := list(filepath.Join(root, "a"))
	photos := l.photos
	if l.failed != nil {
		t.Fatal(l.failed)
	}
	var names []string
	for _, p := range photos {
		names = append(names, filepath.Base(p))
	}
	slices.Sort(names)
	if !slices.Equal(names, []string{"1.jpg", "2.jpg", "3.jpg"}) {
		t.Errorf("%q", photos)
	}
}
