package train

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// available is the memory in bytes that this process may still take: what the kernel says is available, or what its control group
// leaves of its limit; 0 where neither can be read.
func available() int64 {
	free := lineOf("/proc/meminfo", "MemAvailable: %d kB") << 10
	if left := leftOfGroup("/sys/fs/cgroup"); left > 0 && (free == 0 || left < free) {
		return left
	}
	return free
}

// controlGroups are the files of version 2 and version 1 below the root, as seen from inside a container, and the line of memory.stat
// that counts what is kept of files.
var controlGroups = []struct{ dir, limit, used, files string }{
	{"", "memory.max", "memory.current", "inactive_file %d"},
	{"memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file %d"},
}

// leftOfGroup is what the limit of a control group leaves, 0 where there is none. What the kernel keeps of files that nobody has read for
// a while is part of what a group uses, and is given up first.
func leftOfGroup(root string) int64 {
	for _, g := range controlGroups {
		dir := filepath.Join(root, g.dir)
		if limit := numberIn(filepath.Join(dir, g.limit)); limit > 0 {
			return max(limit-numberIn(filepath.Join(dir, g.used))+lineOf(filepath.Join(dir, "memory.stat"), g.files), 1)
		}
	}
	return 0
}

// lineOf is the number in the first line of a file that has that form, 0 where there is none.
func lineOf(file, form string) int64 {
	data, err := os.ReadFile(file)
	if err != nil {
		return 0
	}
	for lines := bufio.NewScanner(bytes.NewReader(data)); lines.Scan(); {
		var value int64
		if n, _ := fmt.Sscanf(lines.Text(), form, &value); n == 1 {
			return value
		}
	}
	return 0
}

// numberIn is that in a file; 0 where there is none or no limit.
func numberIn(file string) int64 {
	data, err := os.ReadFile(file)
	if err != nil {
		return 0
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(data)), 10, 64)
	if err != nil || n > 1<<60 { // "max"
		return 0
	}
	return n
}
