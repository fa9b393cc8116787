package app

import (
	"bufio"
	"fmt"
	"os"
	"runtime/debug"
	"strings"

	"golang.org/x/sys/unix"
)

// forgetStart gives back what only the start needed: the heap that it grew to,
// and the pages of the program's own file, which are read again as they are
// used. A start touches nearly all of those, the kernel maps 16 for each, and it
// would take them back only when memory is short.
func forgetStart() {
	debug.FreeOSMemory()
	for _, m := range programMaps(mapsFile) {
		// What is refused stays as it is.
		_, _, _ = unix.Syscall(unix.SYS_MADVISE, m.from, m.to-m.from, unix.MADV_DONTNEED)
	}
}

const mapsFile = "/proc/self/smaps"

// mapped is a part of the address space, to exclusive.
type mapped struct{ from, to uintptr }

// programMaps returns where the program's file is mapped and nothing was
// changed since: all of it can be read from the file again.
func programMaps(path string) []mapped {
	program, err := os.Executable()
	if err != nil {
		return nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer f.Close()
	var maps []mapped
	var m mapped
	ours := false
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var next mapped
		var access string
		if n, _ := fmt.Sscanf(lines.Text(), "%x-%x %s", &next.from, &next.to, &access); n == 3 {
			m, ours = next, strings.HasPrefix(access, "r-") && strings.HasSuffix(lines.Text(), " "+program)
		}
		var kib int
		if n, _ := fmt.Sscanf(lines.Text(), "Anonymous: %d kB", &kib); n == 1 && kib == 0 && ours {
			maps = append(maps, m)
		}
	}
	return maps
}
