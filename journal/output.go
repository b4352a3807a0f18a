package journal

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"math"
	"os"
	"slices"
	"time"

	"regraft/atomicfile"
	"regraft/filelock"
	"regraft/setting"
)

// SaveEvery is how much time a killed run loses.
var SaveEvery = time.Second

// Output is an output that grows. It is for one goroutine.
type Output struct {
	path    string
	origin  Origin
	most    int // inputs that will have an answer
	at      Progress
	file    *os.File // the output
	journal *os.File
	sum     hash.Hash // of all that was written
	saved   time.Time
	placed  bool // the output has its name already
	cut     bool // something was written behind the last answer
}

// header is the first line of a journal; lines of Progress follow.
type header struct {
	Schema string `json:"schema"`
	Origin
}

const headerSchema = "regraft/journal/1"

// Begin starts the output at path, in which so many inputs get an answer, or continues one that was begun, if resume says so. One that
// is complete has a mark, which is returned in its place. A RefusedError says what speaks against it.
func Begin(path string, o Origin, inputs int, resume bool) (*Output, *Mark, error) {
	if o.Inputs == OpenEnded {
		inputs = math.MaxInt
	}
	f := &Output{path: path, origin: o, most: inputs, sum: sha256.New(), saved: time.Now()}
	if err := f.lock(); err != nil {
		return nil, nil, err
	}
	mark, err := f.begin(resume)
	if err != nil || mark != nil {
		f.close()
		return nil, mark, err
	}
	return f, nil, nil
}

// lock opens the journal and keeps others out as long as it is open. Where the file system cannot lock, nobody is kept out.
func (f *Output) lock() error {
	for {
		journal, err := os.OpenFile(f.path+journalEnding, os.O_RDWR|os.O_CREATE, 0o666)
		if err != nil {
			return fmt.Errorf("cannot write %s: %w", f.path, err)
		}
		if errors.Is(filelock.Try(journal), filelock.ErrLocked) {
			journal.Close()
			return refused("%s is being written by another run: wait for its end, or choose another name", f.path)
		}
		if filelock.Stands(journal) { // else its holder has removed it since
			f.journal = journal
			return nil
		}
		journal.Close()
	}
}

// begin reads what is there and says so where that is complete.
func (f *Output) begin(resume bool) (*Mark, error) {
	was, entries, end, err := f.read()
	if err != nil {
		return nil, err
	}
	if was == nil {
		mark, err := f.fresh(resume)
		if err != nil || mark != nil {
			f.remove()
		}
		return mark, err
	}
	if !resume {
		return nil, refused("%s was begun already: %v goes on with it, or remove %s and %s", f.path, setting.Resume, f.path+partialEnding, f.path+journalEnding)
	}
	if d := f.origin.Differs(*was); d != "" {
		return nil, refused("%s was begun with other things: %s; choose another name, or remove %s and %s", f.path, d, f.path+partialEnding, f.path+journalEnding)
	}
	if mark, err := ReadMark(f.path); err == nil && f.origin.Inputs != OpenEnded && f.marked(mark) { // a run was killed behind its last step but one
		os.Remove(f.path + partialEnding)
		return mark, f.remove()
	}
	return nil, f.reopen(entries, end)
}

// marked reports whether the output is complete and the mark its own.
func (f *Output) marked(m *Mark) bool {
	if m.Answered != f.most && f.origin.Inputs != OpenEnded || f.origin.Differs(m.Origin) != "" {
		return false
	}
	info, err := os.Stat(f.path)
	return err == nil && info.Size() == m.Bytes
}

// extend goes on with a complete output, which keeps its name.
func (f *Output) extend(at Progress) error {
	begin, err := json.Marshal(header{headerSchema, f.origin})
	if err != nil {
		return err
	}
	entry, err := json.Marshal(at)
	if err == nil {
		err = f.cutJournal(0)
	}
	if err == nil {
		err = f.append(slices.Concat(begin, []byte{'\n'}, entry)) // at once: without the entry nobody would know of the output
	}
	if err != nil {
		return err
	}
	end, err := f.journal.Seek(0, io.SeekCurrent)
	if err != nil {
		return err
	}
	return f.reopen([]Progress{at}, end)
}

