package cli

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"regraft/answer"
	"regraft/golden"
	"regraft/journal"
)

// asProgram is the variable that makes the test binary the program, for tests that need a process of their own.
const asProgram = "TEST_AS_PROGRAM"

// jsonAnswer is a line of classify --json.
type jsonAnswer = answer.Answer

// TestMain clears the variables that would set flags, and sets one that keeps tests away from the user's cache.
func TestMain(m *testing.M) {
	for _, v := range os.Environ() {
		if name, _, _ := strings.Cut(v, "="); strings.HasPrefix(name, "REGRAFT_") && name != "REGRAFT_ISA" && name != "REGRAFT_PYTHON" && (name != cacheVariable || os.Getenv(asProgram) == "") {
			os.Unsetenv(name)
		}
	}
	if os.Getenv(asProgram) != "" {
		journal.SaveEvery = 5 * time.Millisecond // so that kills find something saved
		os.Exit(Run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
	}
	golden.InMemory()
	os.Exit(withCache(m.Run))
}

// cacheVariable sets --cache.
const cacheVariable = "REGRAFT_CACHE"

// forAll is a folder that is there until all tests are done.
var forAll string

// withCache runs the tests with a cache of their own.
func withCache(tests func() int) int {
	var err error
	if forAll, err = os.MkdirTemp("", "regraft-tests"); err != nil {
		panic(err)
	}
	defer os.RemoveAll(forAll)
	os.Setenv(cacheVariable, filepath.Join(forAll, "cache"))
	return tests()
}

// model is a narrow ResNet-18 of 7 classes, 64 x 64 pixels; inception, which takes ten times as long, a narrow Inception-v3 of as many, 299 x 299
// pixels, with both heads and torchvision's transform_input.
const (
	model     = "../onnx/testdata/resnet18.ts.train.op17.onnx"
	inception = "../onnx/testdata/inception_v3.ts.train.op20.transform.onnx"
	// squeezenet is a narrow SqueezeNet in inference form, of as many classes and pixels as model.
	squeezenet = "../onnx/testdata/squeezenet1_1.dyn.eval.op20.onnx"
)

// result is what a run of the program left.
type result struct {
	status         int
	stdout, stderr string
}

// run executes the program in this process.
func run(t *testing.T, args ...string) result {
	t.Helper()
	return runWith(t, "", args...)
}

func runWith(t *testing.T, stdin string, args ...string) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	status := Run(args, strings.NewReader(stdin), &stdout, &stderr)
	return result{status, stdout.String(), stderr.String()}
}

// must runs and fails the test unless the exit status is 0.
func must(t *testing.T, args ...string) result {
	t.Helper()
	r := run(t, args...)
	if r.status != statusDone {
		t.Fatalf("regraft %s: exit status %d\n%s%s", strings.Join(args, " "), r.status, r.stdout, r.stderr)
	}
	return r
}

// writePhoto makes a JPEG of one colour with a gradient over it.
func writePhoto(t *testing.T, path string, c color.RGBA, variant int) {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, 90, 80))
	for y := range 80 {
		for x := range 90 {
			g := uint8((x*(variant%5+1)+y*(variant%3+1))/8 + variant)
			img.SetRGBA(x, y, color.RGBA{c.R + g, c.G + g, c.B + g, 255})
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, nil); err != nil {
		t.Fatal(err)
	}
	write(t, path, b.Bytes())
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o666); err != nil {
		t.Fatal(err)
	}
}

var colours = map[string]color.RGBA{"forest": {20, 120, 20, 255}, "sea": {20, 60, 160, 255}, "street": {110, 110, 110, 255}}

// dataset makes root/{train,test}/{forest,sea,street} with so many photos per class.
func dataset(t *testing.T, train, test int) string {
	t.Helper()
	root := t.TempDir()
	datasetIn(t, root, train, test)
	return root
}

func datasetIn(t *testing.T, root string, train, test int) {
	t.Helper()
	for class, c := range colours {
		for i := range train + test {
			part := "train"
			if i >= train {
				part = "test"
			}
			writePhoto(t, filepath.Join(root, part, class, string(rune('a'+i))+".jpg"), c, i)
		}
	}
}

// trained trains the heads of the narrow network on data and returns the run's folder.
func trained(t *testing.T, data string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "run")
	trainedAs(t, data, out)
	return out
}

func trainedAs(t *testing.T, data, out string) {
	t.Helper()
	must(t, "train", "--model", model, "--data", data, "--out", out, "--epochs", "5", "--mean", "0,0,0", "--std", "1,1,1", "--quiet", "--no-report")
}

// common is a run that all tests share, and the data it was trained on, 3 photos to train and 2 to test of each class. Nobody writes to either.
func common(t *testing.T) (data, out, best string) {
	t.Helper()
	data, out = filepath.Join(forAll, "data"), filepath.Join(forAll, "run")
	if _, err := os.Stat(out); err != nil {
		datasetIn(t, data, 3, 2)
		trainedAs(t, data, out)
	}
	return data, out, filepath.Join(out, "best.onnx")
}
