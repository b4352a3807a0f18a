//go:build unix

package cli

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// damaged is a folder of photos, one of them damaged.
func damaged(t *testing.T) string {
	t.Helper()
	data := dataset(t, 5, 1)
	write(t, filepath.Join(data, "train", "sea", "bad\n.jpg"), []byte("not a photo"))
	return data
}

// TestClassifyKill kills runs that answer into a file, first when answers are there, then at random moments, and lets them end by --resume. Every file ends
// with the bytes of a run that nobody disturbed, in which each input has one answer, and nothing else is left.
func TestClassifyKill(t *testing.T) {
	kills, times := 60, 5
	if testing.Short() {
		kills, times = 4, 3
	}
	inputs := slices.Repeat([]string{damaged(t)}, times)
	random := rand.New(rand.NewPCG(1, 2))
	endings := []string{".jsonl", ".csv", ".parquet"}
	for _, ending := range endings {
		args := func(out string) []string {
			return append(classifyArgs("--no-cache", "--resume", "--quiet", "-k", "2", "-o", out), inputs...)
		}
		whole := filepath.Join(t.TempDir(), "whole"+ending)
		began := time.Now()
		if status, output := ended(t, program(args(whole)...)); status != statusInputs {
			t.Fatalf("exit status %d: %s", status, output)
		}
		life := time.Since(began)
		want, err := os.ReadFile(whole)
		if err != nil {
			t.Fatal(err)
		}
		if ending == ".jsonl" {
			if n := len(lines[jsonAnswer](t, string(want))); n != times*19 {
				t.Errorf("%d answers, want %d", n, times*19)
			}
		}
		for done, folder := 0, 0; done < kills/len(endings); folder++ {
			out := filepath.Join(t.TempDir(), fmt.Sprintf("run%d%s", folder, ending))
			killedAt(t, program(args(out)...), func() bool {
				info, err := os.Stat(out + ".partial")
				return err == nil && info.Size() > 0
			})
			done++
			for range min(random.IntN(4), kills/len(endings)-done) {
				killed(t, program(args(out)...), time.Duration(random.Int64N(int64(life))))
				done++
			}
			if status, output := ended(t, program(args(out)...)); status != statusInputs {
				t.Fatalf("exit status %d: %s", status, output)
			}
			if got, err := os.ReadFile(out); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s differs from an undisturbed run's file (%v)", out, err)
			}
			if got, want := listing(t, filepath.Dir(out)), filepath.Base(out)+" "+filepath.Base(out)+".done"; got != want {
				t.Errorf("files %s, want %s", got, want)
			}
		}
	}
}