// fresh starts an output that has no journal yet.
func (f *Output) fresh(resume bool) (*Mark, error) {
	if exists(f.path + partialEnding) {
		return nil, refused("%s is there without its journal, so that nobody knows how far it is: remove it", f.path+partialEnding)
	}
	mark, err := ReadMark(f.path)
	switch {
	case !exists(f.path):
		return nil, f.create()
	case errors.Is(err, fs.ErrNotExist):
		return nil, refused("%s is there already: choose another name, or remove it", f.path)
	case err != nil:
		return nil, err
	case !resume:
		return nil, refused("%s is there already, and complete: choose another name, or remove it and %s", f.path, MarkOf(f.path))
	}
	if d := f.origin.Differs(mark.Origin); d != "" {
		return nil, refused("%s is complete and was made with other things: %s; choose another name", f.path, d)
	}
	switch whole := f.marked(mark); {
	case !whole:
		return nil, refused("%s is not what %s says: remove both", f.path, MarkOf(f.path))
	case f.origin.Inputs == OpenEnded:
		return nil, f.extend(mark.Progress)
	}
	return mark, nil
}

// create writes the journal's header, and then the output.
func (f *Output) create() error {
	line, err := json.Marshal(header{headerSchema, f.origin})
	if err == nil {
		err = f.cutJournal(0)
	}
	if err == nil {
		err = f.append(line)
	}
	if err == nil {
		f.file, err = os.OpenFile(f.path+partialEnding, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
	}
	return err
}

// longestLine bounds the lines of a journal: the longest is the header, with settings that are words and numbers.
const longestLine = 1 << 20

// read returns what the journal says, nil where it has no header yet, and where its last whole line ends. A line that
// cannot be true, and what follows it, counts for nothing.
func (f *Output) read() (was *Origin, entries []Progress, end int64, err error) {
	last := Progress{}
	for lines := bufio.NewReaderSize(f.journal, longestLine); ; {
		line, err := lines.ReadSlice('\n')
		if err == io.EOF {
			return was, entries, end, nil // a line that was cut
		} else if err != nil && err != bufio.ErrBufferFull {
			return nil, nil, 0, err
		}
		var h header
		var p Progress
		switch whole := err == nil; {
		case was != nil && whole && json.Unmarshal(line, &p) == nil && p.follows(last) && p.Answered <= f.most:
			if len(entries) == 0 || p.Answered > last.Answered { // else it says the same again
				entries, last = append(entries, p), p
			}
		case was != nil:
			return was, entries, end, nil
		case whole && json.Unmarshal(line, &h) == nil && h.Schema == headerSchema:
			was = &h.Origin
		default:
			return nil, nil, 0, refused("%s is not a journal that this version reads", f.journal.Name())
		}
		end += int64(len(line))
	}
}

// reopen goes on behind the last entry of the journal whose bytes are all there.
func (f *Output) reopen(entries []Progress, end int64) error {
	if err := f.cutJournal(end); err != nil {
		return err
	}
	if err := f.open(len(entries) > 0); err != nil {
		return err
	}
	for _, e := range entries {
		if _, err := io.CopyN(f.sum, f.file, e.Bytes-f.at.Bytes); err != nil || f.hash() != e.Hash {
			break
		}
		f.at = e
	}
	if f.placed && f.at != entries[len(entries)-1] {
		return refused("%s is not what %s says: remove both", f.path, f.journal.Name())
	}
	return f.rewind()
}

// cutJournal takes away what follows the journal's last whole line.
func (f *Output) cutJournal(end int64) error {
	if err := f.journal.Truncate(end); err != nil {
		return err
	}
	_, err := f.journal.Seek(end, io.SeekStart)
	return err
}

// open opens the output of a journal. It may have its name already, where a run was killed before it wrote the mark.
func (f *Output) open(begun bool) (err error) {
	partial := f.path + partialEnding
	f.placed = begun && exists(f.path) && (!exists(partial) || atomicfile.Same(f.path, partial))
	switch {
	case f.placed:
		f.file, err = os.OpenFile(f.path, os.O_RDWR, 0)
	case begun && !exists(partial):
		return refused("%s is missing, of which %s tells: remove that too", partial, f.journal.Name())
	default:
		f.file, err = os.OpenFile(partial, os.O_RDWR|os.O_CREATE, 0o666)
	}
	return err
}

// rewind cuts the output behind f.at.
func (f *Output) rewind() error {
	f.sum.Reset()
	if _, err := f.file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	if _, err := io.CopyN(f.sum, f.file, f.at.Bytes); err != nil {
		return err
	}
	return f.file.Truncate(f.at.Bytes)
}

// Answered is how many inputs have an answer, and Failed how many of these say why there is none.
func (f *Output) Answered() int { return f.at.Answered }

// Failed is described at Answered.
func (f *Output) Failed() int { return f.at.Failed }

// Begun are the bytes that the output begins with: those of an earlier run, until something is written.
func (f *Output) Begun() *io.SectionReader { return io.NewSectionReader(f.file, 0, f.at.Bytes) }

// Write adds to the output.
func (f *Output) Write(p []byte) (int, error) {
	f.cut = true
	n, err := f.file.Write(p)
	f.sum.Write(p[:n])
	f.at.Bytes += int64(n)
	return n, err
}

// Answer says that the answer of one more input is written whole.
func (f *Output) Answer(failed bool) error {
	f.cut = false
	f.at.Answered++
	if failed {
		f.at.Failed++
	}
	if time.Since(f.saved) < SaveEvery {
		return nil
	}
	return f.save()
}

// save puts down how far the output is, once that is on the disk.
func (f *Output) save() error {
	f.at.Hash = f.hash()
	line, err := json.Marshal(f.at)
	if err == nil {
		err = f.file.Sync()
	}
	if err == nil {
		err = f.append(line)
	}
	f.saved = time.Now()
	return err
}

// append adds a line to the journal and waits until it is on the disk.
func (f *Output) append(line []byte) error {
	if _, err := f.journal.Write(append(line, '\n')); err != nil {
		return err
	}
	return f.journal.Sync()
}

func (f *Output) hash() string { return hex.EncodeToString(f.sum.Sum(nil)) }

// Close ends an output that is not complete: a later run goes on with it.
func (f *Output) Close() error {
	var err error
	if !f.cut && f.at.Answered > 0 {
		err = f.save()
	}
	return errors.Join(err, f.close())
}

// close lets go of the files.
func (f *Output) close() error {
	var err error
	if f.file != nil {
		err = f.file.Close()
	}
	f.journal.Close()
	return err
}

// Complete gives the output its name and its mark. Gaps are those of a Mark.
func (f *Output) Complete(gaps []byte) error {
	return f.complete(gaps, func() (Progress, error) { return f.at, f.place() })
}

// CompleteAs is Complete of an output that gets another form first: what is under its name then is what form writes, always the same
// of the same bytes.
func (f *Output) CompleteAs(gaps []byte, form func(from io.Reader, to io.Writer) error) error {
	return f.complete(gaps, func() (Progress, error) { return f.convert(form) })
}

// complete puts down that all answers are there, names the output and marks it.
func (f *Output) complete(gaps []byte, name func() (Progress, error)) error {
	err := f.save()
	if closed := f.file.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = f.finish(gaps, name)
	}
	f.journal.Close()
	return err
}

