// Package golden gives tests the reference data that lies beside a checkout, in ../shared: numbers
// computed by PyTorch, small real exports and the real model. Tests skip where it is absent. What every clone has lies in the packages'
// testdata: Text compares with a file there.
package golden

import (
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// The environment variables that override where things are looked for.
const (
	sharedVariable = "REGRAFT_SHARED" // the folder shared itself
	modelVariable  = "REGRAFT_MODEL"  // the unpacked Inception-v3 training export
)

// marker is the file by which the folder shared is known.
var marker = filepath.Join("golden", "README.md")

// Dir is the absolute path of the folder shared: REGRAFT_SHARED, or the one beside a parent of the
// working directory. The test is skipped when there is none.
func Dir(tb testing.TB) string {
	tb.Helper()
	if dir := os.Getenv(sharedVariable); dir != "" {
		if !exists(filepath.Join(dir, marker)) {
			tb.Fatalf("%s=%s holds no %s", sharedVariable, dir, marker)
		}
		return dir
	}
	at, err := os.Getwd()
	if err != nil {
		tb.Fatal(err)
	}
	for ; ; at = filepath.Dir(at) {
		if dir := filepath.Join(at, "shared"); exists(filepath.Join(dir, marker)) {
			return dir
		}
		if at == filepath.Dir(at) {
			tb.Skip("needs ../shared, which this checkout does not have")
		}
	}
}

// Model is the path of the real model, Inception-v3 exported from PyTorch in training form:
// REGRAFT_MODEL, or shared/models/inception_v3_train.onnx.xz unpacked into the user's cache folder.
func Model(tb testing.TB) string {
	tb.Helper()
	if path := os.Getenv(modelVariable); path != "" {
		if !exists(path) {
			tb.Fatalf("%s=%s does not exist", modelVariable, path)
		}
		return path
	}
	script := filepath.Join(Dir(tb), "models", "unpack.sh")
	for _, tool := range []string{"sh", "xz"} {
		if _, err := exec.LookPath(tool); err != nil {
			tb.Skipf("needs %s to unpack the real model (or its path in %s)", tool, modelVariable)
		}
	}
	path, err := unpack(script)
	if err != nil {
		tb.Fatal(err)
	}
	return path
}

// unpack runs the script once in a process. The script itself checks the sum of the model, skips
// the work when the file is already there and is safe to run several times at once.
var unpack = func() func(string) (string, error) {
	var once sync.Once
	var path string
	var err error
	return func(script string) (string, error) {
		once.Do(func() { path, err = runUnpack(script) })
		return path, err
	}
}()

func runUnpack(script string) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "regraft-test")
	cmd := exec.Command("sh", script, dir)
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return "", err
	}
	return filepath.Join(dir, "inception_v3_train.onnx"), nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// resolve puts relative paths under the folder shared.
func resolve(tb testing.TB, path string) string {
	tb.Helper()
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(Dir(tb), path)
}

// Glob lists the files of the folder shared that match a pattern, with their whole path.
func Glob(tb testing.TB, pattern string) []string {
	tb.Helper()
	files, err := filepath.Glob(filepath.Join(Dir(tb), pattern))
	if err != nil || len(files) == 0 {
		tb.Fatalf("no file matches %s (%v)", pattern, err)
	}
	return files
}
