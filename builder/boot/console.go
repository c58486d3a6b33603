package boot

import (
	"bytes"
	"sync"
)

// maxConsole is how much a boot may print, in bytes. A distribution's kernel
// prints about 50 kB.
const maxConsole = 8 << 20

// panicMark begins what every kernel prints when it panics (kernel/panic.c).
const panicMark = "Kernel panic - not syncing"

// console collects the output of a serial console.
type console struct {
	mu      sync.Mutex
	data    []byte
	scanned int // the length of data that holds no panicMark
	panic   bool
	flooded bool
	// stop is called when there is more output than maxConsole, panicked at the
	// first panic.
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

// ending returns how the run ended, as far as the console shows it.
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

// bytes returns the output so far.
func (c *console) bytes() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return bytes.Clone(c.data)
}
