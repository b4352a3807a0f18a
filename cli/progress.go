package cli

import (
	"time"

	"github.com/schollz/progressbar/v3"
)

// progress is a bar on a terminal, and nothing elsewhere.
type progress struct{ bar *progressbar.ProgressBar }

// progress starts a bar for total steps; what names the work.
func (con *console) progress(total int, what string) *progress {
	if con.quiet || !con.terminal {
		return &progress{progressbar.DefaultSilent(int64(total))}
	}
	return &progress{progressbar.NewOptions(total,
		progressbar.OptionSetWriter(con.err),
		progressbar.OptionSetDescription(what),
		progressbar.OptionShowCount(),
		progressbar.OptionClearOnFinish(),
		progressbar.OptionSetWidth(30),
		progressbar.OptionThrottle(100*time.Millisecond),
	)}
}

// set says that done of total steps are done.
func (p *progress) set(done, total int) {
	p.bar.ChangeMax(total)
	p.bar.Set(done)
}

func (p *progress) add(steps int)        { p.bar.Add(steps) }
func (p *progress) describe(what string) { p.bar.Describe(what) }

// done takes the bar off the screen.
func (p *progress) done() { p.bar.Finish() }
