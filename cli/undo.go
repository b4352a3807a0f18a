package cli

import (
	urfave "github.com/urfave/cli/v2"

	"regraft/sorter"
)

func undoCommand(con *console) *urfave.Command {
	return &urfave.Command{
		Name:        "undo",
		Usage:       "take back what classify --sort-into did",
		ArgsUsage:   "LIST|DIR...   (a list that it has left, or all lists in a folder)",
		Description: "regraft undo sorted/undo-000001.jsonl",
		Action:      func(c *urfave.Context) error { return undo(con, c) },
	}
}

func undo(con *console, c *urfave.Context) error {
	if c.NArg() == 0 {
		return usagef("no list given: name one that classify --sort-into has left, or its folder")
	}
	lists, err := sorter.Lists(c.Args().Slice())
	if err != nil {
		return fail(statusData, err)
	}
	left := 0
	for _, list := range lists {
		undone, err := sorter.Undo(list, func(to string, why error) {
			left++
			con.warnf("%s stays: %v", shown(to), why)
		})
		if err != nil {
			return fail(statusData, err)
		}
		con.notef("%s: %s taken back", list, counted(undone, "photo"))
	}
	if left > 0 {
		return failf(statusInputs, "%s could not be taken back", counted(left, "photo"))
	}
	return nil
}
