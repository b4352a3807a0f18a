package sorter

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"unicode/utf8"

	"regraft/atomicfile"
	"regraft/filelock"
	"regraft/photo"
)

const schema = "regraft/sort/1"

// header is the first line of a list; records follow.
type header struct {
	Schema string `json:"schema"`
	Mode   Mode   `json:"mode"`
	Output string `json:"output,omitempty"`
}

// record is one photo that is put into a folder. Names that are not UTF-8 are there in base64, too.
type record struct {
	From      string `json:"from"` // absolute
	FromBytes []byte `json:"from_base64,omitempty"`
	To        string `json:"to"` // in the folder of the list
	ToBytes   []byte `json:"to_base64,omitempty"`
	// SHA256 is that of a photo that is no file: a member of an archive.
	SHA256 string `json:"sha256,omitempty"`
	// Void takes the record before it back, which failed.
	Void bool `json:"void,omitempty"`
}

func newRecord(from string) record {
	var r record
	r.From, r.FromBytes = textOf(from)
	return r
}

func (r *record) setTo(to string) { r.To, r.ToBytes = textOf(filepath.ToSlash(to)) }

func textOf(name string) (string, []byte) {
	if utf8.ValidString(name) {
		return name, nil
	}
	return photo.Text(name), []byte(name)
}

func (r record) from() string { return nameOf(r.From, r.FromBytes) }
func (r record) to() string   { return filepath.FromSlash(nameOf(r.To, r.ToBytes)) }

func nameOf(text string, bytes []byte) string {
	if bytes != nil {
		return string(bytes)
	}
	return text
}

// list is a file of records that grows.
type list struct {
	path string
	file *os.File
}

// listsIn are the paths of all lists in a folder, in the order in which they were made.
func listsIn(dir string) ([]string, error) {
	lists, err := fs.Glob(os.DirFS(dir), "undo-*.jsonl")
	slices.Sort(lists)
	for i, name := range lists {
		lists[i] = filepath.Join(dir, name)
	}
	return lists, err
}

// newList begins a list under the next number that is free.
func newList(dir string, h header) (*list, error) {
	lists, err := listsIn(dir)
	if err != nil {
		return nil, err
	}
	n := 0
	if len(lists) > 0 {
		fmt.Sscanf(filepath.Base(lists[len(lists)-1]), "undo-%d.jsonl", &n)
	}
	for n++; ; n++ {
		path := filepath.Join(dir, fmt.Sprintf("undo-%06d.jsonl", n))
		err = atomicfile.WriteNew(path, func(w io.Writer) error { return json.NewEncoder(w).Encode(h) })
		if errors.Is(err, fs.ErrExist) {
			continue
		} else if err != nil {
			return nil, err
		}
		_, _, end, err := readList(path)
		if err != nil {
			return nil, err
		}
		return continueList(path, end)
	}
}

// continueList appends to a list behind its last whole line.
func continueList(path string, end int64) (*list, error) {
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return nil, err
	}
	l := &list{path, file}
	if errors.Is(filelock.Try(file), filelock.ErrLocked) {
		err = fmt.Errorf("%s is in use by another run: wait for its end", path)
	}
	if err == nil {
		err = file.Truncate(end)
	}
	if err == nil {
		_, err = file.Seek(end, io.SeekStart)
	}
	if err != nil {
		file.Close()
	}
	return l, err
}

// write adds a line, and waits until it is on the disk where what follows could not be made again.
func (l *list) write(v any, sync bool) error {
	line, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if _, err := l.file.Write(append(line, '\n')); err != nil {
		return err
	}
	if sync {
		return l.file.Sync()
	}
	return nil
}

func (l *list) close() error { return l.file.Close() }

// longestLine bounds the lines of a list: two paths.
const longestLine = 1 << 20

// readList reads a list up to its last whole line, which ends at end.
func readList(path string) (h header, records []record, end int64, err error) {
	file, err := os.Open(path)
	if err != nil {
		return h, nil, 0, err
	}
	defer file.Close()
	for lines := bufio.NewReaderSize(file, longestLine); ; {
		line, err := lines.ReadSlice('\n')
		switch {
		case err == io.EOF && end > 0: // what follows was cut
			return h, records, end, nil
		case err != nil && err != io.EOF && err != bufio.ErrBufferFull:
			return h, nil, 0, err
		case err == nil && end == 0 && json.Unmarshal(line, &h) == nil && h.Schema == schema && slices.Contains(Modes, h.Mode):
		case err == nil && end > 0:
			var r record
			if json.Unmarshal(line, &r) != nil || r.SHA256 == "" && !filepath.IsAbs(r.from()) || !filepath.IsLocal(r.to()) {
				return h, nil, 0, fmt.Errorf("%s is damaged behind byte %d", path, end)
			}
			if r.Void {
				records = records[:max(len(records)-1, 0)]
			} else {
				records = append(records, r)
			}
		default:
			return h, nil, 0, fmt.Errorf("%s is not a list that this version reads", path)
		}
		end += int64(len(line))
	}
}
