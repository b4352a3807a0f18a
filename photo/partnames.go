package photo

import (
	"slices"
	"strings"
	"unicode"
)

// The parts of a dataset.
const (
	partTrain = "train"
	partVal   = "val"
	partTest  = "test"
)

// partWords are the words by which people name the parts: Keras, fastai, Roboflow, Hugging Face, Kaggle.
var partWords = map[string]string{
	"train": partTrain, "training": partTrain, "trn": partTrain, "trainval": partTrain,
	"val": partVal, "valid": partVal, "validation": partVal, "validate": partVal, "validating": partVal,
	"dev": partVal, "development": partVal, "eval": partVal, "evaluation": partVal,
	"test": partTest, "testing": partTest, "tst": partTest, "holdout": partTest, "heldout": partTest,
}

// plainWords say nothing beside such a word: train_images, Training Set, seg_train, valset.
var plainWords = []string{
	"set", "sets", "data", "dataset", "images", "image", "imgs", "img", "photos", "photo", "pictures", "pics", "jpg", "jpeg", "png",
	"split", "part", "seg", "folder", "dir", "files", "resized", "cropped", "cleaned", "augmented", "processed", "final",
}

// partName finds the part that a folder's name speaks of ("" if none) and the words that stand beside it:
// "Train" and "train_images" are train and "", "cars_train" is train and "cars". The word for the part is the
// first or the last; capitals, digits and signs do not matter.
func partName(folder string) (part, rest string) {
	words := wordsOf(folder)
	if len(words) == 0 {
		return "", ""
	}
	for _, at := range []int{0, len(words) - 1} {
		if part = partWord(words[at]); part != "" {
			others := slices.DeleteFunc(slices.Delete(slices.Clone(words), at, at+1), isPlain)
			return part, strings.Join(others, " ")
		}
	}
	return "", ""
}

// partWord looks a word up, alone or written together with a plain one: trainset, imgval.
func partWord(word string) string {
	if part := partWords[word]; part != "" {
		return part
	}
	for _, plain := range plainWords {
		for _, cut := range []func(string, string) (string, bool){strings.CutSuffix, strings.CutPrefix} {
			if stem, ok := cut(word, plain); ok && partWords[stem] != "" {
				return partWords[stem]
			}
		}
	}
	return ""
}

func isPlain(word string) bool { return slices.Contains(plainWords, word) }

// wordsOf splits a name at everything that is no letter and before capitals, and makes it lower case.
func wordsOf(name string) []string {
	var words []string
	var word []rune
	end := func() {
		if len(word) > 0 {
			words = append(words, strings.ToLower(string(word)))
			word = nil
		}
	}
	for _, r := range name {
		if !unicode.IsLetter(r) {
			end()
			continue
		}
		if unicode.IsUpper(r) && len(word) > 0 && unicode.IsLower(word[len(word)-1]) {
			end()
		}
		word = append(word, r)
	}
	end()
	return words
}

// partsAmong finds the folders that are parts: those whose name says nothing else or, where there are none, those that
// differ in nothing but the part (cars_train beside cars_test). The result has the part of each folder, "" where it is none.
func partsAmong(folders []string) []string {
	names, rests, plain := make([]string, len(folders)), make([]string, len(folders)), false
	for i, f := range folders {
		names[i], rests[i] = partName(f)
		plain = plain || names[i] != "" && rests[i] == ""
	}
	found := make([]string, len(folders))
	for i := range folders {
		for k := range folders {
			pair := !plain && names[k] != "" && names[k] != names[i] && rests[k] == rests[i]
			if rests[i] == "" || pair {
				found[i] = names[i]
			}
		}
	}
	return found
}

// systemNames are folders and files of operating systems and storage devices, in lower case. What begins with a dot
// is hidden and left out as well (.DS_Store, .Trashes, .thumbnails, .ipynb_checkpoints, ._photo.jpg).
var systemNames = []string{
	"__macosx", "icon\r", "lost+found", // macOS, Linux
	"$recycle.bin", "recycler", "recycled", "system volume information", "found.000", // Windows
	"thumbs.db", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini",
	"@eadir", "@tmp", "@sharebin", "@sharesnap", "#recycle", "#snapshot", // Synology
	"@__thumb", "@recycle", "@recently-snapshot", // QNAP
	"~snapshot", "network trash folder", "temporary items", // NetApp, AFP
	"picasa.ini", "__pycache__",
}

// ofSystem is whether a name belongs to the system, not to the person.
func ofSystem(name string) bool {
	return strings.HasPrefix(name, ".") || slices.Contains(systemNames, strings.ToLower(name))
}

// pileNames are folders that hold photos of all classes, or what belongs to photos, in datasets whose labels stand in a table.
var pileNames = []string{
	"images", "image", "imgs", "img", "photos", "pictures", "jpegimages", "labels", "annotations", "masks", "labelsmask", "segmentationclass", "segmentationobject",
}

func isPile(folder string) bool { return slices.Contains(pileNames, strings.ToLower(folder)) }

// isTable is whether a file may hold labels.
func isTable(file string) bool {
	return slices.Contains([]string{".csv", ".tsv", ".json", ".jsonl", ".parquet", ".xls", ".xlsx", ".mat"}, extension(file))
}
