package journal

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

var origin = Origin{Program: "1", Model: "m", Settings: map[string]string{"--topk": "2"}, Inputs: 20, List: "l"}

// answer is that of an input, over several lines.
func answer(i int) string { return fmt.Sprintf("%d,\"a\nb\"\n%s\n", i, strings.Repeat("x", i%7)) }

// write answers inputs until n have an answer.
func write(t *testing.T, f *Output, n int) {
	t.Helper()
	for i := f.Answered(); i < n; i++ {
		if _, err := f.Write([]byte(answer(i))); err != nil {
			t.Fatal(err)
		}
		if err := f.Answer(i%5 == 0); err != nil {
			t.Fatal(err)
		}
	}
}

func begin(t *testing.T, path string, resume bool) *Output {
	t.Helper()
	f, mark, err := Begin(path, origin, origin.Inputs, resume)
	if err != nil || mark != nil {
		t.Fatalf("%v, %v", mark, err)
	}
	return f
}

// complete ends the output, where it is not complete, and compares it with what it should be.
func complete(t *testing.T, path string, f *Output) {
	t.Helper()
	if f != nil {
		write(t, f, origin.Inputs)
		if err := f.Complete(nil); err != nil {
			t.Fatal(err)
		}
	}
	want := ""
	for i := range origin.Inputs {
		want += answer(i)
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != want {
		t.Errorf("the output is %q (%v), want %q", got, err, want)
	}
	m, err := ReadMark(path)
	if err != nil || m.Answered != 20 || m.Failed != 4 || m.Bytes != int64(len(want)) || origin.Differs(m.Origin) != "" || len(m.Hash) != 64 {
		t.Errorf("the mark is %+v, %v", m, err)
	}
	if left, _ := os.ReadDir(filepath.Dir(path)); len(left) != 2 {
		t.Errorf("%v are left", left)
	}
}

// TestCutAnywhere: whatever a crash leaves of the journal's and the output's ends, the run goes on to the same bytes.
func TestCutAnywhere(t *testing.T) {
	defer func() { SaveEvery = 1e9 }()
	SaveEvery = 0
	random := rand.New(rand.NewPCG(1, 2))
	for n := range 50 {
		path := filepath.Join(t.TempDir(), "out")
		f := begin(t, path, n%2 == 0)
		write(t, f, random.IntN(20))
		f.Write([]byte("half an ans"))
		f.close()
		for _, ending := range []string{journalEnding, partialEnding} {
			info, err := os.Stat(path + ending)
			if err != nil {
				t.Fatal(err)
			}
			switch random.IntN(3) {
			case 0:
				if ending == journalEnding { // its first line was there before the output
					line := int64(len(header1(t, path)))
					os.Truncate(path+ending, line+random.Int64N(info.Size()-line+1))
					break
				}
				os.Truncate(path+ending, random.Int64N(info.Size()+1))
			case 1: // blocks that were never written
				os.Truncate(path+ending, info.Size()+random.Int64N(100))
			}
		}
		complete(t, path, begin(t, path, true))
	}
}

func header1(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path + journalEnding)
	if err != nil {
		t.Fatal(err)
	}
	line, _, _ := strings.Cut(string(data), "\n")
	return line + "\n"
}

// TestDamaged: an output whose bytes are not what the journal says is computed again from where it departs.
func TestDamaged(t *testing.T) {
	defer func() { SaveEvery = 1e9 }()
	SaveEvery = 0
	path := filepath.Join(t.TempDir(), "out")
	f := begin(t, path, false)
	write(t, f, 15)
	f.close()
	data, _ := os.ReadFile(path + partialEnding)
	data[len(data)/2] ^= 1
	os.WriteFile(path+partialEnding, data, 0o666)
	f = begin(t, path, true)
	if n := f.Answered(); n == 0 || n >= 15 {
		t.Errorf("%d answers are believed", n)
	}
	complete(t, path, f)
}

