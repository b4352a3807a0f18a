//go:build unix

package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestKubernetesLocally runs the Job for Kubernetes as processes, kills some of them, and merges their parts to the bytes of one process.
func TestKubernetesLocally(t *testing.T) {
	if testing.Short() {
		t.Skip("takes long")
	}
	photos := dataset(t, 4, 1)
	write(t, filepath.Join(photos, "bad.jpg"), []byte("not a photo"))
	data := t.TempDir()
	if err := os.CopyFS(filepath.Join(data, "photos"), os.DirFS(photos)); err != nil {
		t.Fatal(err)
	}
	m, err := os.ReadFile(model)
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(data, "best.onnx"), m)
	cmd := exec.Command("sh", "../deploy/kubernetes/local.sh", os.Args[0], data)
	cmd.Env = append(os.Environ(), asProgram+"=1", "KILLS=2", "DELAY=0.1")
	if status, output := ended(t, cmd); status != 0 {
		t.Fatalf("exit status %d: %s", status, output)
	}
	whole := filepath.Join(t.TempDir(), "whole.jsonl")
	must(t, "classify", "-m", model, "--skip-bad", "--no-cache", "-q", "-o", whole, filepath.Join(data, "photos"))
	want, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(filepath.Join(data, "answers.jsonl")); err != nil || string(got) != string(want) {
		t.Errorf("the shards merge to\n%s(%v), want\n%s", got, err, want)
	}
}
