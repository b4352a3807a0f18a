package cli

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"
	"unicode/utf8"

	"golang.org/x/term"
)

// screen is standard error: lines that stay and, on a terminal, one below them that is drawn over and over.
type screen struct {
	mu       sync.Mutex
	w        io.Writer
	terminal *os.File // nil where w is none
	drawn    int      // characters of the line that can be drawn over
	told     time.Time
}

func newScreen(w io.Writer) *screen {
	s := &screen{w: w, told: time.Now()}
	if f, ok := w.(*os.File); ok && os.Getenv("TERM") != "dumb" && term.IsTerminal(int(f.Fd())) {
		s.terminal = f
	}
	return s
}

// columns is the width of a terminal, as it is now, and else that which all have.
func columns(terminal *os.File) int {
	if terminal != nil {
		if width, _, err := term.GetSize(int(terminal.Fd())); err == nil && width > 0 {
			return width
		}
	}
	return 80
}

// Write writes lines that stay, from any goroutine.
func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.erase()
	return s.w.Write(p)
}

// draw puts a line where the last one was that was drawn; "" only takes that away. It must be narrower than the terminal.
func (s *screen) draw(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	width := utf8.RuneCountInString(line)
	if width < s.drawn {
		s.erase()
	}
	if width > 0 {
		fmt.Fprintf(s.w, "\r%s", line)
	}
	s.drawn = width
}

// erase blanks the line that is drawn. A narrower terminal has wrapped it, and its end is all that can be reached.
func (s *screen) erase() {
	if n := min(s.drawn, columns(s.terminal)-1); n > 0 {
		fmt.Fprintf(s.w, "\r%*s\r", n, "")
	}
	s.drawn = 0
}

// tell writes a line that stays when the last one is old enough.
func (s *screen) tell(every time.Duration, line func() string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if time.Since(s.told) >= every {
		s.told = time.Now()
		fmt.Fprintln(s.w, line())
	}
}
