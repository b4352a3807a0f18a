package train

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// available is the memory in bytes that this process may still take: what the kernel says is available, or what its control group
// leaves of its limit; 0 where neither can be read.
func available() int64 {
	free := meminfo("MemAvailable")
	limit, used := controlGroup("memory.max"), controlGroup("memory.current")
	if limit == 0 {
		limit, used = controlGroup("memory/memory.limit_in_bytes"), controlGroup("memory/memory.usage_in_bytes")
	}
	if left := limit - used; limit > 0 && left > 0 && (free == 0 || left < free) {
		return left
	}
	return free
}

// meminfo is a line of /proc/meminfo, in bytes.
func meminfo(name string) int64 {
	data, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0
	}
	for lines := bufio.NewScanner(bytes.NewReader(data)); lines.Scan(); {
		var kilobytes int64
		if n, _ := fmt.Sscanf(lines.Text(), name+": %d kB", &kilobytes); n == 1 {
			return kilobytes << 10
		}
	}
	return 0
}

// controlGroup is a file of the process's control group, as seen from inside a container; 0 where there is none or no limit.
func controlGroup(file string) int64 {
	data, err := os.ReadFile("/sys/fs/cgroup/" + file)
	if err != nil {
		return 0
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(data)), 10, 64)
	if err != nil || n > 1<<60 { // "max"
		return 0
	}
	return n
}
