package train

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"regraft/photo"
)

// plant makes a tree of files: "a/1.png" is a photo of its own, "a/1.png = b/2.png" the same bytes again, "a/1.png -> b/2.png" a
// link (relative to the root), "a/" a folder, and everything else a text.
func plant(t *testing.T, specs ...string) string {
	t.Helper()
	root := t.TempDir()
	at := func(name string) string { return filepath.Join(root, filepath.FromSlash(name)) }
	for _, spec := range specs {
		name, other, link := strings.Cut(spec, " -> ")
		var again bool
		if !link {
			name, other, again = strings.Cut(spec, " = ")
		}
		if strings.HasSuffix(name, "/") {
			must(t, os.MkdirAll(at(name), 0o777))
			continue
		}
		must(t, os.MkdirAll(filepath.Dir(at(name)), 0o777))
		switch {
		case link:
			if err := os.Symlink(at(other), at(name)); err != nil {
				t.Skipf("no symbolic links here: %v", err)
			}
		case again:
			data, err := os.ReadFile(at(other))
			must(t, err)
			must(t, os.WriteFile(at(name), data, 0o666))
		case strings.HasSuffix(strings.ToLower(name), ".png") || filepath.Ext(name) == "":
			sum := fnv.New32()
			fmt.Fprint(sum, name)
			m := image.NewGray(image.Rect(0, 0, 24, 24))
			for i := range m.Pix {
				m.Pix[i] = uint8(sum.Sum32() >> (i % 24))
			}
			m.SetGray(0, 0, color.Gray{uint8(len(name))})
			f, err := os.Create(at(name))
			must(t, err)
			must(t, png.Encode(f, m))
			must(t, f.Close())
		default:
			must(t, os.WriteFile(at(name), []byte(name), 0o666))
		}
	}
	return root
}

// two are two classes of n photos each below a folder.
func two(dir string, n int) []string {
	var names []string
	for _, class := range []string{"cat", "dog"} {
		for i := range n {
			names = append(names, fmt.Sprintf("%s%s/%d.png", dir, class, i))
		}
	}
	return names
}

func both(lists ...[]string) []string {
	var all []string
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}