// TestFalse: entries of a journal that cannot be true count for nothing, and neither do those behind them.
func TestFalse(t *testing.T) {
	nothing := fmt.Sprintf("%x", sha256.Sum256(nil))
	for _, line := range []string{
		`{"answered":-1,"bytes":0,"sha256":"` + nothing + `"}`,
		`{"answered":21,"bytes":0,"sha256":"` + nothing + `"}`,
		`{"answered":1,"failed":2,"bytes":0,"sha256":"` + nothing + `"}`,
		`{"answered":1,"failed":-1,"bytes":0,"sha256":"` + nothing + `"}`,
		`{"answered":1,"bytes":-1,"sha256":"` + nothing + `"}`,
		`{"answered":1,"bytes":9223372036854775807,"sha256":"` + nothing + `"}`,
		`{"answered":1,"bytes":0,"sha256":""}`,
		`{"answered":1,"bytes":0,"sha256":"` + nothing + `"}` + strings.Repeat(" ", longestLine),
	} {
		path := filepath.Join(t.TempDir(), "out")
		begin(t, path, false).close()
		os.WriteFile(path+journalEnding, []byte(header1(t, path)+line+"\n"), 0o666)
		f := begin(t, path, true)
		if f.Answered() != 0 || f.Failed() != 0 {
			t.Fatalf("%.100s: %d answers, %d failed", line, f.Answered(), f.Failed())
		}
		complete(t, path, f)
	}
}

// TestEndless: a journal or a mark of one line without end is refused before all of it is in memory.
func TestEndless(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out")
	if err := os.WriteFile(path+journalEnding, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path+journalEnding, 1<<32); err != nil {
		t.Skipf("no files of this size here: %v", err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	var r RefusedError
	if _, _, err := Begin(path, origin, origin.Inputs, true); !errors.As(err, &r) {
		t.Errorf("%v", err)
	}
	if err := os.Rename(path+journalEnding, MarkOf(path)); err != nil {
		t.Fatal(err)
	}
	if m, err := ReadMark(path); err == nil {
		t.Errorf("%+v", m)
	}
	if runtime.ReadMemStats(&after); after.TotalAlloc-before.TotalAlloc > 4*longestLine {
		t.Errorf("%d bytes were allocated", after.TotalAlloc-before.TotalAlloc)
	}
}

// FuzzJournal: no bytes make a journal, a mark or an output that ends the program, or that has more answers than inputs.
func FuzzJournal(f *testing.F) {
	encoded := func(v any) []byte {
		data, err := json.Marshal(v)
		if err != nil {
			f.Fatal(err)
		}
		return data
	}
	p := Progress{Answered: 1, Bytes: 7, Hash: fmt.Sprintf("%x", sha256.Sum256([]byte("answer\n")))}
	journal := slices.Concat(encoded(header{headerSchema, origin}), []byte("\n"), encoded(p), []byte("\n"))
	f.Add(journal, []byte("answer\nhalf"), encoded(Mark{markSchema, origin, p, GapsOf([]int{7})}))
	f.Fuzz(func(t *testing.T, journal, partial, mark []byte) {
		path := filepath.Join(t.TempDir(), "out")
		os.WriteFile(path+journalEnding, journal, 0o666)
		os.WriteFile(path+partialEnding, partial, 0o666)
		if out, _, err := Begin(path, origin, origin.Inputs, true); err == nil {
			if out.Answered() < 0 || out.Answered() > origin.Inputs || out.Failed() < 0 || out.Failed() > out.Answered() {
				t.Errorf("%d answers, %d failed", out.Answered(), out.Failed())
			}
			out.close()
		}
		os.WriteFile(MarkOf(path), mark, 0o666)
		if m, err := ReadMark(path); err == nil {
			if places, err := m.Places(); err == nil && len(places) > m.Inputs {
				t.Errorf("%d answers for %d inputs", len(places), m.Inputs)
			}
		}
	})
}

// TestCutEnds: a crash between the last answer, the name, the mark and the end of the journal.
func TestCutEnds(t *testing.T) {
	for _, step := range []string{"header", "empty", "last", "linked", "named", "marked"} {
		t.Run(step, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "out")
			f := begin(t, path, false)
			switch step {
			case "empty":
				f.close()
				os.Remove(path + partialEnding)
				os.Truncate(path+journalEnding, 0)
			case "header":
				f.close()
				os.Remove(path + partialEnding)
				os.Truncate(path+journalEnding, 30)
			default:
				write(t, f, 20)
				f.save()
				f.close()
			}
			switch step {
			case "linked":
				if err := os.Link(path+partialEnding, path); err != nil {
					t.Skip(err)
				}
			case "named", "marked":
				os.Rename(path+partialEnding, path)
			}
			if step == "marked" {
				Mark{Origin: origin}.Write(path)
			}
			f = begin(t, path, true)
			f.close() // once more
			complete(t, path, begin(t, path, true))
		})
	}
}

