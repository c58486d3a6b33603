package leak

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestDays(t *testing.T) {
	at := func(day, hour int) time.Time { return time.Date(2026, 11, day, hour, 0, 0, 0, time.UTC) }
	for _, test := range []struct {
		from, to time.Time
		want     []time.Time
	}{
		{at(1, 10), at(1, 11), []time.Time{at(1, 10), at(1, 11)}},
		{at(1, 23), at(2, 1), []time.Time{at(1, 23), at(2, 1)}},
		{at(1, 10), at(3, 9), []time.Time{at(1, 10), at(2, 10), at(3, 9)}},
	} {
		if diff := cmp.Diff(test.want, Days(test.from, test.to)); diff != "" {
			t.Error(diff)
		}
	}
}