// TestTrees: what folders of people's kinds are taken for. Check and Fit give the same verdict on every one.
func TestTrees(t *testing.T) {
	for _, c := range []struct {
		name  string
		files []string
		// Of a good tree the classes, the photos of train, val and test, and something that is said; of a bad one what the
		// error says.
		want, says string
	}{
		{"plain classes", two("", 5), "cat,dog 8 2 0", ""},
		{"train and val", both(two("train/", 2), two("val/", 1)), "cat,dog 4 2 0", ""},
		{"train and test", both(two("train/", 2), two("test/", 1)), "cat,dog 4 0 2", ""},
		{"Train, Test", both(two("Train/", 2), two("Test/", 1)), "cat,dog 4 0 2", ""},
		{"Training, Testing", both(two("Training/", 2), two("Testing/", 1)), "cat,dog 4 0 2", ""},
		{"TRAIN, VALID, TEST", both(two("TRAIN/", 2), two("VALID/", 1), two("TEST/", 1)), "cat,dog 4 2 2", ""},
		{"train and Test", both(two("train/", 2), two("Test/", 1)), "cat,dog 4 0 2", ""},
		{"train and eval", both(two("train/", 2), two("eval/", 1)), "cat,dog 4 2 0", ""},
		{"train and Val", both(two("train/", 2), two("Val/", 1)), "cat,dog 4 2 0", ""},
		{"train and validate", both(two("train/", 2), two("validate/", 1)), "cat,dog 4 2 0", ""},
		{"training_set, test_set", both(two("training_set/", 2), two("test_set/", 1)), "cat,dog 4 0 2", ""},
		{"TrainImages, ValImages", both(two("TrainImages/", 2), two("ValImages/", 1)), "cat,dog 4 2 0", ""},
		{"train2017, val2017", both(two("train2017/", 2), two("val2017/", 1)), "cat,dog 4 2 0", ""},
		{"seg_train, seg_test", both(two("seg_train/", 2), two("seg_test/", 1)), "cat,dog 4 0 2", ""},
		{"seg_train/seg_train", both(two("seg_train/seg_train/", 2), two("seg_test/seg_test/", 1)), "cat,dog 4 0 2", "is taken as the part train"},
		{"cars_train, cars_test", both(two("cars_train/", 2), two("cars_test/", 1)), "cat,dog 4 0 2", "cars_train is taken as the part train"},
		{"trn, tst", both(two("trn/", 2), two("tst/", 1)), "cat,dog 4 0 2", ""},
		{"a part beside others", both(two("train/", 2), two("val/", 1), two("extra/", 1), []string{"cover.png", "README.md"}), "cat,dog 4 2 0", "extra"},
		{"classes like parts", []string{"steam_train/1.png", "steam_train/2.png", "test_tube/1.png", "test_tube/2.png"}, "steam_train,test_tube 2 2 0", ""},
		{"numbers as classes", []string{"0/1.png", "0/2.png", "1/1.png", "1/2.png"}, "0,1 2 2 0", ""},
		{"test without labels", both(two("train/", 3), []string{"test/1.png", "test/2.png"}), "cat,dog 4 2 0", "without a class folder"},
		{"test/images", both(two("train/", 3), []string{"test/images/1.png", "test/images/2.png"}), "cat,dog 4 2 0", "its 2 photos"},
		{"an empty test", both(two("train/", 3), []string{"test/"}), "cat,dog 4 2 0", "its 0 photos"},
		{"masks beside", both(two("train/", 2), two("test/", 1), []string{"train_masks/1.png", "test_masks/1.png"}), "cat,dog 4 0 2", "train_masks"},
		{"thumbnails of a NAS", both(two("", 5), []string{"cat/@eaDir/0.png/SYNO.png", "@eaDir/x.png"}), "cat,dog 8 2 0", "@eaDir"},
		{"lost+found", both(two("", 5), []string{"lost+found/"}), "cat,dog 8 2 0", "lost+found"},
		{"bins", both(two("", 5), []string{"$RECYCLE.BIN/1.png", "#recycle/2.png", "System Volume Information/x.png", ".Trashes/3.png"}), "cat,dog 8 2 0", "$RECYCLE.BIN"},
		{"notebooks and archives", both(two("", 5), []string{".ipynb_checkpoints/0.png", "cat/.ipynb_checkpoints/0.png", "__MACOSX/cat/._0.png"}), "cat,dog 8 2 0", "2 times .ipynb_checkpoints"},
		{"no extension", []string{"cat/00aa", "cat/00ab", "dog/00ba", "dog/00bb"}, "cat,dog 2 2 0", ""},
		{"odd extensions", both(two("", 4), []string{"cat/x.jpg_large = cat/0.png", "dog/y.tmp = dog/0.png"}), "cat,dog 8 2 0", ""},
		{"other files", both(two("", 5), []string{"cat/notes.txt", "cat/0.xml", "labels.csv"}), "cat,dog 8 2 0", "not a photo"},
		{"a class called train in train", both(two("train/", 2), []string{"train/train/1.png", "train/train/2.png"}, two("val/", 1)), "cat,dog,train 6 2 0", ""},
		{"deep folders", []string{"cat/2023/1.png", "cat/2024/05/2.png", "dog/x/1.png", "dog/2.png"}, "cat,dog 2 2 0", ""},
		{"the same folders in every class", []string{"2023/cat/1.png", "2023/dog/1.png", "2024/cat/1.png", "2024/dog/1.png"}, "2023,2024 2 2 0", "if these are the classes"},
		{"one photo beside many", both(two("", 5), []string{"owl/1.png"}), "cat,dog,owl 9 2 0", "only one photo"},
		{"val without a class", both(two("train/", 2), []string{"val/cat/1.png"}), "cat,dog 4 1 0", "only 1 of the 2 classes"},
		{"names that look the same", []string{"caf\u00e9/1.png", "caf\u00e9/2.png", "cafe\u0301/1.png", "cafe\u0301/2.png"}, "cafe\u0301,caf\u00e9 2 2 0", "U+00E9"},
		{"capitals apart", []string{"Cat/1.png", "Cat/2.png", "cat/3.png", "cat/4.png"}, "Cat,cat 2 2 0", "U+0063"},
		{"photo twice in a class", both(two("train/", 2), two("val/", 1), []string{"train/cat/9.png = train/cat/0.png"}), "cat,dog 5 2 0", ""},
		{"photo in train and val", both(two("train/", 2), two("val/", 1), []string{"val/cat/9.png = train/cat/0.png"}), "cat,dog 4 3 0", "in train and in val"},
		{"class of val is a link to train", both(two("train/", 2), []string{"val/cat -> train/cat", "val/dog/1.png"}), "cat,dog 4 3 0", "in train and in val"},
		{"a loop", both(two("train/", 2), two("val/", 1), []string{"train/cat/again -> train/cat"}), "cat,dog 4 2 0", ""},
		{"odd names", []string{"a b/1.png", "a b/2.png", "new\nline/1.png", "new\nline/2.png"}, "a b,new\nline 2 2 0", ""},

		{"nothing", []string{"x/"}, "", "holds no photos"},
		{"photos alone", []string{"1.png", "2.png"}, "", "no class folders"},
		{"one class", []string{"cat/1.png", "cat/2.png", "cat/3.png"}, "", "1 class"},
		{"one class of train", both(two("val/", 1), []string{"train/cat/1.png", "train/cat/2.png"}), "", `"dog" that train lacks`},
		{"one photo each", two("", 1), "", "too few photos"},
		{"empty class", both(two("", 3), []string{"owl/"}), "", `class "owl"`},
		{"class of texts", both(two("", 3), []string{"owl/1.txt", "owl/2.txt"}), "", "2 other files"},
		{"several empty classes", both(two("", 3), []string{"owl/", "fox/"}), "", `2 classes`},
		{"unknown class in val", both(two("train/", 2), two("val/", 1), []string{"val/owl/1.png"}), "", `class "owl" that train lacks`},
		{"NFC and NFD", []string{"train/caf\u00e9/1.png", "train/bar/1.png", "val/cafe\u0301/1.png", "val/bar/1.png"}, "", "U+0065 U+0301 where that has U+00E9"},
		{"a blank more", []string{"train/cat /1.png", "train/dog/1.png", "val/cat/1.png", "val/dog/1.png"}, "", "nothing where that has U+0020"},
		{"capitals differ", []string{"train/Cat/1.png", "train/dog/1.png", "val/cat/1.png", "val/dog/1.png"}, "", "U+0043"},
		{"train twice", both(two("train/", 2), two("Train/", 2)), "", "Train and"},
		{"val twice", both(two("train/", 2), two("val/", 1), two("valid/", 1)), "", "both named as the part val"},
		{"test twice", both(two("train/", 2), two("test/", 1), two("testing/", 1)), "", "both named as the part test"},
		{"no train", both(two("val/", 2), two("test/", 2)), "", "no folder train"},
		{"classes beside test", both(two("", 2), []string{"test/1.png"}), "", "are the classes (cat, dog, ...)"},
		{"a class called train", []string{"bus/1.png", "bus/2.png", "train/1.png", "train/2.png"}, "", "are the classes (bus, ...)"},
		{"loose photos", both(two("", 3), []string{"1.png"}), "", "outside of its class folders"},
		{"loose photos in train", both(two("train/", 3), two("val/", 1), []string{"train/1.png"}), "", "outside of its class folders"},
		{"val without labels", both(two("train/", 3), []string{"val/1.png"}), "", "no class folders"},
		{"empty val", both(two("train/", 3), []string{"val/"}), "", "no class folders"},
		{"one folder too high", both(two("places/train/", 2), two("places/test/", 1)), "", "places holds test, train"},
		{"one folder too high, two datasets", both(two("a/train/", 2), two("a/val/", 1), two("b/train/", 2), two("b/val/", 1)), "", "are not classes"},
		{"one folder too high, no parts", two("places/", 3), "", "places are the classes or the parts (cat, dog), give that"},
		{"two folders too high", both(two("a/b/train/", 2), two("a/b/test/", 1)), "", "b are the classes or the parts (test, train)"},
		{"val/images", both(two("train/", 3), []string{"val/images/1.png"}), "", "not a class by its name"},
		{"photos of classes", two("photos/", 3), "", "photos are the classes or the parts (cat, dog)"},
		{"val in train", both(two("train/", 2), two("train/val/", 1)), "", "names of other classes (cat, dog)"},
		{"a backup among the classes", both(two("", 3), two("new/", 2)), "", "names of other classes (cat, dog)"},
		{"parts below classes", []string{"cat/train/1.png", "cat/test/2.png", "dog/train/1.png", "dog/test/2.png"}, "", "are not classes"},
		{"images beside a table", []string{"images/1.png", "images/2.png", "train.csv"}, "", "train.csv"},
		{"images and more beside a table", []string{"images/1.png", "images/2.png", "drawings/1.png", "drawings/2.png", "labels.csv"}, "", "labels.csv"},
		{"images and masks", []string{"images/1.png", "images/2.png", "masks/1.png", "masks/2.png"}, "", "not a class by its name"},
		{"detection", both([]string{"train/images/1.png", "train/labels/1.txt", "val/images/2.png", "val/labels/2.txt"}), "", "not a class by its name"},
		{"train_images beside a table", []string{"train_images/1.png", "test_images/2.png", "train.csv"}, "", "no class folders"},
		{"not UTF-8", []string{"caf\xe8/1.png", "caf\xe8/2.png", "caf\xe9/1.png", "caf\xe9/2.png"}, "", `"caf\xe8", "caf\xe9"`},
		{"one folder as two classes", both(two("", 3), []string{"tom -> cat"}), "", "are the same folder"},
		{"one folder as two parts", both(two("train/", 3), []string{"val -> train"}), "", "are the same folder"},
		{"one photo as two classes", both(two("train/", 2), two("val/", 1), []string{"train/dog/9.png = train/cat/0.png"}), "", "one photo under different classes"},
		{"one photo as two classes by a link", both(two("train/", 2), two("val/", 1), []string{"train/dog/9.png -> train/cat/0.png"}), "", "one photo under different classes"},
		{"another class in val", both(two("train/", 2), two("val/", 1), []string{"val/dog/9.png = train/cat/0.png"}), "", "one photo under different classes"},
		{"a loop into the other class", both(two("train/", 2), two("val/", 1), []string{"train/cat/up -> train"}), "", "one photo under different classes"},
		{"a text called .jpg", both(two("train/", 2), two("val/", 1), []string{"train/cat/x.jpg"}), "", "x.jpg"},
		{"a dangling link", both(two("train/", 2), two("val/", 1), []string{"train/cat/x.png -> nowhere.png"}), "", "x.png"},
		{"several bad photos", both(two("train/", 2), two("val/", 1), []string{"train/cat/x.jpg", "val/dog/y.jpg", "val/dog/z.gif"}), "", "3 problems"},
	} {
		t.Run(c.name, func(t *testing.T) {
			root := plant(t, c.files...)
			report, refusal := photo.Check(context.Background(), root, photo.CheckOptions{Workers: 2})
			said := ""
			if refusal == nil {
				refusal = photo.Refusal(report.Problems())
				said = strings.Join(both(report.Doubts, report.Warnings(), photo.Summary(report.LeftOut)), "\n")
			}
			if c.want == "" {
				if refusal == nil || !strings.Contains(refusal.Error(), c.says) {
					t.Errorf("check: %v does not say %q", refusal, c.says)
				}
				var data *DataError
				if err := fails(t, narrowRun(t, Heads, root), c.says); !errors.As(err, &data) {
					t.Errorf("train: %v", err)
				}
				return
			}
			if refusal != nil {
				t.Fatalf("check: %v", refusal)
			}
			got := fmt.Sprintf("%s %d %d %d", strings.Join(report.Classes, ","), len(report.Train), len(report.Val), len(report.Test))
			if got != c.want || !strings.Contains(said, c.says) {
				t.Errorf("%s instead of %s, said %q, which lacks %q", got, c.want, said, c.says)
			}
			run := narrowRun(t, Heads, root)
			seen, err := Learned(context.Background(), run, nil)
			if err != nil {
				t.Fatalf("train: %v", err)
			}
			train := len(report.Train)
			if report.Split { // heads are chosen by folds
				train += len(report.Val)
			}
			if len(seen) != train {
				t.Errorf("train saw %d photos of %s", len(seen), got)
			}
			if testing.Short() {
				return // a run for each takes long
			}
			run.Epochs = 1
			if r, err := Fit(context.Background(), run, Silent{}); err != nil || !slices.Equal(r.Start.Classes, report.Classes) || r.Start.Train != train || r.Start.Test != len(report.Test) {
				t.Errorf("train: %v, %+v, want %s", err, r, got)
			}
		})
	}
}
