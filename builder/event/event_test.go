package event

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestSink checks the events that the methods of a Sink send, and that a nil Sink drops
// them.
func TestSink(t *testing.T) {
	var got []Event
	for _, s := range []Sink{nil, func(e Event) { got = append(got, e) }} {
		s.Say(Begin, Sign, "%d packages", 2)
		s.Progress(Rpmbuild, 3, 0, Objects)
		s.Bytes(Upload)(1, 2)
		s.Swept(0, nil)
		s.Swept(1, nil)
		s.Swept(0, errors.New("no engine"))
	}
	want := []Event{
		{Kind: Begin, Step: Sign, Text: "2 packages"},
		{Kind: Progress, Step: Rpmbuild, Done: 3, Unit: Objects},
		{Kind: Progress, Step: Upload, Done: 1, Total: 2, Unit: Bytes},
		{Kind: Note, Text: "removed 1 leftover of an earlier run"},
		{Kind: Warning, Text: "removing what an earlier run left: no engine"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestReader checks that a Reader reports every read.
func TestReader(t *testing.T) {
	var got [][2]int64
	r := NewReader(strings.NewReader("abc"), 3, func(done, total int64) { got = append(got, [2]int64{done, total}) })
	if data, err := io.ReadAll(r); string(data) != "abc" || err != nil {
		t.Errorf("%q, %v", data, err)
	}
	if diff := cmp.Diff([][2]int64{{3, 3}, {3, 3}}, got); diff != "" {
		t.Error(diff)
	}
}