func (f *Output) finish(gaps []byte, name func() (Progress, error)) error {
	at, err := name()
	if errors.Is(err, fs.ErrExist) {
		return refused("%s has appeared meanwhile: rename it, then %v finishes", f.path, setting.Resume)
	} else if err != nil {
		return err
	}
	if err := (Mark{Origin: f.origin, Progress: at, Gaps: gaps}).Write(f.path); err != nil {
		return err
	}
	if partial := f.path + partialEnding; exists(partial) {
		if err := os.Remove(partial); err != nil {
			return err
		}
	}
	return f.remove()
}

// place gives the output its name; the partial one may be the same file.
func (f *Output) place() error {
	if f.placed {
		return nil
	}
	return atomicfile.Place(f.path+partialEnding, f.path)
}

// convert writes the output in another form under its name. A run that was killed may have done so already.
func (f *Output) convert(form func(from io.Reader, to io.Writer) error) (Progress, error) {
	at := f.at
	written := func(to io.Writer) error {
		from, err := os.Open(f.path + partialEnding)
		if err != nil {
			return err
		}
		defer from.Close()
		sum := NewSum(to)
		err = form(from, sum)
		at.Bytes, at.Hash = sum.Bytes(), sum.Hash()
		return err
	}
	atomicfile.Tidy(f.path)
	err := atomicfile.WriteNew(f.path, written)
	if !errors.Is(err, fs.ErrExist) {
		return at, err
	}
	if again := written(io.Discard); again != nil {
		return at, again
	}
	if there, e := hashOf(f.path); e != nil || there != at.Hash {
		return at, errors.Join(err, e)
	}
	return at, nil
}

// remove takes the journal away while it is still locked, so that nobody's else is removed; where an open file cannot be, after it.
func (f *Output) remove() error {
	removed := os.Remove(f.journal.Name())
	f.journal.Close()
	if removed != nil {
		removed = os.Remove(f.journal.Name())
	}
	return removed
}
