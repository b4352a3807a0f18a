package cli

import (
	"fmt"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"regraft/train"
)

// How often progress is told: a line on a terminal is drawn anew, and elsewhere lines are added, a minute apart.
var (
	redraws  = 200 * time.Millisecond
	logLines = time.Minute
)

// progress tells how far a stretch of work is, until it is done: on a terminal in one line, elsewhere in a line now and then.
// A nil one tells nothing.
type progress struct {
	con   *console
	what  string
	unit  string
	ended chan struct{}
	gone  chan struct{} // closed when nothing more is written
	once  sync.Once

	mu          sync.Mutex
	note        string // such as a loss
	done, total int    // total 0 is not known
	// from is how much was done at the moment began; the speed counts from there.
	from  int
	began time.Time
}

// progress starts to tell of work on so many photos or other units, 0 where their number is not known.
func (con *console) progress(total int, unit, what string) *progress {
	if con.quiet {
		return nil
	}
	p := &progress{con: con, what: what, unit: unit, total: total, ended: make(chan struct{}), gone: make(chan struct{})}
	go p.tell()
	return p
}

// phase starts to tell of a phase of a training or an evaluation.
func (con *console) phase(p train.Phase, total int, what string) *progress {
	return con.progress(total, p.Unit(), what)
}

func (p *progress) tell() {
	defer close(p.gone)
	tick := time.NewTicker(redraws)
	defer tick.Stop()
	for ended := false; !ended; {
		select {
		case <-p.ended:
			ended = true // the last line, where it is time for one, is of all that was done
		case <-tick.C:
		}
		if screen := p.con.err; screen.terminal != nil {
			screen.draw(p.line(columns(screen.terminal)))
		} else {
			screen.tell(logLines, p.logLine)
		}
	}
}

// add counts steps that are done. The first ones may have been done before.
func (p *progress) add(steps int) {
	if p != nil {
		p.update(func() { p.done += steps })
	}
}

// set says that done of total steps are done.
func (p *progress) set(done, total int) {
	if p != nil {
		p.update(func() { p.done, p.total = done, total })
	}
}

func (p *progress) update(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
	if p.total > 0 {
		p.total = max(p.total, p.done) // it was a guess
	}
	if p.began.IsZero() {
		p.from, p.began = p.done, time.Now()
	}
}

// describe adds a note.
func (p *progress) describe(note string) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.note = note
}

// end takes the line off the terminal; nothing is told after it.
func (p *progress) end() {
	if p == nil {
		return
	}
	p.once.Do(func() {
		close(p.ended)
		<-p.gone
		p.con.err.draw("")
	})
}

// left estimates the time that the rest takes; false where it cannot be known yet.
func (p *progress) left() (time.Duration, bool) {
	took, n := time.Since(p.began), p.done-p.from
	if p.total == 0 || n <= 0 || took < time.Second {
		return 0, false
	}
	return time.Duration(float64(took) / float64(n) * float64(max(p.total-p.done, 0))), true
}

// logLine is such as "epoch 2/8 train: 320 of 540 photos, loss 0.123, 1m20s left".
func (p *progress) logLine() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	line := fmt.Sprintf("%s: %d %s", p.what, p.done, p.unit)
	if p.total > 0 {
		line = fmt.Sprintf("%s: %d of %d %s", p.what, p.done, p.total, p.unit)
	}
	if p.note != "" {
		line += ", " + p.note
	}
	if left, known := p.left(); known {
		line += ", " + short(left) + " left"
	}
	return line
}

// line is what a terminal of so many columns shows: as much of name, note, bar, count and time as there is room for.
func (p *progress) line(columns int) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	count, left, note := fmt.Sprintf("%d %s", p.done, p.unit), "", ""
	if p.total > 0 {
		count = fmt.Sprintf("%d/%d %3d %%", p.done, p.total, 100*min(p.done, p.total)/p.total)
	}
	if d, known := p.left(); known {
		left = "  " + short(d) + " left"
	}
	if p.note != "" {
		note = ", " + p.note
	}
	const least, most = 10, 30
	room := columns - 1
	full := p.what + note + "  " + count + left
	if free := room - utf8.RuneCountInString(full) - 2; p.total > 0 && free >= least {
		return p.what + note + "  " + bar(min(p.done, p.total), p.total, min(free, most)) + "  " + count + left
	}
	for _, line := range []string{full, p.what + "  " + count + left, p.what + "  " + count, count} {
		if utf8.RuneCountInString(line) <= room {
			return line
		}
	}
	return ""
}

// bar is so many characters wide, its ends included.
func bar(done, total, width int) string {
	filled := (width - 2) * done / total
	return "[" + strings.Repeat("#", filled) + strings.Repeat("-", width-2-filled) + "]"
}

// short writes a time in at most six characters: 0.25s, 45s, 12m05s, 3h20m, 120h.
func short(d time.Duration) string {
	switch s := int(d.Round(time.Second).Seconds()); {
	case d < 9950*time.Millisecond:
		return fmt.Sprintf("%.1fs", d.Seconds())
	case s < 60:
		return fmt.Sprintf("%ds", s)
	case s < 3600:
		return fmt.Sprintf("%dm%02ds", s/60, s%60)
	case s < 100*3600:
		return fmt.Sprintf("%dh%02dm", s/3600, s%3600/60)
	default:
		return fmt.Sprintf("%dh", s/3600)
	}
}
