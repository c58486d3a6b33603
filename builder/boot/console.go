package boot

import (
	"bytes"
	"sync"
)

// maxConsole bounds what a boot may print: a distribution's kernel prints about
// 50 kB.
const maxConsole = 8 << 20

// panicMark is what every kernel prints when it panics (kernel/panic.c).
const panicMark = "Kernel panic - not syncing"

// console keeps what a serial console says, and tells of a panic once.
type console struct {
	mu       sync.Mutex
	data     []byte
	scanned  int
	panic    bool
	flooded  bool
	stop     func()
	panicked func()
}

func (c *console) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if room := maxConsole - len(c.data); len(p) > room {
		c.data = append(c.data, p[:room]...)
		c.flooded = true
		c.stop()
		return len(p), nil
	}
	c.data = append(c.data, p...)
	if !c.panic && bytes.Contains(c.data[c.scanned:], []byte(panicMark)) {
		c.panic = true
		c.panicked()
	}
	c.scanned = max(0, len(c.data)-len(panicMark))
	return len(p), nil
}

// ending is what the console knows of how the run ended.
func (c *console) ending() Ending {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.panic:
		return Panicked
	case c.flooded:
		return Flooded
	}
	return Reset
}

func (c *console) bytes() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return bytes.Clone(c.data)
}
