package cli

import (
	"fmt"

	urfave "github.com/urfave/cli/v2"

	"regraft/atomicfile"
	"regraft/train"
)

type rateJSON struct {
	Schema string            `json:"schema"`
	Event  string            `json:"event"` // rate
	Search *train.RateSearch `json:"search"`
}

// findRate makes a range test of the learning rate, draws it and says what to try.
func findRate(con *console, c *urfave.Context, cfg train.Config, report *trainReport, file string) error {
	if err := absent(c, "lr-find"); err != nil {
		return err
	}
	defer func() { report.bar.end() }()
	search, err := train.FindRate(c.Context, cfg, report)
	if err != nil {
		return err
	}
	report.bar.end()
	if err := atomicfile.WriteNew(file, search.Draw); err != nil {
		return fmt.Errorf("--lr-find: %w", err)
	}
	if c.Bool("json") {
		return con.json(rateJSON{trainSchema, "rate", search})
	}
	con.printf("%v\n%s shows it\n", search, shown(file))
	return nil
}
