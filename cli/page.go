package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	urfave "github.com/urfave/cli/v2"

	"regraft/train"
)

// pageFlag names the file of a page.
func pageFlag(usage string) urfave.Flag {
	return stringFlag("report", "", "`FILE`.html for a page "+usage+" (needs no network)")
}

// pageFile is the file that --report names, "" for none. It replaces an earlier page, and nothing else.
func pageFile(c *urfave.Context) (string, error) {
	file := c.String("report")
	if file == "" {
		return "", nil
	}
	if ending := strings.ToLower(filepath.Ext(file)); ending != ".html" && ending != ".htm" {
		return "", usagef("--report %q: the name must end in .html", file)
	}
	if _, err := os.Stat(filepath.Dir(file)); err != nil {
		return "", fmt.Errorf("--report: %w", err)
	}
	switch ours, err := train.IsPage(file); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return "", fmt.Errorf("--report: %w", err)
	case !ours:
		return "", usagef("--report: %s is there already, and is no page of regraft: choose another name, or remove it", shown(file))
	}
	return file, nil
}
