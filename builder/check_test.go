package builder

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"namibuild/builder/event"
	"namibuild/builder/leak"
	"namibuild/builder/set"
)

// TestBuildFindsLeaks checks that a build warns of what leaked and records it, and that Check
// finds the same.
func TestBuildFindsLeaks(t *testing.T) {
	o, _, events := setup(t)
	o.Now, o.Host = func() time.Time { return time.Unix(1400000000, 0) }, "f00ba4"
	res, err := Build(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	// rpmtest's package was built in 1970, on localhost
	want := []set.Leaks{{Package: "kernel-2.6.32-431.3.1.namibuild.el6.x86_64.rpm", Leaks: []leak.Leak{
		{Kind: leak.BuildTime, Got: "1970-01-01 00:00:00 UTC", Want: "2014-01-06 09:20:00 UTC", Count: 1},
		{Kind: leak.BuildHost, Got: "localhost", Want: "namibuild", Count: 1}}}}
	if diff := cmp.Diff(want, res.Leaks); diff != "" {
		t.Error(diff)
	}
	var warned []string
	for _, e := range *events {
		if e.Kind == event.Warning && e.Step == event.Collect {
			_, text, _ := strings.Cut(e.Text, ": ")
			warned = append(warned, text)
		}
	}
	if diff := cmp.Diff([]string{want[0].Leaks[0].String(), want[0].Leaks[1].String()}, warned); diff != "" {
		t.Error(diff)
	}
	var record set.Record
	page, err := os.ReadFile(filepath.Join(o.Output, set.RecordFile))
	if err == nil {
		err = json.Unmarshal(page, &record)
	}
	if diff := cmp.Diff(want, record.Leaks); err != nil || diff != "" {
		t.Error(err, diff)
	}
	again, err := Check(context.Background(), o.Output, o.Host)
	if diff := cmp.Diff(want, again); err != nil || diff != "" {
		t.Error(err, diff)
	}
}

func TestCheckErrors(t *testing.T) {
	o, _, _ := setup(t)
	if _, err := Check(context.Background(), t.TempDir(), o.Host); !errors.Is(err, set.ErrNoRecord) {
		t.Errorf("no record: %v", err)
	}
	if _, err := Build(context.Background(), o); err != nil {
		t.Fatal(err)
	}
	stopped, stop := context.WithCancel(context.Background())
	stop()
	if _, err := Check(stopped, o.Output, o.Host); !errors.Is(err, context.Canceled) {
		t.Errorf("stopped: %v", err)
	}
	page := filepath.Join(o.Output, set.RecordFile)
	if err := os.WriteFile(page, []byte("{"), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := Check(context.Background(), o.Output, o.Host); err == nil || !strings.Contains(err.Error(), page) {
		t.Errorf("broken record: %v", err)
	}
}
