package cli

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/term"

	"regraft/photo"
)

// console is where a command reads and writes.
type console struct {
	in io.Reader
	// out takes results and nothing else.
	out *bufio.Writer
	// outTerminal is out where that is a terminal.
	outTerminal *os.File
	// err takes progress, notes, warnings and errors.
	err    *screen
	colour bool
	quiet  bool // only errors on err
	// closing are warnings that the command ends with.
	closing []string
}

func newConsole(stdin io.Reader, stdout, stderr io.Writer) *console {
	con := &console{in: stdin, out: bufio.NewWriter(stdout), err: newScreen(stderr)}
	if f, ok := stdout.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		con.outTerminal = f
	}
	con.colour = con.err.terminal != nil && os.Getenv("NO_COLOR") == ""
	return con
}

// printf writes a result.
func (con *console) printf(format string, args ...any) { fmt.Fprintf(con.out, format, args...) }

// shown is a name from outside as it may be printed.
func shown(text string) string { return photo.Shown(text) }

// json writes v as one line.
func (con *console) json(v any) error {
	enc := json.NewEncoder(con.out)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// notef tells how things go; --quiet silences it.
func (con *console) notef(format string, args ...any) {
	if !con.quiet {
		fmt.Fprintf(con.err, "%s\n", legible(fmt.Sprintf(format, args...)))
	}
}

// legible is a message without control characters but for the ends of its lines; names from outside may have them.
func legible(message string) string {
	var b strings.Builder
	for _, r := range message {
		if unicode.IsControl(r) && r != '\n' {
			quoted := strconv.QuoteRune(r)
			b.WriteString(quoted[1 : len(quoted)-1])
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

// warnf tells what the user should know before trusting the result; --quiet silences it.
func (con *console) warnf(format string, args ...any) {
	if !con.quiet {
		fmt.Fprintf(con.err, "%s %s\n", con.paint("33", "warning:"), legible(fmt.Sprintf(format, args...)))
	}
}

// atEnd warns when the command is done, for what has scrolled away by then.
func (con *console) atEnd(format string, args ...any) {
	con.closing = append(con.closing, fmt.Sprintf(format, args...))
}

// close says what atEnd has gathered.
func (con *console) close() {
	for _, text := range con.closing {
		con.warnf("%s", text)
	}
}

func (con *console) errorf(format string, args ...any) {
	fmt.Fprintf(con.err, "%s %s\n", con.paint("31", "regraft:"), legible(fmt.Sprintf(format, args...)))
}

// paint colours text by an ANSI code where the terminal and the user allow it.
func (con *console) paint(code, text string) string {
	if !con.colour {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}
