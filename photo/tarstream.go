package photo

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
)

// A compressed archive may unpack to so many times its size, and to so many bytes more; photos hardly shrink. Tests make it less.
const mostExpansion = 100

var mostExpandedBy int64 = 64 << 20

// unpacking is a compressed tar that is read from front to back.
type unpacking struct {
	members *tar.Reader
	file    *os.File
	packed  counter // bytes of the file that were read
	plain   counter
}

// counter counts the bytes that pass.
type counter struct {
	io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.n += int64(n)
	return n, err
}

func unpack(path string) (*unpacking, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	u := &unpacking{file: f, packed: counter{Reader: f}}
	z, err := gzip.NewReader(bufio.NewReaderSize(&u.packed, 1<<16))
	if err != nil {
		f.Close()
		return nil, err
	}
	u.plain.Reader = z
	u.members = tar.NewReader(u)
	return u, nil
}

// Read gives the unpacked bytes, unless they become too many.
func (u *unpacking) Read(p []byte) (int, error) {
	if u.plain.n > mostExpansion*u.packed.n+mostExpandedBy {
		return 0, fmt.Errorf("it unpacks to more than %d times its size", mostExpansion)
	}
	return u.plain.Read(p)
}

// Close lets go of the file.
func (u *unpacking) Close() error { return u.file.Close() }

// listPacked lists a compressed tar, which is read to its end: then its checksum is known to be right.
func (a *archive) listPacked() error {
	u, err := unpack(a.path)
	if err != nil {
		return err
	}
	defer u.Close()
	s := &sequence{path: a.path}
	for i := 0; ; i++ {
		h, err := u.members.Next()
		switch {
		case err == io.EOF:
			if _, err = io.Copy(io.Discard, u); err == gzip.ErrHeader { // padding of tapes
				err = nil
			}
			return err
		case err != nil && !errors.Is(err, tar.ErrInsecurePath):
			return err
		}
		if m, is := tarMember(h); is {
			m.content = func() ([]byte, error) { return s.read(i) }
			a.add(m)
		}
	}
}

// sequence reads the members of a compressed tar in any order, and without going back where that is almost that of the archive, as when
// several goroutines read one behind the other.
type sequence struct {
	path  string
	mutex sync.Mutex
	file  *unpacking // nil before the first member and behind an error
	next  int        // the member that the file is at
	// passed are the latest members that were passed over, which somebody may be about to read; order has the oldest first.
	passed map[int][]byte
	order  []int
	bytes  int
}

// What is kept of members that were passed over.
const (
	mostPassed      = 64
	mostPassedBytes = 128 << 20
)

func (s *sequence) read(member int) ([]byte, error) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if data, kept := s.passed[member]; kept {
		s.drop(member)
		return data, nil
	}
	data, err := s.advance(member)
	if err != nil {
		if s.file != nil {
			s.file.Close()
		}
		s.file = nil
		return nil, fmt.Errorf("damaged in its archive: %w", err)
	}
	return data, nil
}

// advance reads up to a member.
func (s *sequence) advance(member int) (data []byte, err error) {
	if s.file == nil || s.next > member {
		if s.file != nil {
			s.file.Close()
		}
		if s.file, err = unpack(s.path); err != nil {
			return nil, err
		}
		s.next, s.passed, s.order, s.bytes = 0, map[int][]byte{}, nil, 0
	}
	for {
		h, err := s.file.members.Next()
		if err != nil && !errors.Is(err, tar.ErrInsecurePath) {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
		at := s.next
		s.next++
		if m, is := tarMember(h); at == member || is && m.wanted() {
			if data, err = io.ReadAll(io.LimitReader(s.file.members, DefaultMaxBytes)); err != nil {
				return nil, err
			}
			if at == member {
				return data, nil
			}
			s.keep(at, data)
		}
	}
}

// keep remembers a member that was passed over, in place of the oldest ones.
func (s *sequence) keep(member int, data []byte) {
	s.passed[member], s.order, s.bytes = data, append(s.order, member), s.bytes+len(data)
	for len(s.order) > mostPassed || s.bytes > mostPassedBytes {
		s.drop(s.order[0])
	}
}

func (s *sequence) drop(member int) {
	s.bytes -= len(s.passed[member])
	delete(s.passed, member)
	for i, m := range s.order {
		if m == member {
			s.order = append(s.order[:i], s.order[i+1:]...)
			return
		}
	}
}