// TestForm: an output that gets another form at its end does so once, wherever a crash cuts it, and what somebody else has put under
// its name stays.
func TestForm(t *testing.T) {
	form := func(from io.Reader, to io.Writer) error {
		text, err := io.ReadAll(from)
		if err == nil {
			_, err = to.Write(bytes.ToUpper(text))
		}
		return err
	}
	want := ""
	for i := range origin.Inputs {
		want += strings.ToUpper(answer(i))
	}
	for _, step := range []string{"", "broken", "written", "marked", "removed", "foreign"} {
		t.Run(step, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "out")
			f := begin(t, path, false)
			write(t, f, origin.Inputs)
			switch step {
			case "broken":
				if err := f.CompleteAs(nil, func(io.Reader, io.Writer) error { return errors.New("no form") }); err == nil {
					t.Fatal("the error is lost")
				}
			case "written", "marked", "removed":
				saved, _ := os.ReadFile(path + partialEnding)
				f.save()
				log, _ := os.ReadFile(path + journalEnding)
				if err := f.CompleteAs(nil, form); err != nil {
					t.Fatal(err)
				}
				os.WriteFile(path+journalEnding, log, 0o666)
				if step != "removed" {
					os.WriteFile(path+partialEnding, saved, 0o666)
				}
				if step == "written" {
					os.Remove(MarkOf(path))
				}
			case "foreign":
				f.Close()
				os.WriteFile(path, []byte("foreign"), 0o666)
			}
			if step != "" {
				var mark *Mark
				var err error
				if f, mark, err = Begin(path, origin, origin.Inputs, true); err != nil || (mark != nil) != (step == "marked" || step == "removed") {
					t.Fatalf("%v, %v", mark, err)
				}
			}
			if f != nil {
				var r RefusedError
				if err := f.CompleteAs(nil, form); errors.As(err, &r) != (step == "foreign") || err != nil && step != "foreign" {
					t.Fatal(err)
				}
			}
			got, err := os.ReadFile(path)
			if step == "foreign" {
				if string(got) != "foreign" {
					t.Errorf("it is overwritten by %q", got)
				}
				return
			}
			if err != nil || string(got) != want {
				t.Errorf("the output is %q (%v), want %q", got, err, want)
			}
			m, err := ReadMark(path)
			if err != nil || m.Answered != 20 || m.Bytes != int64(len(want)) || m.Hash != fmt.Sprintf("%x", sha256.Sum256([]byte(want))) {
				t.Errorf("the mark is %+v, %v", m, err)
			}
			if left, _ := os.ReadDir(filepath.Dir(path)); len(left) != 2 {
				t.Errorf("%v are left", left)
			}
		})
	}
}

// TestOpenEnded: an output of inputs that come as they come is complete whenever it is completed, goes on after that, and after a kill.
func TestOpenEnded(t *testing.T) {
	defer func() { SaveEvery = 1e9 }()
	SaveEvery = 0
	o := origin
	o.Inputs = OpenEnded
	path := filepath.Join(t.TempDir(), "out")
	want := ""
	for n := range 6 {
		f, mark, err := Begin(path, o, OpenEnded, n > 0)
		if err != nil || mark != nil {
			t.Fatalf("%v, %v", mark, err)
		}
		if got, err := io.ReadAll(f.Begun()); err != nil || string(got) != want {
			t.Fatalf("it begins with %q (%v), want %q", got, err, want)
		}
		if n == 4 {
			f.Write([]byte("half"))
			f.close() // killed
			continue
		}
		want += answer(f.Answered())
		write(t, f, f.Answered()+1)
		if want2, _ := os.ReadFile(path); n == 5 && len(want2) != len(want) {
			t.Errorf("%d bytes, want %d", len(want2), len(want))
		}
		if n%2 == 1 {
			f.Close()
			continue
		}
		if err := f.Complete(nil); err != nil {
			t.Fatal(err)
		}
		m, err := ReadMark(path)
		if got, e := os.ReadFile(path); err != nil || e != nil || string(got) != want || m.Answered != n+1 {
			t.Errorf("the output is %q (%v), want %q", got, e, want)
		}
	}
	if _, _, err := Begin(path, o, OpenEnded, false); err == nil {
		t.Error("it is overwritten")
	}
}

