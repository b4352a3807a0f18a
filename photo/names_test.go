package photo

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// TestPartNames: the names by which people call the parts, and classes that only sound so.
func TestPartNames(t *testing.T) {
	for part, names := range map[string]string{
		partTrain: "train Train TRAIN training Training trainset train_set training-set TrainImages train_images imgs_train trn train2017 train1 seg_train traindata train-data trainval",
		partVal:   "val Val valid VALID validation Validation validate dev eval Eval evaluation val_images valset val2017 validation_set ImagesVal",
		partTest:  "test Test TEST testing Testing test1 test_set testset TestImages tst seg_test holdout",
		"":        "cat trains attest contest valley value developer evaluate-me steam_train test_tube training_shoes train_test 12 _ . valve testa images",
	} {
		for _, name := range strings.Fields(names) {
			if got, rest := partName(name); rest == "" && got != part || rest != "" && part != "" {
				t.Errorf("%s is %q (%q) instead of %q", name, got, rest, part)
			}
		}
	}
	for folders, want := range map[string]string{
		"cars_train cars_test": "train test", "asl_alphabet_train asl_alphabet_test": "train test", "steam_train freight_train": " ",
		"steam_train train": " train", "cat dog": " ", "cars_train bikes_test": " ", "seg_pred seg_test seg_train": " test train",
		"train train_masks test test_masks": "train  test ", "a_train b_train a_test": "train  test",
	} {
		if got := strings.Join(partsAmong(strings.Fields(folders)), " "); got != want {
			t.Errorf("%s: %q instead of %q", folders, got, want)
		}
	}
}

func TestShown(t *testing.T) {
	for name, want := range map[string]string{
		"a b": "a b", "größe 日本 👩\u200d👧": "größe 日本 👩\u200d👧", "it's": "it's", `back\slash`: `back\slash`, "": "",
		"a\nb": `"a\nb"`, "\x1b[31m": `"\x1b[31m"`, "caf\xe8": `"caf\xe8"`, "cat ": `"cat "`, "\u202ex": `"\u202ex"`, `"quoted"`: `"\"quoted\""`, "\u2028": `"\u2028"`, "a\u200bb": `"a\u200bb"`, "می\u200cخواهم": "می\u200cخواهم",
	} {
		if got := Shown(name); got != want {
			t.Errorf("%q is shown as %s instead of %s", name, got, want)
		}
	}
}

func TestText(t *testing.T) {
	for name, want := range map[string]string{
		"a": "a", `a\xe8`: `a\xe8`, "caf\xe8": `caf\xe8`, "caf\xe8\\xe8": `caf\xe8\\xe8`, "é\xff": `é\xff`,
	} {
		if got := Text(name); got != want {
			t.Errorf("%q: %q instead of %q", name, got, want)
		}
	}
}

// FuzzNames: what is shown is one line, what is text is UTF-8, and neither gives up a name.
func FuzzNames(f *testing.F) {
	for _, s := range []string{"", "a", "\xff", "a\n", "\u202e", `\x41`, "Train", "seg_train", "123", "é", "e\u0301", "\\\xff"} {
		f.Add(s, s+"x")
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		if s := Shown(a); !utf8.ValidString(s) || strings.ContainsFunc(s, unprintable) {
			t.Errorf("%q is shown as %q", a, s)
		}
		if !utf8.ValidString(Text(a)) || utf8.ValidString(a) && Text(a) != a {
			t.Errorf("the text of %q is %q", a, Text(a))
		}
		if a != b && (Shown(a) == Shown(b) || utf8.ValidString(a) == utf8.ValidString(b) && Text(a) == Text(b)) {
			t.Errorf("%q and %q became one", a, b)
		}
		partsAmong([]string{a, b})
		Difference(a, []string{b})
	})
}

func TestDifference(t *testing.T) {
	known := []string{"caf\u00e9", "Dog", "two  blanks", "x"}
	for name, want := range map[string]string{
		"cafe\u0301": "U+0065 U+0301 where that has U+00E9", "dog": "U+0064 U+006F U+0067 where that has U+0044", "two blanks": "U+0062",
		"x\u00a0": "U+00A0 where that has nothing", "ｘ": "U+FF58", "x\u200b": "U+200B where that has nothing", "cow": "", "x": "",
	} {
		if got := Difference(name, known); (got == "") != (want == "") || !strings.Contains(got, want) {
			t.Errorf("%q: %q does not say %q", name, got, want)
		}
	}
}
