package leak

import (
	"bufio"
	"context"
	"io"
	"os"
	"time"
)

// mostDays limits the days of a build that Days returns.
const mostDays = 14

// Days returns the days from one moment to another, for Facts.Days. It returns the
// first 14 and the last of a build that takes longer.
func Days(from, to time.Time) []time.Time {
	all := []time.Time{from}
	for t := from.AddDate(0, 0, 1); !t.After(to) && len(all) < mostDays; t = t.AddDate(0, 0, 1) {
		all = append(all, t)
	}
	return append(all, to) // a build of an hour may go past midnight
}

// FindFile is Find for the package in a file. It ends early, with the error of ctx,
// if ctx is done.
func FindFile(ctx context.Context, path string, f Facts) ([]Leak, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return Find(bufio.NewReaderSize(&contextReader{ctx, file}, 1<<20), f)
}

// contextReader ends a read when its context is done.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (c *contextReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}