// TestRefused: nothing is overwritten, and nothing is continued with other things.
func TestRefused(t *testing.T) {
	other := func(change func(o *Origin)) Origin {
		o := origin
		change(&o)
		return o
	}
	path := filepath.Join(t.TempDir(), "out")
	refuses := func(o Origin, resume bool, says string) {
		t.Helper()
		var r RefusedError
		if _, _, err := Begin(path, o, o.Inputs, resume); !errors.As(err, &r) || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, want a refusal that says %q", err, says)
		}
	}
	f := begin(t, path, false)
	write(t, f, 3)
	refuses(origin, true, "another run")
	f.Close()
	changed := map[string]Origin{
		"another model": other(func(o *Origin) { o.Model = "n" }), "21 inputs instead of 20": other(func(o *Origin) { o.Inputs = 21 }),
		"other inputs": other(func(o *Origin) { o.List = "k" }), "shard 0/2 instead of none": other(func(o *Origin) { o.Shard = "0/2" }),
		"--topk unset instead of 2": other(func(o *Origin) { o.Settings = nil }), "version 2": other(func(o *Origin) { o.Program = "2" }),
	}
	refuses(origin, false, "Resume goes on")
	for says, o := range changed {
		refuses(o, true, says)
	}
	complete(t, path, begin(t, path, true))
	refuses(origin, false, "is there already")
	for says, o := range changed {
		refuses(o, true, says)
	}
	if f, mark, err := Begin(path, origin, origin.Inputs, true); f != nil || mark == nil || err != nil {
		t.Errorf("a complete output: %v, %v, %v", f, mark, err)
	}
	os.Remove(MarkOf(path))
	refuses(origin, true, "is there already")
	os.Rename(path, path+partialEnding)
	refuses(origin, true, "without its journal")
	if left, _ := os.ReadDir(filepath.Dir(path)); len(left) != 1 {
		t.Errorf("%v are left", left)
	}
}

func TestPlaces(t *testing.T) {
	for _, want := range [][]int{{}, {0}, {19}, {0, 1, 2}, {3, 7, 8, 19}} {
		m := Mark{Origin: origin, Progress: Progress{Answered: len(want)}, Gaps: GapsOf(want)}
		if got, err := m.Places(); err != nil || !slices.Equal(got, want) {
			t.Errorf("%v, %v, want %v", got, err, want)
		}
		m.Answered++
		if _, err := m.Places(); err == nil {
			t.Error("an answer without a place")
		}
	}
	for _, gaps := range [][]byte{{20}, {0x80}, {255, 255, 255, 255, 255, 255, 255, 255, 255, 1}, {19, 0}, {10, 10}} {
		for answered := 1; answered <= 2; answered++ {
			m := Mark{Origin: origin, Progress: Progress{Answered: answered}, Gaps: gaps}
			if p, err := m.Places(); err == nil {
				t.Errorf("%v from %v", p, gaps)
			}
		}
	}
}

// TestClosedEarly: what was answered whole is put down when a run ends, however seldom it is saved; half an answer is not.
func TestClosedEarly(t *testing.T) {
	every := SaveEvery
	SaveEvery = time.Hour
	defer func() { SaveEvery = every }()
	for _, half := range []bool{false, true} {
		path := filepath.Join(t.TempDir(), "out.csv")
		f := begin(t, path, false)
		write(t, f, 3)
		if half {
			f.Write([]byte("half"))
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		f = begin(t, path, true)
		if got := f.Answered(); got != 3 && !half || got > 3 {
			t.Errorf("half an answer %v: %d are there", half, got)
		}
		complete(t, path, f)
	}
}

// TestDamagedMarks: a mark of another version, and one that is no mark, are refused.
func TestDamagedMarks(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out.csv")
	complete(t, path, begin(t, path, false))
	good, err := os.ReadFile(MarkOf(path))
	if err != nil {
		t.Fatal(err)
	}
	for what, data := range map[string]string{
		"another version": strings.Replace(string(good), markSchema, markSchema+"0", 1),
		"an end missing":  string(good[:len(good)-3]),
		"more behind it":  string(good) + "{}",
		"a wrong type":    strings.Replace(string(good), "{", `{"inputs": "many", `, 1),
	} {
		if err := os.WriteFile(MarkOf(path), []byte(data), 0o666); err != nil {
			t.Fatal(err)
		}
		if m, err := ReadMark(path); err == nil {
			t.Errorf("%s: %+v", what, m)
		}
	}
}
